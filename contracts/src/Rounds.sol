// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Registry} from "./Registry.sol";
import {Requests} from "./Requests.sol";

/// @title What was run, what came of it, and the anchors of the sites' own journals.
/// @notice A round counts only with a receipt that each site signed itself, within what that site's steward granted.
contract Rounds {
    /// @notice How the receipts of a round hang together.
    enum Kind {
        Averaged, // all sites start from `inputs`; `aggregate` is computed from their outputs
        Sequential, // each site starts from what the one before it gave out; `aggregate` is the last output
        Evaluated // all sites look at `inputs`; no weights change
    }

    /// @notice A site's signed account of one execution; request, entry and round are those of the call.
    struct Receipt {
        bytes32 site;
        bytes32 inputs;
        bytes32 outputs;
        bytes32 numbersDigest;
        bytes signature;
    }

    /// @notice EIP-712 type of a site's receipt.
    bytes32 public constant RECEIPT = keccak256(
        "Receipt(bytes32 request,bytes32 site,bytes32 entry,uint32 round,bytes32 inputs,bytes32 outputs,bytes32 numbersDigest)"
    );
    /// @notice EIP-712 type of an anchor of a site's journal.
    bytes32 public constant ANCHOR = keccak256("Anchor(bytes32 stream,uint64 first,uint64 last,bytes32 root)");

    /// @notice A round is on record; its executions stand in Executed events of the same transaction.
    event RoundRecorded(
        bytes32 indexed request,
        bytes32 indexed entry,
        uint32 indexed round,
        Kind kind,
        address researcher,
        bytes32 inputs,
        bytes32 aggregate
    );
    /// @notice A site ran an entry and signed for it.
    event Executed(
        bytes32 indexed request,
        bytes32 indexed site,
        bytes32 indexed entry,
        uint32 round,
        bytes32 inputs,
        bytes32 outputs,
        bytes32 numbersDigest,
        address key
    );
    /// @notice A model that is the aggregate of a recorded round was released, or released again with another folder (a new
    /// card, say). What stands in the folder is enforced nowhere; auditors compare the digests.
    event Released(
        bytes32 indexed request, bytes32 indexed model, address indexed researcher, bytes32 folder, bytes32 metrics
    );
    /// @notice Rows `first` to `last` of a site's journal have this Merkle root.
    event Anchored(bytes32 indexed stream, address indexed key, uint64 first, uint64 last, bytes32 root);

    /// @notice The sender did not submit this request, or is no researcher any more.
    error NotRequester(bytes32 request, address account);
    /// @notice A training round does not follow the last recorded one, or an evaluation is not after it.
    error RoundOutOfOrder(uint32 last, uint32 round);
    /// @notice The site granted fewer rounds.
    error RoundsExceeded(bytes32 site, uint32 granted);
    /// @notice A round has no receipts.
    error Empty();
    /// @notice A site has two receipts in one round.
    error Duplicate(bytes32 site);
    /// @notice The receipt is not signed by a key of that site.
    error BadReceipt(bytes32 site, address signer);
    /// @notice A receipt does not start from the weights it should have.
    error InputsDiffer(bytes32 site, bytes32 expected, bytes32 inputs);
    /// @notice The aggregate is not what this kind of round must give.
    error AggregateDiffers(bytes32 expected, bytes32 aggregate);
    /// @notice No recorded round of this request gave this model.
    error ModelNotRecorded(bytes32 request, bytes32 model);
    /// @notice The rows do not follow the last anchored one.
    error AnchorGap(uint64 expectedFirst, uint64 first);
    /// @notice An anchor's last row lies before its first.
    error AnchorEmpty(uint64 first, uint64 last);
    /// @notice The anchor is not signed by a key of that site.
    error BadAnchor(bytes32 stream, address signer);

    /// @notice Who takes part.
    Registry public immutable registry;
    /// @notice What was asked and decided.
    Requests public immutable requests;
    /// @notice The last recorded round of an entry.
    mapping(bytes32 request => mapping(bytes32 entry => uint32)) public lastRound;
    /// @notice The last anchored row of a site's journal.
    mapping(bytes32 stream => uint64) public lastRow;
    /// @notice Whether a training round of the request gave this model.
    mapping(bytes32 request => mapping(bytes32 model => bool)) public isRecorded;

    /// @param registry_ Who takes part.
    /// @param requests_ What was asked and decided.
    constructor(Registry registry_, Requests requests_) {
        registry = registry_;
        requests = requests_;
    }

    modifier onlyRequester(bytes32 request) {
        if (requests.researcherOf(request) != msg.sender || !registry.hasRole(registry.RESEARCHER(), msg.sender)) {
            revert NotRequester(request, msg.sender);
        }
        _;
    }

    /// @notice Put a round on record. Training rounds follow each other without a gap; evaluations may skip numbers.
    /// @param inputs Digest of the weights the round started from.
    /// @param aggregate Digest of the weights it ended with (of an evaluation: `inputs`).
    /// @param receipts One for each site that took part, in the order of execution.
    function recordRound(
        bytes32 request,
        bytes32 entry,
        uint32 round,
        Kind kind,
        bytes32 inputs,
        bytes32 aggregate,
        Receipt[] calldata receipts
    ) external onlyRequester(request) {
        uint32 last = lastRound[request][entry];
        if (round <= last || (kind != Kind.Evaluated && round != last + 1)) revert RoundOutOfOrder(last, round);
        if (receipts.length == 0) revert Empty();
        lastRound[request][entry] = round;
        bytes32 expected = inputs;
        for (uint256 i = 0; i < receipts.length; ++i) {
            Receipt calldata receipt = receipts[i];
            for (uint256 j = 0; j < i; ++j) {
                if (receipts[j].site == receipt.site) revert Duplicate(receipt.site);
            }
            if (receipt.inputs != expected) revert InputsDiffer(receipt.site, expected, receipt.inputs);
            _executed(request, entry, round, receipt);
            if (kind == Kind.Sequential) expected = receipt.outputs;
        }
        if (kind != Kind.Averaged && aggregate != expected) revert AggregateDiffers(expected, aggregate);
        if (kind != Kind.Evaluated) isRecorded[request][aggregate] = true;
        emit RoundRecorded(request, entry, round, kind, msg.sender, inputs, aggregate);
    }

    /// @notice Release a model: only the aggregate of a recorded training round.
    /// @param model Digest of its weights.
    /// @param folder Digest of the released folder.
    /// @param metrics Digest of the metrics released with it.
    function release(bytes32 request, bytes32 model, bytes32 folder, bytes32 metrics) external onlyRequester(request) {
        if (!isRecorded[request][model]) revert ModelNotRecorded(request, model);
        emit Released(request, model, msg.sender, folder, metrics);
    }

    /// @notice Deliver a site's signed anchor of its journal; anybody may. Rows are anchored in order, without a gap.
    /// @param stream keccak256 of the site's name.
    /// @param first Sequence number of the batch's first row, from 1.
    /// @param last Sequence number of its last row.
    /// @param root Merkle root of the rows' hashes.
    function anchor(bytes32 stream, uint64 first, uint64 last, bytes32 root, bytes calldata signature) external {
        if (first != lastRow[stream] + 1) revert AnchorGap(lastRow[stream] + 1, first);
        if (last < first) revert AnchorEmpty(first, last);
        address key = registry.signer(keccak256(abi.encode(ANCHOR, stream, first, last, root)), signature);
        if (!registry.hasRole(registry.keyOf(stream), key)) revert BadAnchor(stream, key);
        lastRow[stream] = last;
        emit Anchored(stream, key, first, last, root);
    }

    /// @dev Checks one receipt: the site's signature, and that the round lies within what the site granted.
    function _executed(bytes32 request, bytes32 entry, uint32 round, Receipt calldata receipt) private {
        uint32 granted = requests.granted(request, receipt.site, entry);
        if (round > granted) revert RoundsExceeded(receipt.site, granted);
        bytes32 hash = keccak256(
            abi.encode(
                RECEIPT, request, receipt.site, entry, round, receipt.inputs, receipt.outputs, receipt.numbersDigest
            )
        );
        address key = registry.signer(hash, receipt.signature);
        if (!registry.hasRole(registry.keyOf(receipt.site), key)) revert BadReceipt(receipt.site, key);
        emit Executed(
            request, receipt.site, entry, round, receipt.inputs, receipt.outputs, receipt.numbersDigest, key
        );
    }
}
