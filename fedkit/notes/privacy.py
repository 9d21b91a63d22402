"""Whether mock notes give anything away of private ones: a copy check and a statistical one.

    report = check_mock(mock, private, others)
    report.ok, report.findings

Run at the site, on its own notes; the report holds counts alone, never words.

1. copy         no private note, no labelled form and no run of words of a private note stands in the mock notes
2. statistics   an attacker who scores each note by its likeness to the mock notes cannot tell the notes of the site from notes
                of the same kind that it does not hold: the area under the ROC curve is .5 within its confidence interval

The second check needs notes that the mock notes cannot have been made from, such as those of a later month or another half of
the corpus. An attacker with another score may see more: passing is no proof, failing is one.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fedkit.notes.note import Note

RUN = 5  # words in a row that count as copied
_GRAM = 5  # characters: short enough for inflected forms, long enough to be rare by chance
_Z = 1.96  # 95 % confidence
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Membership:
    """How well likeness to the mock notes tells the site's notes from others.

    auc: area under the ROC curve, .5 if not at all.   low, high: its 95 % confidence interval (Hanley and McNeil 1982).
    """

    auc: float
    low: float
    high: float
    members: int
    others: int

    @property
    def ok(self) -> bool:
        """Whether an attacker does no better than a coin, as far as so many notes can tell."""
        return self.low <= 0.5


@dataclass(frozen=True)
class MockReport:
    """What the mock notes give away. Counts only.

    identical: mock notes whose text is a private note's.   forms: labelled forms of private notes that stand in mock notes.
    runs: runs of `RUN` words that both have.   membership: None if there were no other notes to compare with.
    """

    mock: int
    private: int
    identical: int
    forms: int
    runs: int
    membership: Membership | None

    @property
    def findings(self) -> tuple[str, ...]:
        """What is wrong, a sentence each; empty if nothing was found."""
        found = []
        if self.identical:
            found.append(f"{self.identical} mock notes are private notes")
        if self.forms:
            found.append(f"{self.forms} labelled forms of private notes stand in the mock notes")
        if self.runs:
            found.append(f"{self.runs} runs of {RUN} words stand in both")
        if self.membership is not None and not self.membership.ok:
            m = self.membership
            found.append(f"private notes are told from others: area under the curve {m.auc:.2f} ({m.low:.2f} to {m.high:.2f})")
        return tuple(found)

    @property
    def ok(self) -> bool:
        return not self.findings


def check_mock(mock: Sequence[Note], private: Sequence[Note], others: Sequence[Note] = ()) -> MockReport:
    """Compare mock notes with the private notes of a site, and these with others of the same kind.

    Raises ValueError without a mock note or a private note.
    """
    if not mock or not private:
        raise ValueError("a check needs mock notes and private notes")
    texts = {_plain(n.text) for n in mock}
    runs = set().union(*(_runs(n.text) for n in mock))
    # A form is looked for as whole words: as any stretch of letters, a short one would be found by chance.
    words = " ".join(f" {' '.join(_words(n.text))} " for n in mock)
    forms = {" ".join(_words(n.text_of(s))) for n in private for s in n.spans} - {""}
    return MockReport(
        len(mock),
        len(private),
        sum(_plain(n.text) in texts for n in private),
        sum(f" {form} " in words for form in forms),
        len(runs & set().union(*(_runs(n.text) for n in private))),
        membership(mock, private, others) if others else None,
    )


def membership(mock: Sequence[Note], members: Sequence[Note], others: Sequence[Note]) -> Membership:
    """The attack: score every note by its likeness to the nearest mock note, and see whether members score higher."""
    known = [_grams(n.text) for n in mock]
    ours = sorted(_likeness(_grams(n.text), known) for n in members)
    theirs = sorted(_likeness(_grams(n.text), known) for n in others)
    return Membership(*_auc(ours, theirs), len(ours), len(theirs))


def _auc(ours: Sequence[float], theirs: Sequence[float]) -> tuple[float, float, float]:
    """Area under the ROC curve (ties count half) with its confidence interval after Hanley and McNeil (1982)."""
    m, n = len(ours), len(theirs)
    auc = sum((bisect_left(theirs, x) + bisect_right(theirs, x)) / 2 for x in ours) / (m * n)
    q1, q2 = auc / (2 - auc), 2 * auc * auc / (1 + auc)
    spread = math.sqrt(max(auc * (1 - auc) + (m - 1) * (q1 - auc * auc) + (n - 1) * (q2 - auc * auc), 0.0) / (m * n))
    return auc, max(0.0, auc - _Z * spread), min(1.0, auc + _Z * spread)


def _likeness(grams: frozenset[str], known: Iterable[frozenset[str]]) -> float:
    """The largest share of a note's character n-grams that one mock note has."""
    return max((len(grams & mock) for mock in known), default=0) / max(len(grams), 1)


def _grams(text: str) -> frozenset[str]:
    plain = _plain(text)
    return frozenset(plain[i : i + _GRAM] for i in range(len(plain) - _GRAM + 1))


def _runs(text: str) -> set[tuple[str, ...]]:
    words = _words(text)
    return {tuple(words[i : i + RUN]) for i in range(len(words) - RUN + 1)}


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
