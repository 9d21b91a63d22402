// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Part} from "./Part.sol";
import {Registry} from "./Registry.sol";
import {RESEARCHER_ROLE} from "./Roles.sol";

/// @title What researchers ask for, what stewards decide, and how far a request has come: submitted, decided, executed, released.
/// @notice A request is one digest, under one data permit; each site it names decides for itself, by a statement that its steward
/// signed and that anybody may relay. A denial is final and an approval can only be withdrawn, so the order in which a relay
/// delivers two statements can never open what a steward has closed. Role and permit are checked again at every step.
contract Requests is Part {
    /// @notice One function of the requested code, and how often it may run at each site.
    struct Entry {
        bytes32 id;
        uint32 executions;
    }

    /// @notice A steward's decision; `rounds` and `expires` count only if it approves.
    struct Decision {
        bytes32 request;
        bytes32 site;
        bool approved;
        uint32 rounds;
        uint64 expires;
        bytes32 reasonDigest;
        address steward;
    }

    /// @notice How far a request has come at one site. Denied is the end, also after an approval or an execution.
    enum Status {
        NotAsked,
        Submitted,
        Approved,
        Denied,
        Executed,
        Released
    }

    /// @notice A submitted request.
    struct Request {
        address researcher;
        bool released;
        bytes32 permit;
        bytes32 dataset;
    }

    /// @notice Where a request stands at a site, and what was granted; of a release see `statusOf`.
    struct Standing {
        Status status;
        uint32 rounds;
        uint64 expires;
    }

    /// @notice EIP-712 type of a Decision.
    bytes32 public constant DECISION = keccak256(
        "Decision(bytes32 request,bytes32 site,bool approved,uint32 rounds,uint64 expires,bytes32 reasonDigest,address steward)"
    );

    /// @notice A request went to these sites.
    event RequestSubmitted(
        bytes32 indexed request,
        address indexed researcher,
        bytes32 indexed permit,
        bytes32 dataset,
        bytes32 codeDigest,
        bytes32 environmentDigest,
        Entry[] entries,
        bytes32[] sites
    );
    /// @notice A steward decided. A second one for the same site, a denial, withdraws the approval.
    event Decided(
        bytes32 indexed request,
        bytes32 indexed site,
        address indexed steward,
        bool approved,
        uint32 rounds,
        uint64 expires,
        bytes32 reasonDigest
    );

    /// @notice The sender is no researcher, or no longer.
    error NotResearcher(address account);
    /// @notice This request was submitted before.
    error AlreadySubmitted(bytes32 request);
    /// @notice No such request.
    error RequestUnknown(bytes32 request);
    /// @notice The site has no data set of that name, or there is no such site.
    error DatasetUnknown(bytes32 site, bytes32 dataset);
    /// @notice The request does not go to that site.
    error NotAsked(bytes32 request, bytes32 site);
    /// @notice Researchers cannot approve their own request.
    error OwnRequest(address account);
    /// @notice The decision had run out when it arrived.
    error DecisionExpired(uint64 expires);
    /// @notice The site has decided; only an approval can still be withdrawn.
    error AlreadyDecided(bytes32 request, bytes32 site);
    /// @notice No approval of this site counts now.
    error NotApproved(bytes32 request, bytes32 site);
    /// @notice The request names no such entry.
    error EntryUnknown(bytes32 request, bytes32 entry);
    /// @notice The site granted fewer rounds.
    error RoundsExceeded(bytes32 site, uint32 granted);
    /// @notice The account did not submit this request, or is no researcher any more.
    error NotRequester(bytes32 request, address account);
    /// @notice Only the Rounds of this deployment tell of executions and releases.
    error NotRounds(address account);

    /// @notice The contract that records executions and releases.
    address public immutable rounds;
    /// @notice Who submitted a request, and under which permit.
    mapping(bytes32 request => Request) public requests;
    /// @notice What a site decided.
    mapping(bytes32 request => mapping(bytes32 site => Standing)) public standing;
    /// @notice How often an entry may run at each site, as asked for.
    mapping(bytes32 request => mapping(bytes32 entry => uint32)) public executions;

    /// @param registry_ Who takes part.
    /// @param rounds_ Where the Rounds of this deployment will be.
    constructor(Registry registry_, address rounds_) Part(registry_) {
        rounds = rounds_;
    }

    /// @notice Refuses everybody but the Rounds of this deployment.
    modifier onlyRounds() {
        if (msg.sender != rounds) revert NotRounds(msg.sender);
        _;
    }

    /// @notice Submit a request to sites, under a data permit that names the sender and covers the data set.
    /// @param request Digest of the whole request.
    /// @param permit Digest of the data permit.
    /// @param dataset keccak256 of the name of the data set; each site must have committed to one.
    /// @param codeDigest Digest of the request's source.
    /// @param environmentDigest Digest of the environment it is to meet.
    /// @param entries What may be called, and how often.
    /// @param sites Who is asked.
    function submit(
        bytes32 request,
        bytes32 permit,
        bytes32 dataset,
        bytes32 codeDigest,
        bytes32 environmentDigest,
        Entry[] calldata entries,
        bytes32[] calldata sites
    ) external whileOpen {
        if (!registry.hasRole(RESEARCHER_ROLE, msg.sender)) revert NotResearcher(msg.sender);
        if (request == 0 || codeDigest == 0 || entries.length == 0 || sites.length == 0) revert Empty();
        if (requests[request].researcher != address(0)) revert AlreadySubmitted(request);
        registry.checkPermit(permit, dataset, msg.sender);
        requests[request] = Request(msg.sender, false, permit, dataset);
        for (uint256 i = 0; i < entries.length; ++i) {
            if (entries[i].executions == 0) revert Empty();
            if (executions[request][entries[i].id] != 0) revert Duplicate(entries[i].id);
            executions[request][entries[i].id] = entries[i].executions;
        }
        for (uint256 i = 0; i < sites.length; ++i) {
            if (registry.commitmentOf(sites[i], dataset) == 0) revert DatasetUnknown(sites[i], dataset);
            if (standing[request][sites[i]].status != Status.NotAsked) revert Duplicate(sites[i]);
            standing[request][sites[i]].status = Status.Submitted;
        }
        emit RequestSubmitted(request, msg.sender, permit, dataset, codeDigest, environmentDigest, entries, sites);
    }

    /// @notice Deliver a steward's signed decision; anybody may. To approve, the permit must count.
    /// @param decision What was decided.
    /// @param signature By `decision.steward`, over the EIP-712 hash of the decision.
    function decideBySig(Decision calldata decision, bytes calldata signature) external whileOpen {
        Request storage request = requests[decision.request];
        Standing storage now_ = standing[decision.request][decision.site];
        if (request.researcher == address(0)) revert RequestUnknown(decision.request);
        if (now_.status == Status.NotAsked) revert NotAsked(decision.request, decision.site);
        _checkSteward(keccak256(abi.encode(DECISION, decision)), signature, decision.site, decision.steward);
        if (decision.steward == request.researcher) revert OwnRequest(decision.steward);
        if (decision.approved) {
            if (now_.status != Status.Submitted) revert AlreadyDecided(decision.request, decision.site);
            if (decision.expires < block.timestamp) revert DecisionExpired(decision.expires);
            if (decision.rounds == 0) revert Empty();
            registry.checkPermit(request.permit, request.dataset, request.researcher);
            standing[decision.request][decision.site] = Standing(Status.Approved, decision.rounds, decision.expires);
        } else {
            if (now_.status == Status.Denied) revert AlreadyDecided(decision.request, decision.site);
            standing[decision.request][decision.site] = Standing(Status.Denied, 0, 0);
        }
        emit Decided(
            decision.request,
            decision.site,
            decision.steward,
            decision.approved,
            decision.rounds,
            decision.expires,
            decision.reasonDigest
        );
    }

    /// @notice Take note that an entry ran at a site; reverts unless it was granted.
    /// @param request Which.
    /// @param site Where.
    /// @param entry What ran.
    /// @param round For the how-manieth time.
    function markExecuted(bytes32 request, bytes32 site, bytes32 entry, uint32 round) external onlyRounds {
        checkRound(request, site, entry, round);
        if (standing[request][site].status == Status.Approved) standing[request][site].status = Status.Executed;
    }

    /// @notice Take note that a result of a request was released.
    /// @param request Which.
    function markReleased(bytes32 request) external onlyRounds {
        if (!requests[request].released) requests[request].released = true;
    }

    /// @notice Reverts unless this account submitted the request, is a researcher still, and the permit counts now.
    /// @param request Which.
    /// @param account Who acts on it.
    function checkRequester(bytes32 request, address account) external view {
        Request storage asked = requests[request];
        if (asked.researcher != account || !registry.hasRole(RESEARCHER_ROLE, account)) {
            revert NotRequester(request, account);
        }
        registry.checkPermit(asked.permit, asked.dataset, account);
    }

    /// @notice Reverts unless this round of an entry was granted by the site, and approval and permit count now.
    /// @param request Which.
    /// @param site Where.
    /// @param entry What is to run.
    /// @param round For the how-manieth time.
    function checkRound(bytes32 request, bytes32 site, bytes32 entry, uint32 round) public view {
        uint32 most = granted(request, site, entry);
        if (round > most) revert RoundsExceeded(site, most);
    }

    /// @notice How often an entry may run at a site in all; reverts unless approval and permit count now.
    /// @param request Which.
    /// @param site Where.
    /// @param entry What is to run.
    /// @return The lower of what was asked for and what was granted.
    function granted(bytes32 request, bytes32 site, bytes32 entry) public view returns (uint32) {
        Request storage asked = requests[request];
        Standing storage now_ = standing[request][site];
        uint32 most = executions[request][entry];
        if (most == 0) revert EntryUnknown(request, entry);
        registry.checkPermit(asked.permit, asked.dataset, asked.researcher);
        bool approved = now_.status == Status.Approved || now_.status == Status.Executed;
        if (!approved || now_.expires < block.timestamp) revert NotApproved(request, site);
        return now_.rounds < most ? now_.rounds : most;
    }

    /// @notice How far a request has come at a site.
    /// @param request Which.
    /// @param site Where.
    /// @return Released where it was executed and something was released since.
    function statusOf(bytes32 request, bytes32 site) external view returns (Status) {
        Status status = standing[request][site].status;
        return status == Status.Executed && requests[request].released ? Status.Released : status;
    }

    /// @notice Who submitted a request.
    /// @param request Which.
    /// @return Zero if nobody did.
    function researcherOf(bytes32 request) external view returns (address) {
        return requests[request].researcher;
    }

    /// @notice The data set that a request is about.
    /// @param request Which.
    /// @return keccak256 of its name; zero if there is no such request.
    function datasetOf(bytes32 request) external view returns (bytes32) {
        return requests[request].dataset;
    }
}
