"""Which PySyft services answer whom: an allow-list, everything else is closed.

Stock PySyft 0.9.5 opens 225 service paths, most of them to guests, and several give away what they should not (a private
object through `action.execute`, tracebacks through `log.get`, approval of other code through `request.submit`). A list of
what to close would rot with the next path; this is a list of what stays open, with the reason, and a test walks every
registered path for every level.

fedkit's own calls (`fedkit.sites.gate`) are no PySyft services and have their own table, `fedkit.governance.levels`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from fedkit.governance.levels import ASKING, LEVELS

#: What every call to PySyft's services that is not let in is told, whatever the reason.
REFUSAL = "this site does not take this call"

_ASKING = MappingProxyType(
    {
        "dataset.get_all": "find the data set and its asset; the asset's data is a handle",
        "code.request_code_execution": "submit; the request waits until the gate approves exactly this code",
        "action.set": "the arguments of a call (entry, round, digest of the weights) are objects in PySyft",
        "code.call": "execute one's own approved code; the gate and the output policy decide",
        "metadata.get_metadata": "the client asks how large an argument may be before it sends one",
    }
)

#: level → path → why it stays open. A level that is not here has nothing.
OPEN: Mapping[str, Mapping[str, str]] = MappingProxyType({"analyst": _ASKING, "researcher": _ASKING})

#: fedkit level → PySyft role. Who reviews, decides, audits or keeps accounts does so through the gate, so in PySyft they are
#: guests, and guests have nothing. The roles that approve code or make users (DATA_OWNER, ADMIN) are given to nobody.
ROLES: Mapping[str, str] = MappingProxyType({level: "DATA_SCIENTIST" if level in ASKING else "GUEST" for level in LEVELS})

#: The largest signed PySyft message (bytes) that a path takes. Weights travel beside PySyft, so arguments are short.
LARGEST: Mapping[str, int] = MappingProxyType({"action.set": 16_384, "code.request_code_execution": 2_000_000})
LARGEST_OTHER = 65_536


def is_open(level: str, path: str) -> bool:
    """Whether an account of this level may call this PySyft path."""
    return path in OPEN.get(level, {})


def close_the_rest() -> int:
    """Set the roles of all registered PySyft services by the table; returns how many paths there are. Idempotent.

    The registry is one per process, so this also holds for a domain that something else starts in it.
    """
    from syft.service.service import LibConfigRegistry, ServiceConfigRegistry
    from syft.service.user.user_roles import ServiceRole

    configs: dict[str, Any] = ServiceConfigRegistry.get_registered_configs()
    for path, config in configs.items():
        config.roles = [ServiceRole.ADMIN]
        config.roles += sorted({ServiceRole[ROLES[level]] for level, paths in OPEN.items() if path in paths})
    # Numpy, pandas and torch as remote functions all go through action.execute, which is closed; listing them costs time.
    LibConfigRegistry.get_registered_configs().clear()
    return len(configs)
