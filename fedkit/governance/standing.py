"""A standing approval: a steward's signed word, given once, for requests that differ from a reviewed one only as it says.

    standing = StandingApproval.from_request(
        request, site="no", steward=address, findings=review.findings, vary={"rounds": Range(1, 24), "study": Name()}
    )
    standing.covers(other, usage, now, findings=…, rehearsals=…)   # raises Refused, with the reason it does not

Code, environment, data set and output contracts are bound by digest, and every setting stands as it was reviewed unless it is
named in `vary`. So what a covered request can do was read by a person; what is counted here is how often, by whom, until when.
Pure: counts, findings, rehearsals and time come in as data. The signature is EIP-712 (`fedkit.ledger.standing`), off chain.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from fedkit.digests import canonical, digest, short
from fedkit.errors import DigestMismatch, RequestError
from fedkit.governance.covering import Usage, check_asker, check_counts, check_fits, check_looks, entries_digest, warnings_of
from fedkit.governance.kinds import DEFAULT
from fedkit.governance.request import PURPOSES, CodeRequest
from fedkit.governance.review import Finding, MockResult
from fedkit.governance.varying import Choices, Name, Range, Varying, rule_of

__all__ = ["Choices", "Name", "Range", "StandingApproval", "Usage"]

DAY = 86_400


@dataclass(frozen=True)
class StandingApproval:
    """What is approved before it is asked for, at one site.

    title:       for people.   site: name of the site.   kind: of the reviewed request.
    code, environment: digests.   dataset: name.   entries: `entries_digest` of names and output contracts.
    settings:    all settings of the reviewed request; a covered one has the same but for those in `vary`.
    vary:        name of a setting → `Range`, `Choices` or `Name`.
    warned:      "rule:line" of each `warn` finding that the steward saw; another one is not covered.
    purposes:    kinds of purpose (`PURPOSES`) that the permit may be for.
    researchers: addresses; empty: anybody whose permit a steward of this site knows (`Usage.permits`).
    permits:     digests of permits under which the named researchers may ask.
    executions:  entry → how often it may run for one request.
    requests, per_day, per_researcher: how many requests in all, in one day (UTC), and in all of one researcher's.
    issued, expires: Unix seconds, UTC; it counts from the one until the other.
    steward:     address (0x…) of who signs.   signature: 65 bytes as 0x hex, over all the rest (EIP-712 `Standing`).
    """

    title: str
    site: str
    code: str
    environment: str
    dataset: str
    entries: str
    settings: Mapping[str, Any]
    vary: Mapping[str, Varying]
    warned: tuple[str, ...]
    purposes: tuple[str, ...]
    researchers: tuple[str, ...]
    permits: tuple[str, ...]
    executions: Mapping[str, int]
    requests: int
    per_day: int
    per_researcher: int
    issued: int
    expires: int
    steward: str
    kind: str = DEFAULT
    signature: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        counts = {"requests": self.requests, "per_day": self.per_day, "per_researcher": self.per_researcher, **self.executions}
        if bad := [name for name, n in counts.items() if isinstance(n, bool) or not isinstance(n, int) or not 1 <= n < 2**31]:
            raise RequestError(f"a standing approval limits {bad[0]}", expected="a whole number from 1", got="another value")
        if not self.title.strip() or not self.executions:
            raise RequestError("a standing approval has a title and entries", got="none")
        if not self.purposes or not set(self.purposes) <= set(PURPOSES):
            raise RequestError("no such kind of purpose", expected=f"some of {', '.join(PURPOSES)}", got="none, or another")
        for name, rule in self.vary.items():
            if name not in self.settings:
                raise RequestError(
                    f"the reviewed request has no setting {name[:40]}",
                    expected=f"some of {sorted(self.settings)}",
                    got="another",
                )
            try:
                rule.check(name, self.settings[name])
            except DigestMismatch as error:
                raise RequestError(
                    f"{name} as it was reviewed is not among what may vary", expected=error.expected, got="the reviewed value"
                ) from None
        if self.researchers and not self.permits:
            raise RequestError("named researchers need a permit that is named", expected="permits=(digest, …)", got="none")
        if not self.issued < self.expires:
            raise RequestError("a standing approval ends after it begins", expected="issued < expires", got="the reverse")

    @staticmethod
    def from_request(
        request: CodeRequest,
        vary: Mapping[str, Varying] | None = None,
        *,
        site: str,
        steward: str,
        findings: Iterable[Finding] = (),
        title: str = "",
        purposes: Sequence[str] | None = None,
        researchers: Sequence[str] | None = None,
        permits: Sequence[str] | None = None,
        executions: Mapping[str, int] | None = None,
        requests: int = 20,
        per_day: int = 5,
        per_researcher: int | None = None,
        days: float = 90,
        now: float | None = None,
    ) -> StandingApproval:
        """What is like a reviewed request.

        vary:        settings that may differ, and how; by default none.   findings: those of the review.
        purposes:    default: the one of the request's permit.
        researchers: default: the one who asked. `()` is anybody whose permit a steward of this site knows.
        permits:     default: the request's own.
        executions:  entry → at most, where it may be more or less than in the request.
        per_researcher: default: `requests`.   days: how long it counts from `now` (Unix seconds; default: the clock).
        Raises RequestError for a setting or entry that the request does not have, RequestError for findings that refuse it.
        """
        if refused := [f for f in findings if f.level == "refuse"]:
            raise RequestError(
                f"line {refused[0].line}: {refused[0].message}", expected="source without findings of level refuse", got="one"
            )
        runs = {entry.name: entry.executions for entry in request.entries}
        if strays := set(executions or {}) - set(runs):
            raise RequestError("no such entry in the request", expected=f"some of {sorted(runs)}", got=f"{len(strays)} others")
        issued = int(time.time() if now is None else now)
        return StandingApproval(
            title=title or request.title,
            site=site,
            code=request.code_digest,
            environment=request.environment,
            dataset=request.dataset,
            entries=entries_digest(request),
            settings=dict(request.settings),
            vary=dict(vary or {}),
            warned=warnings_of(findings),
            purposes=tuple(purposes if purposes is not None else (request.permit.category,)),
            researchers=tuple(researchers if researchers is not None else (request.researcher,)),
            permits=tuple(permits if permits is not None else (request.permit.digest,)),
            executions=runs | dict(executions or {}),
            requests=requests,
            per_day=per_day,
            per_researcher=requests if per_researcher is None else per_researcher,
            issued=issued,
            expires=issued + int(days * DAY),
            steward=steward,
            kind=request.kind,
        )

    @cached_property
    def digest(self) -> str:
        """The standing approval's name: of all but the signature."""
        return digest({name: value for name, value in self.to_json().items() if name != "signature"})

    @cached_property
    def terms(self) -> str:
        """Digest of what is no field of its own in the signed statement."""
        own = ("site", "code", "environment", "dataset", "entries", "requests", "expires", "steward", "signature")
        return digest({name: value for name, value in self.to_json().items() if name not in own})

    def covers(
        self,
        request: CodeRequest,
        usage: Usage,
        now: float,
        *,
        findings: Sequence[Finding],
        rehearsals: Sequence[MockResult],
    ) -> None:
        """Raises Refused, with the first reason why the request is not covered (`fedkit.governance.covering`).

        now: Unix seconds, UTC.   findings, rehearsals: the site's own of this request. That the standing approval is signed by
        a steward of the site, and was not withdrawn, is for the site to see.
        """
        check_fits(self, request)
        check_asker(self, request, usage, now)
        check_looks(self, request, findings, rehearsals)
        check_counts(self, usage)

    def signed(self, signature: str) -> StandingApproval:
        return replace(self, signature=signature)

    def explain(self) -> str:
        """The standing approval in plain words, for a steward."""
        varied = "; ".join(f"{name} {rule.explain()}" for name, rule in self.vary.items()) or "none"
        runs = ", ".join(f"{name} at most {n} times" for name, n in self.executions.items())
        who = f"{len(self.researchers)} named researchers" if self.researchers else "anybody whose permit a steward here knows"
        return "\n".join(
            (
                f"{self.title}: code {short(self.code)} on {self.dataset}, as it was reviewed.",
                f"Settings that may differ: {varied}.",
                f"A request runs {runs}.",
                f"For {who}, for {' or '.join(self.purposes)}.",
                f"At most {self.requests} requests, {self.per_day} a day, {self.per_researcher} of one researcher,"
                f" until {time.strftime('%Y-%m-%d', time.gmtime(self.expires))}.",
            )
        )

    def to_json(self) -> dict[str, Any]:
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__}
        lists = {name: list(plain[name]) for name in ("warned", "purposes", "researchers", "permits")}
        varied = {name: rule.to_json() for name, rule in self.vary.items()}
        return plain | lists | {"settings": dict(self.settings), "executions": dict(self.executions), "vary": varied}

    @staticmethod
    def from_json(row: Mapping[str, Any]) -> StandingApproval:
        """Raises RequestError if the row is no standing approval: it may come from a stranger."""
        try:
            plain: dict[str, Any] = {name: _typed(row[name], kind) for kind, names in _FIELDS.items() for name in names}
            plain |= {name: tuple(_typed(item, str) for item in list(row[name])) for name in _LISTS}
            plain |= {name: dict(row[name]) for name in ("settings", "executions")}
            made = StandingApproval(vary={name: rule_of(rule) for name, rule in dict(row["vary"]).items()}, **plain)
            canonical(made.to_json())
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise RequestError("not a standing approval", got=type(error).__name__) from None
        return made


_FIELDS: Mapping[type, tuple[str, ...]] = {
    str: ("title", "site", "code", "environment", "dataset", "entries", "steward", "kind", "signature"),
    int: ("requests", "per_day", "per_researcher", "issued", "expires"),
}
_LISTS = ("warned", "purposes", "researchers", "permits")


def _typed(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise TypeError(f"not {kind.__name__}")
    return value
