"""The kinds of requests, and what each may let out of a site: a bound above the output contract of a single request.

A kind is what a steward, a level and a standing approval can speak about ("counts, but no weights"). What a request's contracts
hold beyond its kind is refused before anybody sees it, and again by every site that is handed the request.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from fedkit.errors import RequestError
from fedkit.governance.output_contract import OutputContract


@dataclass(frozen=True)
class Kind:
    """What requests of a kind may let out, and take in.

    what:    in plain words.   out: the parts of an output contract that may be there ("tensors", "numbers", "tables").
    weights: whether an execution may be given weights. Where none are needed none are taken: weights are the one thing that the
        code gets and no steward saw.
    questions: whether each execution answers a question, which stands in the place of weights, by its digest. What may leave
        is then the question's own contract, within `out`; the entry's is empty.
    """

    name: str
    what: str
    out: frozenset[str]
    weights: bool
    questions: bool = False


def _kind(name: str, what: str, *out: str, weights: bool = False, questions: bool = False) -> Kind:
    return Kind(name, what, frozenset(out), weights, questions)


#: Name → kind. A count and a table hold no bare numbers: the disclosure rules of a site are about tables.
KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            _kind("training", "trains a model: weights come out", "tensors", "numbers", weights=True),
            _kind("evaluation", "scores a model that is there: counts come out, no weights", "numbers", "tables", weights=True),
            _kind("count", "counts patients or notes", "tables"),
            _kind("table", "counts patients or notes by categories", "tables"),
            _kind("analysis", "the researcher's own code: tables and numbers come out", "tables", "numbers"),
            _kind(
                "query", "asks questions of the data warehouse: tables and sums come out", "tables", "tensors", questions=True
            ),
        )
    }
)

#: What a request is of that says nothing, as all did before there were kinds. It stands in no digest.
DEFAULT = "training"

#: The kind under which questions are asked of the data warehouse: an EHDS data request (Regulation (EU) 2025/327, article 69).
QUERY = "query"

#: What somebody may ask who is trusted with counts and no more.
AGGREGATES = frozenset({"count", "table", QUERY})


def check_kind(name: str, contracts: Iterable[tuple[str, OutputContract]]) -> None:
    """Raises RequestError for a kind that is none, or for an entry whose contract holds more than its kind may.

    contracts: (name of the entry, its contract).
    """
    kind = KINDS.get(name)
    if kind is None:
        raise RequestError("no such kind of request", expected=f"one of {', '.join(KINDS)}", got=str(name)[:20])
    for entry, contract in contracts:
        held = {part for part in ("tensors", "numbers", "tables") if getattr(contract, part, None)}
        if surplus := held - (frozenset() if kind.questions else kind.out):
            raise RequestError(
                f"{entry} lets out more than a request of kind {name} may",
                expected=f"{' and '.join(sorted(kind.out))} only" if not kind.questions else "what each question declares",
                got=" and ".join(sorted(surplus)),
                help="declare another kind, or another output contract",
            )


def check_weights(name: str, given: bool) -> None:
    """Raises RequestError if an execution of a kind that takes no weights is given some, or one of a kind that answers
    questions is given none."""
    kind = KINDS[name]
    if kind.questions and not given:
        raise RequestError(
            f"a request of kind {name} answers questions",
            expected="the digest of a question that was planned here",
            got="none",
            help="plan the question first; the plan says what it costs and what would be refused",
        )
    if given and not kind.weights and not kind.questions:
        raise RequestError(
            f"a request of kind {name} takes no weights",
            expected="a call without weights",
            got="weights",
            help="put what the code needs into the settings, where every steward sees it",
        )
