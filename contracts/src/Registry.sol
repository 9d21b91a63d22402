// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Levels} from "./Levels.sol";
import {Permits} from "./Permits.sol";
import {keyRole, stewardRole} from "./Roles.sol";

/// @title Who takes part: sites, accounts and their levels, data sets that sites vouch for, data permits.
/// @notice All statements of a deployment are signed for the EIP-712 domain of this contract: ("fedkit", "1", chain id, this
/// address).
/// @dev Names stand as keccak256 of their UTF-8 bytes. No free text and no personal data is stored or emitted.
contract Registry is Permits, EIP712 {
    /// @notice A site with its first signing key and steward was registered.
    event SiteRegistered(bytes32 indexed site, address indexed key, address indexed steward);
    /// @notice A site's data set now stands at this digest.
    event DatasetCommitted(bytes32 indexed site, bytes32 indexed dataset, bytes32 commitment);

    /// @notice The name is taken.
    error SiteExists(bytes32 site);
    /// @notice No site of that name is registered.
    error SiteUnknown(bytes32 site);

    /// @notice Whether a site of that name is registered.
    mapping(bytes32 site => bool) public isSite;
    /// @notice The digest at which a site's data set stands; zero if the site has none of that name.
    mapping(bytes32 site => mapping(bytes32 dataset => bytes32)) public commitmentOf;

    /// @param admin The address that registers sites and accounts.
    /// @param predecessor_ The Registry that this one takes over from, or zero.
    constructor(address admin, address predecessor_) EIP712("fedkit", "1") Levels(admin, predecessor_) {}

    /// @notice The role of those who decide for a site.
    /// @param site keccak256 of its name.
    /// @return The role.
    function stewardOf(bytes32 site) public pure returns (bytes32) {
        return stewardRole(site);
    }

    /// @notice The role of the keys with which a site signs receipts, anchors and spending.
    /// @param site keccak256 of its name.
    /// @return The role.
    function keyOf(bytes32 site) public pure returns (bytes32) {
        return keyRole(site);
    }

    /// @notice Register a site with its signing key and its first steward. More of either come and go by grantRole, revokeRole.
    /// @param site keccak256 of the site's name.
    /// @param key Signs the site's receipts, anchors and spending.
    /// @param steward Signs the site's decisions and budgets.
    function registerSite(bytes32 site, address key, address steward) external onlyRole(DEFAULT_ADMIN_ROLE) {
        if (site == 0) revert Empty();
        if (isSite[site]) revert SiteExists(site);
        isSite[site] = true;
        levelOfRole[keyRole(site)] = Level.Site;
        levelOfRole[stewardRole(site)] = Level.Steward;
        _grantRole(keyRole(site), key);
        _grantRole(stewardRole(site), steward);
        emit SiteRegistered(site, key, steward);
    }

    /// @notice Put a data set of a site on record, or its new content.
    /// @param site keccak256 of the site's name.
    /// @param dataset keccak256 of its name.
    /// @param commitment Digest of its content, salted by the site.
    function commitDataset(bytes32 site, bytes32 dataset, bytes32 commitment)
        external
        whileOpen
        onlyRole(DEFAULT_ADMIN_ROLE)
    {
        if (!isSite[site]) revert SiteUnknown(site);
        if (dataset == 0 || commitment == 0) revert Empty();
        commitmentOf[site][dataset] = commitment;
        emit DatasetCommitted(site, dataset, commitment);
    }

    /// @notice Who signed a statement for this deployment, and whether by right; reverts if the signature is none.
    /// @param structHash EIP-712 hash of the statement.
    /// @param signature 65 bytes: r, low s, v.
    /// @param role Which role is needed to sign it.
    /// @return account The signer.
    /// @return may Whether the signer has the role now.
    function signedBy(bytes32 structHash, bytes calldata signature, bytes32 role)
        external
        view
        returns (address account, bool may)
    {
        account = ECDSA.recover(_hashTypedDataV4(structHash), signature);
        may = hasRole(role, account);
    }
}
