"""A code request: everything a steward decides about, under one digest.

The digest covers the exact source, the environment, the inputs and what may leave. Change a character and it is another
request, which nobody has approved.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from fedkit.digests import canonical, digest, digest_bytes
from fedkit.errors import RequestError
from fedkit.governance.kinds import DEFAULT, KINDS, check_kind
from fedkit.governance.output_contract import OutputContract
from fedkit.governance.privacy import Privacy
from fedkit.governance.secure_sum import SecureSum
from fedkit.governance.training_noise import TrainingNoise, check_noise

#: The kinds of purpose for which health data may be used again: Regulation (EU) 2025/327 (EHDS), article 53(1), (a) to (f).
PURPOSES = ("public-health", "policy", "statistics", "education", "research", "care")


@dataclass(frozen=True)
class DataPermit:
    """Leave to use data for a purpose, as an authority gave it (EHDS art. 68 calls it a data permit).

    purpose: in words, for people.   expires: ISO 8601 date, UTC, the last day included.
    category: one of `PURPOSES`; all that the ledger is told of the purpose, beside the permit's digest.
    users: addresses (0x…) of the only ones who may use it.   sites: names of the only sites it is for. Empty: anybody, any.
    Raises RequestError for another category.
    """

    id: str
    purpose: str
    datasets: tuple[str, ...]
    expires: str
    category: str = "research"
    users: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.category not in PURPOSES:
            raise RequestError("no such kind of purpose", expected=f"one of {', '.join(PURPOSES)}", got=str(self.category)[:20])

    @cached_property
    def digest(self) -> str:
        """The permit's name on the ledger."""
        return digest(self.to_json())

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "purpose": self.purpose,
            "category": self.category,
            "datasets": list(self.datasets),
            "expires": self.expires,
            **({"users": list(self.users)} if self.users else {}),
            **({"sites": list(self.sites)} if self.sites else {}),
        }

    @staticmethod
    def from_json(row: Mapping[str, Any]) -> DataPermit:
        return DataPermit(
            row["id"],
            row["purpose"],
            tuple(row["datasets"]),
            row["expires"],
            row.get("category", "research"),
            tuple(row.get("users", ())),
            tuple(row.get("sites", ())),
        )


@dataclass(frozen=True)
class Entry:
    """One function of the source that may be called: how often at each site, and what may come out.

    The function has the signature `name(notes, weights, settings) -> {"tensors": {…}, "numbers": {…}, "tables": {…}}`; what its
    contract does not declare it leaves out.

    privacy: what one execution costs, if its result is to leave with noise; None for a result as it is.
    noise: of a training whose weights learn under noise; it must be what the settings plan.
    Raises RequestError if something would leave without the noise that is paid for.
    """

    name: str
    executions: int
    contract: OutputContract
    privacy: Privacy | None = None
    noise: TrainingNoise | None = None

    def __post_init__(self) -> None:
        if self.privacy is not None:
            self.privacy.check(self.name, self.contract)

    def to_json(self) -> dict[str, Any]:
        row: dict[str, Any] = {"name": self.name, "executions": self.executions, "contract": self.contract.to_json()}
        if self.privacy is not None:
            row["privacy"] = self.privacy.to_json()
        return {**row, "noise": self.noise.to_json()} if self.noise is not None else row

    @staticmethod
    def from_json(row: Mapping[str, Any]) -> Entry:
        privacy = Privacy.from_json(row["privacy"]) if "privacy" in row else None
        noise = TrainingNoise.from_json(row["noise"]) if "noise" in row else None
        return Entry(row["name"], int(row["executions"]), OutputContract.from_json(row["contract"]), privacy, noise)


