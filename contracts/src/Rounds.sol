// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Budgets} from "./Budgets.sol";
import {Journals} from "./Journals.sol";
import {Part} from "./Part.sol";
import {Registry} from "./Registry.sol";
import {Requests} from "./Requests.sol";
import {keyRole} from "./Roles.sol";

/// @title What was run and what came of it; with the privacy budgets and the anchors of journals.
/// @notice A round counts only with a receipt that each site signed itself, within what that site's steward granted.
contract Rounds is Budgets, Journals {
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

    /// @notice A training round does not follow the last recorded one, or an evaluation is not after it.
    error RoundOutOfOrder(uint32 last, uint32 round);
    /// @notice The receipt is not signed by a key of that site.
    error BadReceipt(bytes32 site, address signer);
    /// @notice A receipt does not start from the weights it should have.
    error InputsDiffer(bytes32 site, bytes32 expected, bytes32 inputs);
    /// @notice The aggregate is not what this kind of round must give.
    error AggregateDiffers(bytes32 expected, bytes32 aggregate);
    /// @notice No recorded round of this request gave this model.
    error ModelNotRecorded(bytes32 request, bytes32 model);

    /// @notice The last recorded round of an entry.
    mapping(bytes32 request => mapping(bytes32 entry => uint32)) public lastRound;
    /// @notice Whether a training round of the request gave this model.
    mapping(bytes32 request => mapping(bytes32 model => bool)) public isRecorded;

    /// @param registry_ Who takes part.
    /// @param requests_ What was asked and decided.
    constructor(Registry registry_, Requests requests_) Part(registry_) Budgets(requests_) {}

    /// @notice Put a round on record. Training rounds follow each other without a gap; evaluations may skip numbers.
    /// @param request Which.
    /// @param entry What ran.
    /// @param round Its number, from 1.
    /// @param kind How the receipts hang together.
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
    ) external whileOpen {
        requests.checkRequester(request, msg.sender);
        uint32 last = lastRound[request][entry];
        if (round <= last || (kind != Kind.Evaluated && round != last + 1)) revert RoundOutOfOrder(last, round);
        if (receipts.length == 0) revert Empty();
        lastRound[request][entry] = round;
        bytes32 expected = inputs;
        bytes32 dataset = requests.datasetOf(request);
        for (uint256 i = 0; i < receipts.length; ++i) {
            Receipt calldata receipt = receipts[i];
            for (uint256 j = 0; j < i; ++j) {
                if (receipts[j].site == receipt.site) revert Duplicate(receipt.site);
            }
            if (receipt.inputs != expected) revert InputsDiffer(receipt.site, expected, receipt.inputs);
            _executed(request, entry, round, dataset, receipt);
            if (kind == Kind.Sequential) expected = receipt.outputs;
        }
        if (kind != Kind.Averaged && aggregate != expected) revert AggregateDiffers(expected, aggregate);
        if (kind != Kind.Evaluated) isRecorded[request][aggregate] = true;
        emit RoundRecorded(request, entry, round, kind, msg.sender, inputs, aggregate);
    }

    /// @notice Release a model: only the aggregate of a recorded training round.
    /// @param request Which.
    /// @param model Digest of its weights.
    /// @param folder Digest of the released folder.
    /// @param metrics Digest of the metrics released with it.
    function release(bytes32 request, bytes32 model, bytes32 folder, bytes32 metrics) external whileOpen {
        requests.checkRequester(request, msg.sender);
        if (!isRecorded[request][model]) revert ModelNotRecorded(request, model);
        requests.markReleased(request);
        emit Released(request, model, msg.sender, folder, metrics);
    }

    /// @dev Checks one receipt: that it was granted, paid for if the site asks a price, and signed by the site.
    /// @param request Which.
    /// @param entry What ran.
    /// @param round Which time.
    /// @param dataset The data set of the request.
    /// @param receipt The site's account of it.
    function _executed(bytes32 request, bytes32 entry, uint32 round, bytes32 dataset, Receipt calldata receipt)
        private
    {
        requests.markExecuted(request, receipt.site, entry, round);
        _checkSpent(request, receipt.site, entry, round, dataset);
        bytes32 hash = keccak256(
            abi.encode(
                RECEIPT, request, receipt.site, entry, round, receipt.inputs, receipt.outputs, receipt.numbersDigest
            )
        );
        (address key, bool may) = registry.signedBy(hash, receipt.signature, keyRole(receipt.site));
        if (!may) revert BadReceipt(receipt.site, key);
        emit Executed(
            request, receipt.site, entry, round, receipt.inputs, receipt.outputs, receipt.numbersDigest, key
        );
    }
}
