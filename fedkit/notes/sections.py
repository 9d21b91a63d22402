"""The sections of a note, by its headings: "Aktuelt:", "LÄÄKITYS", "Allergi/CAVE".

    sections("Aktuelt: Fall i hjemmet.\\nCAVE: Penicillin", "nb")
    # (Section(0, 25, 'reason', 8), Section(25, 41, 'allergy', 30))

A heading stands at the beginning of a line, with a colon, in capitals, or alone on its line; after a full stop within a line it
needs the colon. Known headings (`data/sections.tsv`) have one name in all languages; an unknown one that stands alone with a
colon names its section itself. The sections cover the note from its first heading on; what stands before is a section named "".
"""

from __future__ import annotations

import re
from functools import cache

from fedkit.notes.note import Section
from fedkit.notes.resources import read_table

#: What known headings stand for.
SECTION_NAMES = (
    "reason",
    "history",
    "past_history",
    "family_history",
    "social_history",
    "medication",
    "allergy",
    "examination",
    "investigations",
    "procedure",
    "diagnosis",
    "assessment",
    "plan",
    "summary",
    "treatment",
    "nursing",
)

_LONGEST = 48  # characters of a heading
_MOST_WORDS = 5  # of an unknown heading
_LINE = re.compile(r"^[ \t]*(?:[-*•#]+[ \t]*)?(?P<rest>[^\W\d_][^\r\n]*)", re.MULTILINE)
_INNER = re.compile(r"(?<=[.!?][ ])(?P<heading>[^\W\d_](?:[^\n:!?.]|\.(?!\s)){1,46}):")
_CAPITALS = re.compile(r"[^\W\d_a-zæøåäöõüšž][^\n:a-zæøåäöõüšž]+(?![^\W\d_])")


def sections(text: str, language: str = "") -> tuple[Section, ...]:
    """The sections of a text in order, none if it has no heading.

    language: ISO 639-1; with "", or one without a list, the headings of all languages count.
    """
    names = _headings(language)
    found: list[tuple[int, int, str]] = []
    for match in _LINE.finditer(text):
        heading = _at_line_start(match["rest"], names)
        if heading is not None:
            start = match.start("rest")
            found.append((start, start + heading[0], heading[1]))
    if ":" in text:
        for match in _INNER.finditer(text):  # "Cor: u.a. Vurdering: Stabil."
            name = names.get(_plain(match["heading"])) if match["heading"][0].isupper() else None
            if name:
                found.append((match.start("heading"), match.end(), name))
    return _covering(text, sorted(found))


def _at_line_start(line: str, names: dict[str, str]) -> tuple[int, str] | None:
    """(length with its colon, name) of the heading that a line begins with, if it begins with one."""
    colon = line.find(":", 0, _LONGEST + 1)
    if colon > 0:
        plain = _plain(line[:colon])
        name = names.get(plain)
        if name is None and not line[colon + 1 :].strip() and line[0].isupper() and plain.count(" ") < _MOST_WORDS:
            name = plain
        if name is not None:
            return colon + 1, name
    if len(line) <= _LONGEST:
        name = names.get(_plain(line))
        if name is not None:
            return len(line.rstrip()), name
    capitals = _CAPITALS.match(line)
    if capitals:
        words = capitals.group().split()
        for n in range(min(len(words), _MOST_WORDS), 0, -1):
            name = names.get(" ".join(words[:n]).lower())
            if name is not None:
                end = re.match(r"\s*".join(map(re.escape, words[:n])), line)
                return (end.end(), name) if end else None
    return None


def _plain(heading: str) -> str:
    return " ".join(heading.lower().split())


def _covering(text: str, found: list[tuple[int, int, str]]) -> tuple[Section, ...]:
    """Sections that reach to the next heading, the last to the end of the text."""
    if not found:
        return ()
    ends = [start for start, _, _ in found[1:]] + [len(text)]
    made = [Section(start, end, name, head) for (start, head, name), end in zip(found, ends, strict=True)]
    if text[: found[0][0]].strip():
        made.insert(0, Section(0, found[0][0], "", 0))
    return tuple(made)


@cache
def _headings(language: str) -> dict[str, str]:
    """Lower-case heading → name, of this language and English."""
    rows = read_table("sections.tsv")
    own = [row for row in rows if row["language"] == language]
    own = own + [row for row in rows if row["language"] == "en"] if own else list(rows)
    return {row["heading"].lower(): row["name"] for row in reversed(own)}
