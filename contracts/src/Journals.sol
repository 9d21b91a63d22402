// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Part} from "./Part.sol";
import {RESEARCHER_ROLE, keyRole} from "./Roles.sol";

/// @title The anchors of local journals: Merkle roots of their rows, batch after batch without a gap.
/// @notice A site signs its anchors and anybody may relay them; a researcher sends those of a study's journal.
abstract contract Journals is Part {
    /// @notice EIP-712 type of an anchor of a site's journal.
    bytes32 public constant ANCHOR = keccak256("Anchor(bytes32 stream,uint64 first,uint64 last,bytes32 root)");

    /// @notice Rows `first` to `last` of a site's journal have this Merkle root.
    event Anchored(bytes32 indexed stream, address indexed key, uint64 first, uint64 last, bytes32 root);
    /// @notice Rows `first` to `last` of the journal of a researcher's study have this Merkle root.
    event StudyAnchored(
        bytes32 indexed study, address indexed researcher, uint64 first, uint64 last, bytes32 root
    );

    /// @notice The rows do not follow the last anchored one.
    error AnchorGap(uint64 expectedFirst, uint64 first);
    /// @notice An anchor's last row lies before its first, or it has no root.
    error AnchorEmpty(uint64 first, uint64 last);
    /// @notice The anchor is not signed by a key of that site, or not sent by a researcher.
    error BadAnchor(bytes32 stream, address signer);

    /// @notice The last anchored row of a site's journal.
    mapping(bytes32 stream => uint64) public lastRow;
    /// @notice The last anchored row of the journal of a researcher's study.
    mapping(address researcher => mapping(bytes32 study => uint64)) public lastStudyRow;

    /// @notice Deliver a site's signed anchor of its journal; anybody may. Rows are anchored in order, without a gap.
    /// @param stream keccak256 of the site's name.
    /// @param first Sequence number of the batch's first row, from 1.
    /// @param last Sequence number of its last row.
    /// @param root Merkle root of the rows' hashes.
    /// @param signature By a key of the site, over the EIP-712 hash of the anchor.
    function anchor(bytes32 stream, uint64 first, uint64 last, bytes32 root, bytes calldata signature)
        external
        whileOpen
    {
        _checkRows(lastRow[stream], first, last, root);
        bytes32 hash = keccak256(abi.encode(ANCHOR, stream, first, last, root));
        (address key, bool may) = registry.signedBy(hash, signature, keyRole(stream));
        if (!may) revert BadAnchor(stream, key);
        lastRow[stream] = last;
        emit Anchored(stream, key, first, last, root);
    }

    /// @notice Anchor the journal of a study of the sender's own.
    /// @param study Id of the study.
    /// @param first Sequence number of the batch's first row, from 1.
    /// @param last Sequence number of its last row.
    /// @param root Merkle root of the rows' hashes.
    function anchorStudy(bytes32 study, uint64 first, uint64 last, bytes32 root) external whileOpen {
        if (!registry.hasRole(RESEARCHER_ROLE, msg.sender)) revert BadAnchor(study, msg.sender);
        _checkRows(lastStudyRow[msg.sender][study], first, last, root);
        lastStudyRow[msg.sender][study] = last;
        emit StudyAnchored(study, msg.sender, first, last, root);
    }

    /// @dev Reverts unless a batch of rows follows the one before it.
    /// @param before The last anchored row.
    /// @param first The batch's first row.
    /// @param last Its last row.
    /// @param root Its Merkle root.
    function _checkRows(uint64 before, uint64 first, uint64 last, bytes32 root) private pure {
        if (first != before + 1) revert AnchorGap(before + 1, first);
        if (last < first || root == 0) revert AnchorEmpty(first, last);
    }
}
