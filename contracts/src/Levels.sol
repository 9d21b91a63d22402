// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {AUDITOR_ROLE, AUTHORITY_ROLE, RESEARCHER_ROLE} from "./Roles.sol";

/// @title Who may do what: roles, one level for each account, and the end of a deployment.
/// @notice Every authority is an AccessControl role, so each grant and each revocation is one of two events. A role belongs to a
/// level, and an account is of one level at a time: who asks does not decide, who decides does not run, who audits does neither.
abstract contract Levels is AccessControl {
    /// @notice The levels; a guest is anybody without a role. An account changes its level only by losing all roles first.
    enum Level {
        Guest, // sees the catalogue
        Researcher, // asks, records rounds, releases
        Auditor, // reads
        Steward, // decides for a site
        Admin, // registers sites and accounts
        Site, // signs what ran there, and its journal
        Authority // issues data permits
    }

    /// @notice What an account holds; roles are counted.
    struct Holder {
        Level level;
        uint32 roles;
    }

    /// @notice May submit requests, record rounds and release.
    bytes32 public constant RESEARCHER = RESEARCHER_ROLE;
    /// @notice Enforces nothing here: that an account reads journals by right.
    bytes32 public constant AUDITOR = AUDITOR_ROLE;
    /// @notice May issue and revoke data permits.
    bytes32 public constant AUTHORITY = AUTHORITY_ROLE;

    /// @notice An account is of this level from now on.
    event LevelChanged(address indexed account, Level level);
    /// @notice Nothing that this deployment is told after block `lastBlock` counts; `next` goes on.
    event Superseded(address indexed old, uint64 lastBlock, address indexed next);

    /// @notice An address, a name, a digest or a list is empty.
    error Empty();
    /// @notice There is no such role: none of the three above, and of no registered site.
    error RoleUnknown(bytes32 role);
    /// @notice The account holds roles of another level.
    error DutiesCollide(address account, Level held);
    /// @notice Another deployment has taken over.
    error IsSuperseded(address next);
    /// @notice The contract does not name this one as its predecessor.
    error NotSuccessor(address next);

    /// @notice The level that a role belongs to; Guest if there is no such role.
    mapping(bytes32 role => Level) public levelOfRole;
    /// @notice What an account holds.
    mapping(address account => Holder) public holders;
    /// @notice The Registry before this one; zero for the first.
    address public immutable predecessor;
    /// @notice The Registry after this one; zero while this one counts.
    address public successor;

    /// @param admin The first admin.
    /// @param predecessor_ The Registry that this one takes over from, or zero.
    constructor(address admin, address predecessor_) {
        if (admin == address(0)) revert Empty();
        predecessor = predecessor_;
        levelOfRole[DEFAULT_ADMIN_ROLE] = Level.Admin;
        levelOfRole[RESEARCHER] = Level.Researcher;
        levelOfRole[AUDITOR] = Level.Auditor;
        levelOfRole[AUTHORITY] = Level.Authority;
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
    }

    /// @notice Refuses everything once another deployment has taken over.
    modifier whileOpen() {
        if (successor != address(0)) revert IsSuperseded(successor);
        _;
    }

    /// @notice Hand over to another deployment, for good: this one takes nothing more.
    /// @param next The new Registry; it must name this one as its predecessor.
    function supersede(address next) external whileOpen onlyRole(DEFAULT_ADMIN_ROLE) {
        if (next.code.length == 0) revert NotSuccessor(next);
        try Levels(next).predecessor() returns (address before) {
            if (before != address(this)) revert NotSuccessor(next);
        } catch {
            revert NotSuccessor(next);
        }
        successor = next;
        emit Superseded(address(this), uint64(block.number), next);
    }

    /// @notice The level of an account.
    /// @param account Whose.
    /// @return Guest if it holds no role.
    function levelOf(address account) external view returns (Level) {
        return holders[account].level;
    }

    /// @dev Grants a role that exists to an account of its level, or of none yet.
    /// @param role Which.
    /// @param account To whom.
    /// @return granted False if the account had it.
    function _grantRole(bytes32 role, address account) internal override whileOpen returns (bool granted) {
        Level level = levelOfRole[role];
        if (level == Level.Guest) revert RoleUnknown(role);
        if (account == address(0)) revert Empty();
        granted = super._grantRole(role, account);
        if (!granted) return false;
        Holder storage holder = holders[account];
        if (holder.roles == 0) {
            holder.level = level;
            emit LevelChanged(account, level);
        } else if (holder.level != level) {
            revert DutiesCollide(account, holder.level);
        }
        ++holder.roles;
    }

    /// @dev Revokes a role; with the last one an account is a guest again.
    /// @param role Which.
    /// @param account Whose.
    /// @return revoked False if the account did not have it.
    function _revokeRole(bytes32 role, address account) internal override whileOpen returns (bool revoked) {
        revoked = super._revokeRole(role, account);
        if (!revoked) return false;
        Holder storage holder = holders[account];
        if (--holder.roles == 0) {
            holder.level = Level.Guest;
            emit LevelChanged(account, Level.Guest);
        }
    }
}
