// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

/// @title Who takes part: sites, stewards, researchers, and the data sets that sites vouch for.
/// @notice Every authority is an AccessControl role, so each grant and each revocation is one of two events. All statements
/// of a deployment are signed for the EIP-712 domain of this contract: ("fedkit", "1", chain id, this address).
/// @dev Names stand as keccak256 of their UTF-8 bytes. No free text and no personal data is stored or emitted.
contract Registry is AccessControl, EIP712 {
    /// @notice May submit requests and record rounds.
    bytes32 public constant RESEARCHER = keccak256("fedkit.researcher");

    /// @notice A site with its first signing key and steward was registered.
    event SiteRegistered(bytes32 indexed site, address indexed key, address indexed steward);
    /// @notice A site's data set now stands at this digest; enforced nowhere, compared by auditors.
    event DatasetCommitted(bytes32 indexed site, bytes32 indexed dataset, bytes32 commitment);

    /// @notice The name is taken.
    error SiteExists(bytes32 site);
    /// @notice No site of that name is registered.
    error SiteUnknown(bytes32 site);
    /// @notice An address or a name is empty.
    error Empty();
    /// @notice One address would hold the site's key and be its steward.
    error KeyIsSteward(address account);

    /// @notice Whether a site of that name is registered.
    mapping(bytes32 site => bool) public isSite;

    /// @param admin The address that registers sites and people.
    constructor(address admin) EIP712("fedkit", "1") {
        if (admin == address(0)) revert Empty();
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
    }

    /// @notice The role of those who decide for a site.
    function stewardOf(bytes32 site) public pure returns (bytes32) {
        return keccak256(abi.encode("fedkit.steward", site));
    }

    /// @notice The role of the keys with which a site signs receipts and anchors.
    function keyOf(bytes32 site) public pure returns (bytes32) {
        return keccak256(abi.encode("fedkit.site", site));
    }

    /// @notice Register a site with its signing key and its first steward. More of either come and go by grantRole, revokeRole.
    /// @param site keccak256 of the site's name.
    /// @param key Signs the site's receipts and anchors.
    /// @param steward Signs the site's decisions.
    function registerSite(bytes32 site, address key, address steward) external onlyRole(DEFAULT_ADMIN_ROLE) {
        if (site == 0 || key == address(0) || steward == address(0)) revert Empty();
        if (isSite[site]) revert SiteExists(site);
        if (key == steward) revert KeyIsSteward(key);
        isSite[site] = true;
        _grantRole(keyOf(site), key);
        _grantRole(stewardOf(site), steward);
        emit SiteRegistered(site, key, steward);
    }

    /// @notice Put a data set of a site on record.
    /// @param dataset keccak256 of its name.
    /// @param commitment Digest of its content, salted by the site.
    function commitDataset(bytes32 site, bytes32 dataset, bytes32 commitment) external onlyRole(DEFAULT_ADMIN_ROLE) {
        if (!isSite[site]) revert SiteUnknown(site);
        if (dataset == 0 || commitment == 0) revert Empty();
        emit DatasetCommitted(site, dataset, commitment);
    }

    /// @notice Who signed a statement with this EIP-712 struct hash for this deployment.
    function signer(bytes32 structHash, bytes calldata signature) external view returns (address) {
        return ECDSA.recover(_hashTypedDataV4(structHash), signature);
    }
}