@dataclass(frozen=True)
class CodeRequest:
    """What a researcher asks a site to run.

    source:      Python source text; every entry is a top-level function in it.
    environment: digest of the installed fedkit source and locked versions that the code will meet (see `environment_digest`).
    dataset:     name of the data set at each site.
    settings:    plain JSON handed to the code at every call (hyper-parameters, label set, plan of rounds).
    kind:        what sort of request it is (`fedkit.governance.kinds`); it bounds what the entries' contracts may hold.
    secure_sum:  the sites among which the tensors of an entry are added under masks; None to let each site's own tensors out.
    Raises RequestError for what no site could run: a source that does not parse, an entry that is not in it, a contract beyond
    the kind, settings that are no JSON.
    """

    title: str
    purpose: str
    researcher: str
    permit: DataPermit
    dataset: str
    source: str
    environment: str
    entries: tuple[Entry, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    kind: str = DEFAULT
    secure_sum: SecureSum | None = None

    def __post_init__(self) -> None:
        for name in ("title", "purpose", "researcher", "dataset", "source"):
            if not str(getattr(self, name)).strip():
                raise RequestError(f"the request has no {name}", expected=f"a {name}", got="nothing")
        try:
            tree = ast.parse(self.source)
        except SyntaxError as error:
            raise RequestError(
                "the source does not parse",
                expected="Python 3.11",
                got=f"{error.msg}, line {error.lineno}",
                help="mend that line and make the request again; nothing was sent",
            ) from None
        except (ValueError, RecursionError, MemoryError) as error:  # null bytes; nested beyond what the parser bears
            raise RequestError(
                "the source does not parse",
                expected="Python 3.11",
                got=type(error).__name__,
                help="write it plainer; nothing was sent",
            ) from None
        functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
        if not self.entries:
            raise RequestError("the request names no entry", expected="at least one function that may be called", got="none")
        for entry in self.entries:
            node = functions.get(entry.name)
            if node is None or [a.arg for a in node.args.args] != ["notes", "weights", "settings"]:
                raise RequestError(
                    f"{entry.name} is no entry of the source",
                    expected=f"def {entry.name}(notes, weights, settings) at top level",
                    got="another signature" if node else f"functions {sorted(functions)}",
                    help="name a function that is there, or write it",
                )
            if entry.executions < 1:
                raise RequestError(f"{entry.name} may never run", expected="executions >= 1", got=str(entry.executions))
        check_kind(self.kind, ((entry.name, entry.contract) for entry in self.entries))
        check_noise(self.kind, self.entries, self.settings)
        if self.secure_sum is not None:
            contracts = ((entry.name, entry.contract) for entry in self.entries)
            self.secure_sum.check(contracts, by_question=KINDS[self.kind].questions)
        if self.dataset not in self.permit.datasets:
            raise RequestError(
                "the permit does not cover the data", expected=f"one of {list(self.permit.datasets)}", got=self.dataset
            )
        try:
            canonical(dict(self.settings))
        except ValueError as error:
            raise RequestError(
                "the settings are no plain JSON",
                expected="text, numbers, lists and mappings",
                got=str(error).removeprefix("not canonical JSON: ")[:200],
                help="write dates as text, sets as sorted lists",
            ) from None

    def entry(self, name: str) -> Entry:
        """The entry of that name. Raises RequestError if there is none."""
        for entry in self.entries:
            if entry.name == name:
                return entry
        raise RequestError(
            "no such entry in the request", expected=f"one of {[e.name for e in self.entries]}", got="another name"
        )

    @cached_property
    def code_digest(self) -> str:
        """SHA-256 of the source's UTF-8 bytes."""
        return digest_bytes(self.source.encode())

    @cached_property
    def digest(self) -> str:
        """The request's name everywhere: at the sites, on the ledger, in the evidence."""
        return digest(self.to_json())

    def to_json(self) -> dict[str, Any]:
        return {
            "title": self.title,
            "purpose": self.purpose,
            "researcher": self.researcher,
            "permit": self.permit.to_json(),
            "dataset": self.dataset,
            "source": self.source,
            "environment": self.environment,
            "entries": [e.to_json() for e in self.entries],
            "settings": dict(self.settings),
            **({"kind": self.kind} if self.kind != DEFAULT else {}),
            **({"secure_sum": self.secure_sum.to_json()} if self.secure_sum is not None else {}),
        }

    @staticmethod
    def from_json(row: Mapping[str, Any]) -> CodeRequest:
        """Raises RequestError if the row is no request."""
        try:
            return CodeRequest(
                row["title"],
                row["purpose"],
                row["researcher"],
                DataPermit.from_json(row["permit"]),
                row["dataset"],
                row["source"],
                row["environment"],
                tuple(Entry.from_json(e) for e in row["entries"]),
                row["settings"],
                row.get("kind", DEFAULT),
                SecureSum.from_json(row["secure_sum"]) if "secure_sum" in row else None,
            )
        except (KeyError, TypeError, ValueError) as error:
            raise RequestError("not a code request", got=type(error).__name__) from None
