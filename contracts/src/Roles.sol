// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

// Ids of roles, computed alike by all contracts, so that none has to ask another for them.

// May submit requests, record rounds and release.
bytes32 constant RESEARCHER_ROLE = keccak256("fedkit.researcher");
// Enforces nothing: that an account reads journals by right.
bytes32 constant AUDITOR_ROLE = keccak256("fedkit.auditor");
// May issue and revoke data permits.
bytes32 constant AUTHORITY_ROLE = keccak256("fedkit.authority");

/// @notice The role of those who decide for a site.
/// @param site keccak256 of its name.
/// @return The role.
function stewardRole(bytes32 site) pure returns (bytes32) {
    return keccak256(abi.encode("fedkit.steward", site));
}

/// @notice The role of the keys with which a site signs receipts, anchors and spending.
/// @param site keccak256 of its name.
/// @return The role.
function keyRole(bytes32 site) pure returns (bytes32) {
    return keccak256(abi.encode("fedkit.site", site));
}
