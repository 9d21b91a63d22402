// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Part} from "./Part.sol";
import {Requests} from "./Requests.sol";
import {keyRole} from "./Roles.sol";

/// @title Privacy budgets: what a site's data set may cost in all, and what each execution took of it.
/// @notice A steward sets the cap, the site signs what each execution cost, and nothing goes beyond the cap. Amounts are
/// millionths of epsilon (differential privacy, basic composition). Where a budget was set, an execution counts only once its
/// cost is on record (zero for one that costs nothing).
abstract contract Budgets is Part {
    /// @notice A steward's statement of a cap. Versions count 1, 2, …, so no relay can bring an older one back.
    struct Budget {
        bytes32 site;
        bytes32 dataset;
        uint64 cap;
        uint32 version;
        address steward;
    }

    /// @notice A site's statement of what one execution cost, and what had been spent before it.
    struct Spend {
        bytes32 request;
        bytes32 site;
        bytes32 entry;
        uint32 round;
        uint64 amount;
        uint64 before;
    }

    /// @notice Where a budget stands; version 0 where none was set.
    struct Account {
        uint64 cap;
        uint64 spent;
        uint32 version;
    }

    /// @notice EIP-712 type of a Budget.
    bytes32 public constant BUDGET =
        keccak256("Budget(bytes32 site,bytes32 dataset,uint64 cap,uint32 version,address steward)");
    /// @notice EIP-712 type of a Spend.
    bytes32 public constant SPEND =
        keccak256("Spend(bytes32 request,bytes32 site,bytes32 entry,uint32 round,uint64 amount,uint64 before)");

    /// @notice A steward set the cap of a data set.
    event BudgetSet(
        bytes32 indexed site, bytes32 indexed dataset, address indexed steward, uint64 cap, uint32 version
    );
    /// @notice An execution took `amount` of the budget; `total` is spent now.
    event BudgetSpent(
        bytes32 indexed request,
        bytes32 indexed site,
        address indexed key,
        bytes32 dataset,
        bytes32 entry,
        uint32 round,
        uint64 amount,
        uint64 total
    );

    /// @notice A budget is not the next version of it.
    error BudgetOutOfOrder(uint32 expected, uint32 version);
    /// @notice More would be spent than the cap allows.
    error BudgetExceeded(uint64 cap, uint64 spent, uint64 amount);
    /// @notice The spending does not follow what was spent before.
    error SpendOutOfOrder(uint64 expected, uint64 before);
    /// @notice This execution was paid for already.
    error AlreadySpent(bytes32 request, bytes32 site, bytes32 entry, uint32 round);
    /// @notice The spending is not signed by a key of that site.
    error BadSpend(bytes32 site, address signer);
    /// @notice The data set has a budget, and this execution's cost is not on record.
    error NotSpent(bytes32 site, bytes32 entry, uint32 round);

    /// @notice What was asked and decided.
    Requests public immutable requests;
    /// @notice Where the budget of a site's data set stands.
    mapping(bytes32 site => mapping(bytes32 dataset => Account)) public budgets;
    /// @notice Whether an execution's cost is on record, by the keccak256 of request, site, entry and round.
    mapping(bytes32 execution => bool) public isSpent;

    /// @param requests_ What was asked and decided.
    constructor(Requests requests_) {
        requests = requests_;
    }

    /// @notice Deliver a steward's signed cap; anybody may. A cap below what is spent closes the budget.
    /// @param budget The cap.
    /// @param signature By `budget.steward`, over the EIP-712 hash of the budget.
    function setBudgetBySig(Budget calldata budget, bytes calldata signature) external whileOpen {
        if (registry.commitmentOf(budget.site, budget.dataset) == 0) {
            revert Requests.DatasetUnknown(budget.site, budget.dataset);
        }
        _checkSteward(keccak256(abi.encode(BUDGET, budget)), signature, budget.site, budget.steward);
        Account storage account = budgets[budget.site][budget.dataset];
        if (budget.version != account.version + 1) revert BudgetOutOfOrder(account.version + 1, budget.version);
        account.cap = budget.cap;
        account.version = budget.version;
        emit BudgetSet(budget.site, budget.dataset, budget.steward, budget.cap, budget.version);
    }

    /// @notice Deliver a site's signed account of what an execution cost; anybody may.
    /// @param spend What was spent on which execution.
    /// @param signature By a key of the site, over the EIP-712 hash of the spending.
    function spendBySig(Spend calldata spend, bytes calldata signature) external whileOpen {
        (address key, bool may) =
            registry.signedBy(keccak256(abi.encode(SPEND, spend)), signature, keyRole(spend.site));
        if (!may) revert BadSpend(spend.site, key);
        requests.checkRound(spend.request, spend.site, spend.entry, spend.round);
        bytes32 dataset = requests.datasetOf(spend.request);
        bytes32 id = _execution(spend.request, spend.site, spend.entry, spend.round);
        if (isSpent[id]) revert AlreadySpent(spend.request, spend.site, spend.entry, spend.round);
        Account storage account = budgets[spend.site][dataset];
        if (spend.before != account.spent) revert SpendOutOfOrder(account.spent, spend.before);
        if (uint256(account.spent) + spend.amount > account.cap) {
            revert BudgetExceeded(account.cap, account.spent, spend.amount);
        }
        isSpent[id] = true;
        account.spent += spend.amount;
        emit BudgetSpent(
            spend.request, spend.site, key, dataset, spend.entry, spend.round, spend.amount, account.spent
        );
    }

    /// @dev Reverts if the request's data set has a budget at the site and the execution's cost is not on record.
    /// @param request Which.
    /// @param site Where it ran.
    /// @param entry What ran.
    /// @param round Which time.
    /// @param dataset The data set of the request.
    function _checkSpent(bytes32 request, bytes32 site, bytes32 entry, uint32 round, bytes32 dataset) internal view {
        if (budgets[site][dataset].version == 0) return;
        if (!isSpent[_execution(request, site, entry, round)]) revert NotSpent(site, entry, round);
    }

    /// @dev What stands for one execution.
    /// @param request Which.
    /// @param site Where it ran.
    /// @param entry What ran.
    /// @param round Which time.
    /// @return Its id.
    function _execution(bytes32 request, bytes32 site, bytes32 entry, uint32 round) private pure returns (bytes32) {
        return keccak256(abi.encode(request, site, entry, round));
    }
}
