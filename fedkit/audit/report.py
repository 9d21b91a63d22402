"""What a verification found, as data, and the ways to show it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fedkit.audit.evidence import Evidence


def plain(text: str) -> str:
    """A stranger's words as they may be shown on a terminal: nothing in them moves a cursor or changes a colour."""
    shown = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text[:500])
    return shown + ("…" if len(text) > 500 else "")


@dataclass(frozen=True)
class Finding:
    """Something that does not hold. where: the place, to look it up; what: plain words; who: who could have caused it."""

    where: str
    what: str
    who: str

    def __post_init__(self) -> None:
        for name in ("where", "what", "who"):
            object.__setattr__(self, name, plain(getattr(self, name)))


@dataclass(frozen=True)
class Check:
    """One numbered check. note: what it looked at, or why there was nothing to look at; never a reason to fail.

    ran: False if this bundle, or this machine, does not allow it; then nothing was found, and nothing can be said.
    """

    number: int
    title: str
    findings: tuple[Finding, ...] = ()
    note: str = ""
    ran: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "note", plain(self.note))

    @property
    def passed(self) -> bool:
        """Nothing was found, whether it ran or not."""
        return not self.findings

    @property
    def result(self) -> str:
        """ "passed", "not run" or "FAILED"."""
        return "FAILED" if self.findings else "passed" if self.ran else "not run"


@dataclass(frozen=True)
class Report:
    """All checks of one bundle. head: "NUMBER:0x…" of the newest block, to be written down elsewhere and given as a pin."""

    bundle: str
    request: str
    head: str
    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """Every check passed."""
        return all(check.passed for check in self.checks)

    @property
    def verdict(self) -> str:
        """One sentence."""
        failed = [check for check in self.checks if not check.passed]
        if not failed:
            left = [check.number for check in self.checks if not check.ran]
            told = f"; not run: {', '.join(map(str, left))}" if left else ""
            return f"clean: {len(self.checks) - len(left)} of {len(self.checks)} checks passed{told}"
        named = ", ".join(f"{check.number} {check.title.split(':')[0]}" for check in failed)
        return f"NOT clean: {len(failed)} of {len(self.checks)} checks failed ({named})"

    def to_json(self) -> dict[str, Any]:
        checks = [
            {**asdict(c), "findings": [asdict(f) for f in c.findings], "passed": c.passed, "result": c.result}
            for c in self.checks
        ]
        return {
            "bundle": self.bundle,
            "request": self.request,
            "head": self.head,
            "ok": self.ok,
            "verdict": self.verdict,
            "checks": checks,
        }

    def __str__(self) -> str:
        lines = []
        for check in self.checks:
            lines.append(f"{check.number:>2}  {'ok' if check.result == 'passed' else check.result:<7}  {check.title}")
            if check.note:
                lines.append(f"            {check.note}")
            lines += [f"          - {f.where}: {f.what} (could be: {f.who})" for f in check.findings]
        return "\n".join([*lines, self.verdict, f"head {self.head}"])

    def to_rich(self) -> Any:
        """A table for a terminal (rich)."""
        from rich.table import Table
        from rich.text import Text

        table = Table(title=f"Evidence {self.bundle}", title_justify="left", caption=self.verdict, caption_justify="left")
        table.add_column("", justify="right")
        table.add_column("check")
        table.add_column("result")
        for check in self.checks:
            text = Text(check.result, style={"passed": "green", "FAILED": "bold red"}.get(check.result, "yellow"))
            if check.note:
                text.append(f"\n{check.note}", style="dim")
            for finding in check.findings:
                text.append(f"\n{finding.where}: {finding.what}", style="default")
                text.append(f"\n  could be: {finding.who}", style="dim")
            table.add_row(str(check.number), Text(check.title), text)
        return table

    def to_html(self) -> str:
        """An HTML fragment: a verdict and a table, everything escaped, no script and no style of its own."""
        rows = []
        for check in self.checks:
            cell = f"<strong>{check.result}</strong>"
            cell += f"<br><small>{escape(check.note)}</small>" if check.note else ""
            for finding in check.findings:
                cell += f"<br>{escape(finding.where)}: {escape(finding.what)}<br><small>could be: {escape(finding.who)}</small>"
            mark = "good" if check.passed else "bad"
            rows.append(f'<tr class="{mark}"><td>{check.number}</td><td>{escape(check.title)}</td><td>{cell}</td></tr>')
        head = '<tr><th scope="col">#</th><th scope="col">Check</th><th scope="col">Result</th></tr>'
        body = f"<table><thead>{head}</thead><tbody>{''.join(rows)}</tbody></table>"
        mark = "verdict" if self.ok else "verdict bad"
        return (
            f'<section class="audit"><p class="{mark}"><strong>{escape(self.verdict)}</strong></p>{body}'
            f"<p>Head of the chain: <code>{escape(self.head)}</code></p></section>"
        )

    def to_page(self, evidence: Evidence | None = None) -> str:
        """A page of its own, that loads nothing and runs nothing. evidence: of the bundle, to show the request's way too."""
        from fedkit.audit.page import page
        from fedkit.audit.timeline import tell

        return page(self, evidence, tell(evidence) if evidence is not None else ())
