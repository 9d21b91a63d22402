// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Levels} from "./Levels.sol";
import {Registry} from "./Registry.sol";
import {stewardRole} from "./Roles.sol";

/// @title What the other contracts of a deployment share: its Registry, and that they end with it.
abstract contract Part {
    /// @notice A digest, list or count is empty.
    error Empty();
    /// @notice The signature is not by whom the statement names.
    error BadSignature(address signer);
    /// @notice Who signed is no steward of this site, or no longer.
    error NotSteward(bytes32 site, address account);
    /// @notice An id is named twice.
    error Duplicate(bytes32 id);

    /// @notice Who takes part.
    Registry public immutable registry;

    /// @param registry_ Who takes part.
    constructor(Registry registry_) {
        registry = registry_;
    }

    /// @notice Refuses everything once another deployment has taken over.
    modifier whileOpen() {
        address next = registry.successor();
        if (next != address(0)) revert Levels.IsSuperseded(next);
        _;
    }

    /// @dev Reverts unless a steward of the site, the one whom the statement names, signed it.
    /// @param structHash EIP-712 hash of the statement.
    /// @param signature Of the statement.
    /// @param site Whose steward it should be.
    /// @param steward Whom the statement names.
    function _checkSteward(bytes32 structHash, bytes calldata signature, bytes32 site, address steward) internal view {
        (address by, bool may) = registry.signedBy(structHash, signature, stewardRole(site));
        if (by != steward) revert BadSignature(by);
        if (!may) revert NotSteward(site, by);
    }
}
