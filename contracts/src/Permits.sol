// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Levels} from "./Levels.sol";

/// @title Data permits: who may use which data sets, for what kind of purpose, until when.
/// @notice Issued and revoked by an authority (EHDS, Regulation (EU) 2025/327, article 68). A permit stands as the digest of its
/// text; what it allows is checked at every step of a request.
abstract contract Permits is Levels {
    /// @notice The purposes of EHDS article 53(1), (a) to (f).
    enum Purpose {
        PublicHealth,
        Policy,
        Statistics,
        Education,
        Research,
        Care
    }

    /// @notice An issued permit. Once revoked it stays so.
    struct Permit {
        uint64 expires;
        Purpose purpose;
        bool revoked;
    }

    /// @notice An authority gave leave. `expires` is the last second that counts, Unix time.
    event PermitIssued(
        bytes32 indexed permit,
        address indexed authority,
        Purpose indexed purpose,
        uint64 expires,
        bytes32[] datasets,
        address[] users
    );
    /// @notice An authority took leave back.
    event PermitRevoked(bytes32 indexed permit, address indexed authority);

    /// @notice A permit with this digest was issued before.
    error PermitExists(bytes32 permit);
    /// @notice No authority has issued such a permit.
    error PermitUnknown(bytes32 permit);
    /// @notice The permit was revoked.
    error PermitWithdrawn(bytes32 permit);
    /// @notice The permit has run out.
    error PermitExpired(bytes32 permit, uint64 expires);
    /// @notice The permit is not for this data set.
    error PermitNotForDataset(bytes32 permit, bytes32 dataset);
    /// @notice The permit does not name this user.
    error PermitNotForUser(bytes32 permit, address user);

    /// @notice What was issued; `expires` is zero where nothing was.
    mapping(bytes32 permit => Permit) public permits;
    /// @notice Whether a permit is for a data set.
    mapping(bytes32 permit => mapping(bytes32 dataset => bool)) public permitCovers;
    /// @notice Whether a permit names a user.
    mapping(bytes32 permit => mapping(address user => bool)) public permitNames;

    /// @notice Put a data permit on record.
    /// @param permit Digest of its text.
    /// @param purpose The kind of purpose it is for.
    /// @param expires Its last second, Unix time.
    /// @param datasets keccak256 of the names of the data sets it covers.
    /// @param users Who may use them.
    function issuePermit(
        bytes32 permit,
        Purpose purpose,
        uint64 expires,
        bytes32[] calldata datasets,
        address[] calldata users
    ) external whileOpen onlyRole(AUTHORITY) {
        if (permit == 0 || datasets.length == 0 || users.length == 0) revert Empty();
        if (permits[permit].expires != 0) revert PermitExists(permit);
        if (expires < block.timestamp) revert PermitExpired(permit, expires);
        permits[permit] = Permit(expires, purpose, false);
        for (uint256 i = 0; i < datasets.length; ++i) {
            permitCovers[permit][datasets[i]] = true;
        }
        for (uint256 i = 0; i < users.length; ++i) {
            permitNames[permit][users[i]] = true;
        }
        emit PermitIssued(permit, msg.sender, purpose, expires, datasets, users);
    }

    /// @notice Take a permit back; nothing under it counts from now on.
    /// @param permit Digest of its text.
    function revokePermit(bytes32 permit) external whileOpen onlyRole(AUTHORITY) {
        if (permits[permit].expires == 0) revert PermitUnknown(permit);
        if (permits[permit].revoked) revert PermitWithdrawn(permit);
        permits[permit].revoked = true;
        emit PermitRevoked(permit, msg.sender);
    }

    /// @notice Reverts, saying why, unless a user may use a data set under a permit now.
    /// @param permit Digest of its text.
    /// @param dataset keccak256 of the data set's name.
    /// @param user Who would use it.
    function checkPermit(bytes32 permit, bytes32 dataset, address user) external view {
        Permit storage issued = permits[permit];
        if (issued.expires == 0) revert PermitUnknown(permit);
        if (issued.revoked) revert PermitWithdrawn(permit);
        if (issued.expires < block.timestamp) revert PermitExpired(permit, issued.expires);
        if (!permitCovers[permit][dataset]) revert PermitNotForDataset(permit, dataset);
        if (!permitNames[permit][user]) revert PermitNotForUser(permit, user);
    }
}
