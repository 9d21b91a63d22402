// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Registry} from "./Registry.sol";

/// @title What researchers ask for and what stewards decide.
/// @notice A request is one digest; each site it names decides for itself, by a statement that its steward signed and that
/// anybody may relay. A denial is final and an approval can only be withdrawn, so the order in which a relay
/// delivers two statements can never open what a steward has closed.
contract Requests {
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

    /// @notice Where a request stands at one site.
    enum Status {
        NotAsked,
        Pending,
        Approved,
        Denied
    }

    /// @notice A submitted request.
    struct Request {
        address researcher;
        uint64 permitExpires;
    }

    /// @notice Where a request stands at a site, and what was granted.
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
        bytes32 codeDigest,
        bytes32 environmentDigest,
        bytes32 permitDigest,
        uint64 permitExpires,
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
    /// @notice A digest, list or count is empty.
    error Empty();
    /// @notice This request was submitted before.
    error AlreadySubmitted(bytes32 request);
    /// @notice No such request.
    error RequestUnknown(bytes32 request);
    /// @notice A site or an entry is named twice.
    error Duplicate(bytes32 id);
    /// @notice No site of that name is registered.
    error SiteUnknown(bytes32 site);
    /// @notice The data permit has run out.
    error PermitExpired(uint64 expires);
    /// @notice The request does not go to that site.
    error NotAsked(bytes32 request, bytes32 site);
    /// @notice The signature is not by the steward named in the decision.
    error BadSignature(address signer);
    /// @notice Who signed is no steward of this site, or no longer.
    error NotSteward(bytes32 site, address account);
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

    /// @notice Who takes part.
    Registry public immutable registry;
    /// @notice Who submitted a request, and until when its permit counts.
    mapping(bytes32 request => Request) public requests;
    /// @notice What a site decided.
    mapping(bytes32 request => mapping(bytes32 site => Standing)) public standing;
    /// @notice How often an entry may run at each site, as asked for.
    mapping(bytes32 request => mapping(bytes32 entry => uint32)) public executions;

    /// @param registry_ Who takes part.
    constructor(Registry registry_) {
        registry = registry_;
    }

    /// @notice Submit a request to sites, under a data permit.
    /// @param request Digest of the whole request.
    /// @param codeDigest Digest of its source.
    /// @param environmentDigest Digest of the environment it is to meet.
    /// @param permitDigest Digest of the data permit.
    /// @param permitExpires Last second of the permit, Unix time.
    /// @param entries What may be called, and how often.
    /// @param sites Who is asked.
    function submit(
        bytes32 request,
        bytes32 codeDigest,
        bytes32 environmentDigest,
        bytes32 permitDigest,
        uint64 permitExpires,
        Entry[] calldata entries,
        bytes32[] calldata sites
    ) external {
        if (!registry.hasRole(registry.RESEARCHER(), msg.sender)) revert NotResearcher(msg.sender);
        if (request == 0 || codeDigest == 0 || entries.length == 0 || sites.length == 0) revert Empty();
        if (requests[request].researcher != address(0)) revert AlreadySubmitted(request);
        if (permitExpires < block.timestamp) revert PermitExpired(permitExpires);
        requests[request] = Request(msg.sender, permitExpires);
        for (uint256 i = 0; i < entries.length; ++i) {
            if (entries[i].executions == 0) revert Empty();
            if (executions[request][entries[i].id] != 0) revert Duplicate(entries[i].id);
            executions[request][entries[i].id] = entries[i].executions;
        }
        for (uint256 i = 0; i < sites.length; ++i) {
            if (!registry.isSite(sites[i])) revert SiteUnknown(sites[i]);
            if (standing[request][sites[i]].status != Status.NotAsked) revert Duplicate(sites[i]);
            standing[request][sites[i]].status = Status.Pending;
        }
        emit RequestSubmitted(
            request, msg.sender, codeDigest, environmentDigest, permitDigest, permitExpires, entries, sites
        );
    }

    /// @notice Deliver a steward's signed decision; anybody may.
    /// @param decision What was decided.
    /// @param signature By `decision.steward`, over the EIP-712 hash of the decision.
    function decideBySig(Decision calldata decision, bytes calldata signature) external {
        Request storage request = requests[decision.request];
        Standing storage now_ = standing[decision.request][decision.site];
        if (request.researcher == address(0)) revert RequestUnknown(decision.request);
        if (now_.status == Status.NotAsked) revert NotAsked(decision.request, decision.site);
        address by = registry.signer(keccak256(abi.encode(DECISION, decision)), signature);
        if (by != decision.steward) revert BadSignature(by);
        if (!registry.hasRole(registry.stewardOf(decision.site), by)) revert NotSteward(decision.site, by);
        if (by == request.researcher) revert OwnRequest(by);
        if (decision.approved) {
            if (now_.status != Status.Pending) revert AlreadyDecided(decision.request, decision.site);
            if (decision.expires < block.timestamp) revert DecisionExpired(decision.expires);
            if (decision.rounds == 0) revert Empty();
            standing[decision.request][decision.site] = Standing(Status.Approved, decision.rounds, decision.expires);
        } else {
            if (now_.status == Status.Denied) revert AlreadyDecided(decision.request, decision.site);
            standing[decision.request][decision.site] = Standing(Status.Denied, 0, 0);
        }
        emit Decided(
            decision.request,
            decision.site,
            by,
            decision.approved,
            decision.rounds,
            decision.expires,
            decision.reasonDigest
        );
    }

    /// @notice How often an entry may run at a site in all; reverts unless approval and permit count now.
    function granted(bytes32 request, bytes32 site, bytes32 entry) external view returns (uint32) {
        Standing storage now_ = standing[request][site];
        uint32 asked = executions[request][entry];
        if (asked == 0) revert EntryUnknown(request, entry);
        if (requests[request].permitExpires < block.timestamp) revert PermitExpired(requests[request].permitExpires);
        if (now_.status != Status.Approved || now_.expires < block.timestamp) revert NotApproved(request, site);
        return now_.rounds < asked ? now_.rounds : asked;
    }

    /// @notice Who submitted a request; zero if nobody did.
    function researcherOf(bytes32 request) external view returns (address) {
        return requests[request].researcher;
    }
}
