"""Templates: the sentences into which the words are set, by language, section and split.

A file `data/templates/<language>.txt` holds blocks that begin with `== section split`. In a block

    [in|out]                    is one of the alternatives,
    {3-20}                      a whole number of that range,
    {age} {sex} {sex:def}       of the patient,
    {dose} {why}                strength and indication of the drug named last,
    {date:implanted} {year:before} {days}
                                what happened when, in records only (`records.course`);
    {DRUG2@antibiotic:gen status=current}
                                the note's second drug, of a group (or other fact), in the genitive, its span with an attribute;
    {^BODY_SITE:lat}            with a capital; of the left or right side if the body part is paired.

The same name is the same thing throughout a note, whatever sections it is put together from.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from fedkit.notes.concepts.tables import TABLES
from fedkit.notes.synthetic.lexicon import _data

#: The sections of each kind of note. In brackets: there every second time.
KINDS: Mapping[str, tuple[str, ...]] = {
    "admission": ("adr", "(meds)", "(cave)", "exam", "plan"),
    "mri-referral": ("mri", "device", "(cave)", "(meds)"),
    "discharge": ("adr", "meds", "(device)", "plan"),
    "medication-change": ("(cave)", "meds", "plan"),
    "device-visit": ("device", "(exam)", "followup"),
}

_SLOT = re.compile(r"\{(\^?)([A-Za-z_]+)(\d*)(?:@([a-z]+))?((?::[a-z]+)*)((?: [a-z]+=[a-z]+)*)\}|\{(\d+)-(\d+)\}")
_CHOICE = re.compile(r"\[([^\[\]]*)\]")


@dataclass(frozen=True)
class Template:
    """One block. `name` is `language.section.number`."""

    name: str
    section: str
    split: str
    text: str


@dataclass(frozen=True)
class Slot:
    """A place to fill: `kind` is a label or one of age, sex, dose, why, date, year, days, number (with low and high)."""

    kind: str
    index: str = ""
    group: str = ""
    flags: tuple[str, ...] = ()
    attributes: tuple[tuple[str, str], ...] = ()
    capital: bool = False
    low: int = 0
    high: int = 0


@cache
def templates(language: str, folder: str = "templates") -> tuple[Template, ...]:
    """All templates of a language, in the order of its file. folder: "templates" for single notes, "records" for records."""
    found: list[Template] = []
    for number, block in enumerate(_data(f"{folder}/{language}.txt").split("== ")[1:], start=1):
        head, _, text = block.partition("\n")
        section, split = head.split()
        found.append(Template(f"{language}.{section}.{number}", section, split, text.strip("\n")))
    return tuple(found)


@cache
def pool(language: str, section: str, split: str, folder: str = "templates") -> tuple[Template, ...]:
    """The templates of a section in a split."""
    return tuple(t for t in templates(language, folder) if (t.section, t.split) == (section, split))


def alternatives(text: str) -> Iterator[tuple[str, ...]]:
    """The text in pieces: a piece of one alternative is fixed, of several is a choice. Alternatives may hold slots."""
    at = 0
    for match in _CHOICE.finditer(text):
        yield (text[at : match.start()],)
        yield tuple(match[1].split("|"))
        at = match.end()
    yield (text[at:],)


def parts(text: str) -> Iterator[str | Slot]:
    """The text as literals and slots. Raises ValueError for a brace that is no slot."""
    at = 0
    for match in _SLOT.finditer(text):
        yield _literal(text[at : match.start()])
        yield _slot(match)
        at = match.end()
    yield _literal(text[at:])


def _slot(match: re.Match[str]) -> Slot:
    if match[7]:
        return Slot("number", low=int(match[7]), high=int(match[8]))
    kind = match[2]
    if kind not in TABLES and kind not in ("age", "sex", "dose", "why", "date", "year", "days"):
        raise ValueError(f"unknown slot {kind}")
    attributes = tuple((k, v) for k, _, v in (pair.partition("=") for pair in match[6].split()))
    return Slot(kind, match[3], match[4] or "", tuple(match[5].split(":")[1:]), attributes, bool(match[1]))


def _literal(text: str) -> str:
    if set(text) & set("{}[]"):
        raise ValueError(f"not a slot: {text!r}")
    return text
