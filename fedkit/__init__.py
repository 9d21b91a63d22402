"""fedkit: federated clinical language models that a hospital can let in.

    import fedkit

    with fedkit.launch("workshop") as federation:        # five PySyft domains with synthetic notes, in this process
        study = fedkit.Study(federation, "runs/first")
        study.describe(title="Implants in five languages", purpose="Find implants before an MRI", rounds=2)
        study.request(), study.rehearse(), study.submit()
        for site in study.sites:
            study.decide(site, approved=True)            # what a steward does, with the steward's own key
        study.run(), study.release()
    print(fedkit.verify("runs/first/evidence").verdict)  # what anybody can do, offline

`docs/architecture.md` is the map of the packages. Names load when they are first used: `import fedkit` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fedkit.audit.verify import verify
    from fedkit.errors import FedkitError, Refused
    from fedkit.governance.output_contract import OutputContract
    from fedkit.governance.request import CodeRequest, DataPermit, Entry
    from fedkit.notes.corpus import read_corpus
    from fedkit.notes.note import Note
    from fedkit.sites.launch import launch
    from fedkit.study.study import Study
    from fedkit.study.warehouse.warehouse import Warehouse

__version__ = "0.1.0"

__all__ = [
    "CodeRequest",
    "DataPermit",
    "Entry",
    "FedkitError",
    "Note",
    "OutputContract",
    "Refused",
    "Study",
    "Warehouse",
    "launch",
    "read_corpus",
    "verify",
]

_HOMES = {
    "CodeRequest": "fedkit.governance.request",
    "DataPermit": "fedkit.governance.request",
    "Entry": "fedkit.governance.request",
    "FedkitError": "fedkit.errors",
    "Note": "fedkit.notes.note",
    "OutputContract": "fedkit.governance.output_contract",
    "Refused": "fedkit.errors",
    "Study": "fedkit.study.study",
    "Warehouse": "fedkit.study.warehouse.warehouse",
    "launch": "fedkit.sites.launch",
    "read_corpus": "fedkit.notes.corpus",
    "verify": "fedkit.audit.verify",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'fedkit' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
