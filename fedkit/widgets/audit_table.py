"""Step 10 for the auditor: every act in the journals with the state of its proof, and the checks of the verification."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

import ipywidgets

from fedkit.digests import short
from fedkit.errors import FedkitError
from fedkit.ledger.rows import ACTS, check_row, verify_rows
from fedkit.widgets.base import FedkitWidget, escape, table_html

if TYPE_CHECKING:
    from fedkit.audit.verify import Report

#: Site → the rows of its journal, first to last.
Journals: TypeAlias = Mapping[str, Sequence[Mapping[str, Any]]]

#: Words of the proof column.
ANCHORED, WAITING, BROKEN = "anchored", "not anchored yet", "broken"

ALL = "all"

#: Rows shown at once; the dropdowns narrow what stands there.
MOST_ROWS = 200


@dataclass(frozen=True)
class Act:
    """One act, ready to be shown: who did what at which site, when (UTC), and whether its proof holds."""

    site: str
    number: int
    when: str
    who: str
    what: str
    about: str
    proof: str


def acts_of(site: str, rows: Sequence[Mapping[str, Any]], anchored: int = 0) -> list[Act]:
    """The rows of one site's journal as acts.

    anchored: the last row that an anchor on the ledger covers. Fields are shown only where the journal's vocabulary allows
    them, so nothing that a forger wrote into a row reaches the page.
    """
    broken = {problem.seq for problem in verify_rows(rows)}
    acts = []
    for at, row in enumerate(rows, 1):
        if not _sound(row):
            acts.append(Act(site, at, "", "", "not a row of a journal", "", BROKEN))
            continue
        seq = int(row["seq"])
        proof = BROKEN if seq in broken else ANCHORED if seq <= anchored else WAITING
        acts.append(Act(site, seq, row["time"][:19].replace("T", " "), row["actor"], row["act"], _about(row), proof))
    return acts


def _sound(row: Mapping[str, Any]) -> bool:
    try:
        check_row(row["act"], row["actor"], row["fields"])
        return (
            isinstance(row["seq"], int) and isinstance(row["time"], str) and len(row["time"]) == len("2026-01-01T00:00:00.000Z")
        )
    except (FedkitError, KeyError, TypeError, AttributeError):
        return False


def _about(row: Mapping[str, Any]) -> str:
    """The fields for people: digests short, signatures and addresses left to the evidence."""
    shown = []
    for name, value in row["fields"].items():
        kind = ACTS[row["act"]][name].rstrip("?")
        if kind in ("signature", "address"):
            continue
        if kind == "digest":
            value = short(value)
        elif name == "expires":
            value = f"{datetime.fromtimestamp(value, UTC):%Y-%m-%d}"
        shown.append(f"{name} {value}")
    return ", ".join(shown)


class AuditTable(FedkitWidget):
    """All acts of all sites, narrowed by site and by act, above the checks of the verification.

    journals: site → rows, from `Site.journal` or an evidence bundle.   report: from `fedkit.audit.verify`, if there is one.
    anchored: site → the last row that an anchor on the ledger covers.

    `choose(site=…, act=…)` does what the dropdowns do; `shown` is what stands in the table.
    """

    def __init__(
        self, journals: Journals, report: Report | None = None, anchored: Mapping[str, int] = MappingProxyType({})
    ) -> None:
        super().__init__()
        self._sites, self._acts = _dropdown("Site"), _dropdown("Act")
        self._head, self._checks, self._table = ipywidgets.HTML(), ipywidgets.HTML(), ipywidgets.HTML()
        self.acts: list[Act] = []
        self.report: Report | None = None
        for choice in (self._sites, self._acts):
            choice.observe(lambda _: self._refresh(), names="value")
        self._fill(self._head, self._checks, ipywidgets.HBox([self._sites, self._acts]), self._table)
        self.load(journals, report, anchored)

    @classmethod
    def from_bundle(cls, bundle: Path) -> AuditTable:
        """The journals of an evidence bundle, verified. Raises EvidenceError if it is none; needs no access to a site."""
        from fedkit.audit.acts import read_acts
        from fedkit.audit.evidence import read
        from fedkit.audit.verify import verify

        evidence = read(bundle)
        anchored: dict[str, int] = {}
        for act in read_acts(evidence, defaultdict(list))[0]:
            if act.function == "anchor":
                site = evidence.names(act.arguments["stream"])
                anchored[site] = max(anchored.get(site, 0), act.arguments["last"])
        return cls(evidence.journals, verify(bundle), anchored)

    def load(
        self, journals: Journals, report: Report | None = None, anchored: Mapping[str, int] = MappingProxyType({})
    ) -> None:
        """Show other journals and another report; a choice that is no longer there goes back to all."""
        with self.lock:
            self.acts = [act for site, rows in journals.items() for act in acts_of(site, rows, anchored.get(site, 0))]
            self.report = report
            for choice, names in ((self._sites, {a.site for a in self.acts}), (self._acts, {a.what for a in self.acts})):
                kept = choice.value
                choice.options = [ALL, *sorted(names)]
                choice.value = kept if kept in names else ALL
        self._refresh()

    def choose(self, *, site: str = ALL, act: str = ALL) -> list[Act]:
        """Narrow the table and return what it then shows. Raises FedkitError for a name that is not there."""
        for choice, value in ((self._sites, site), (self._acts, act)):
            if value not in choice.options:
                raise FedkitError(
                    "nothing of that name in the journals", expected=f"one of {list(choice.options)}", got="another"
                )
            choice.value = value
        return self.shown

    @property
    def shown(self) -> list[Act]:
        """The acts that the dropdowns leave, in the order of the journals."""
        site, what = self._sites.value, self._acts.value
        return [a for a in self.acts if site in (ALL, a.site) and what in (ALL, a.what)]

    def _refresh(self) -> None:
        with self.lock:
            shown = self.shown
            more = f", of which the first {MOST_ROWS} stand here" if len(shown) > MOST_ROWS else ""
            self._head.value = (
                '<h3>Audit</h3><p class="fk-soft">Step 10: verify.</p>' + self._verdict() + f"<p>{escape(self._summary())}</p>"
            )
            self._checks.value = self._report_html()
            self._table.value = (
                f'<div class="fk-scroll" tabindex="0">{_acts_html(shown[:MOST_ROWS], f"acts shown: {len(shown)}{more}")}</div>'
            )

    def _verdict(self) -> str:
        if self.report is None:
            return '<p class="fk-soft">Not verified yet.</p>'
        return f'<p class="{"fk-good" if self.report.ok else "fk-bad"}" role="status">{escape(self.report.verdict)}</p>'

    def _report_html(self) -> str:
        if self.report is None:
            return ""
        rows = [
            (
                c.number,
                c.title,
                c.result,
                "; ".join(f"{f.where}: {f.what} (could be: {f.who})" for f in c.findings) or c.note,
            )
            for c in self.report.checks
        ]
        return table_html(
            rows,
            ("Check", "What is checked", "Result", "Findings, or what was looked at"),
            numeric=(0,),
            empty="no check was made",
        )

    def _summary(self) -> str:
        states = Counter(a.proof for a in self.acts)
        told = ", ".join(f"{states[s]} {s}" for s in (ANCHORED, WAITING, BROKEN) if states[s]) or "no acts"
        return f"{len({a.site for a in self.acts})} journals: {told}"

    def static_html(self) -> str:
        by_site = Counter(a.site for a in self.acts)
        broken = Counter(a.site for a in self.acts if a.proof == BROKEN)
        rows = [(site, number, broken[site]) for site, number in by_site.items()]
        return (
            "<h3>Audit</h3>"
            + self._verdict()
            + self._report_html()
            + table_html(rows, ("Journal", "Acts", "Broken"), numeric=(1, 2), empty="no journal")
        )

    def static_text(self) -> str:
        checks = [] if self.report is None else [f"  {c.number}. {c.title}: {c.result}" for c in self.report.checks]
        verdict = "not verified yet" if self.report is None else self.report.verdict
        return "\n".join([f"Audit: {verdict}", *checks])


def _acts_html(acts: Sequence[Act], caption: str) -> str:
    rows = [(a.when, a.site, a.who, a.what, a.proof, a.about) for a in acts]
    columns = ("When (UTC)", "Site", "Who", "What", "Proof", "About")
    return table_html(rows, columns, caption=caption, empty="no act fits the choice")


def _dropdown(name: str) -> ipywidgets.Dropdown:
    return ipywidgets.Dropdown(options=[ALL], description=name, style={"description_width": "60px"})
