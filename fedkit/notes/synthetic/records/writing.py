"""The sentences of a record: what `render` draws anew for every note, a record says the same each time."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from fedkit.notes.note import Section, Span
from fedkit.notes.synthetic.lexicon import Concept, fillers
from fedkit.notes.synthetic.records.course import Course
from fedkit.notes.synthetic.render import Writer
from fedkit.notes.synthetic.templates import Slot, Template, alternatives, parts

#: Section of the templates → name of the section of the note (`fedkit.notes.sections.SECTION_NAMES`).
NAMES = {
    "reason": "reason",
    **dict.fromkeys(("past", "lead", "removed"), "past_history"),
    "family": "family_history",
    "cave": "allergy",
    **dict.fromkeys(("status", "check"), "examination"),
    "assess": "assessment",
    **dict.fromkeys(("op", "explant"), "procedure"),
    "mri": "investigations",
    "medlist": "medication",
    "nurse": "nursing",
    **dict.fromkeys(("good", "bad", "kept"), "summary"),
    "noise": "",
}

_HEADING = re.compile(r"[^\W\d_](?:[^.:\n]|(?<=\d)\.(?=\d)){1,46}(?::|(?=\n))")


@dataclass(frozen=True)
class Told:
    """A note as it was written: the roles are the names of the spans' slots, in the order of the spans."""

    text: str
    spans: tuple[Span, ...]
    roles: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
    section_of: tuple[int, ...]


@dataclass
class Memory:
    """What the notes of one record agree on beyond its course: doses and sides."""

    doses: dict[str, tuple[str, str]] = field(default_factory=dict)
    sides: dict[tuple[str, str], str] = field(default_factory=dict)


def tell(chosen: Sequence[Template], course: Course, day: date, memory: Memory, rng: random.Random) -> Told:
    """The note of these templates, a paragraph each."""
    writer = _RecordWriter(course.patient, course.split, rng, cast=dict(course.cast))
    writer.course, writer.day, writer.memory = course, day, memory
    sections: list[Section] = []
    section_of: list[int] = []
    for number, template in enumerate(chosen):
        if number:
            writer.text += "\n"
        start, before = len(writer.text), len(writer.drafts)
        for part in parts("".join(rng.choice(options) for options in alternatives(template.text)).replace("..", ".")):
            writer.add(part)
        heading = _HEADING.match(writer.text, start)
        first = writer.drafts[before].start if len(writer.drafts) > before else len(writer.text)
        header_end = heading.end() if heading and heading.end() <= first else start
        sections.append(Section(start, len(writer.text), NAMES[template.section], header_end))
        section_of += [number] * (len(writer.drafts) - before)
    spans = tuple(Span(d.start, d.end, d.label, d.attributes) for d in writer.drafts)
    return Told(writer.text, spans, tuple(d.role for d in writer.drafts), tuple(sections), tuple(section_of))


@dataclass
class _RecordWriter(Writer):
    course: Course = field(init=False)
    day: date = field(init=False)
    memory: Memory = field(init=False)

    def side(self, role: tuple[str, str]) -> str:
        return self.memory.sides.setdefault(role, super().side(role))

    def strength(self, drug: Concept) -> tuple[str, str]:
        return self.memory.doses.setdefault(drug.name, super().strength(drug))

    def fact(self, slot: Slot) -> str:
        if slot.kind == "days":
            return str((self.course.reaction.onset - self.course.reaction.started).days)
        day = {**self.course.dates, "today": self.day}[slot.flags[0]]
        return str(day.year) if slot.kind == "year" else written(day, self.patient.language)


def written(day: date, language: str) -> str:
    """A date as the language writes it."""
    pattern: str = fillers()[language]["date"]
    return day.strftime(pattern.replace("%-d", str(day.day)).replace("%-m", str(day.month)))
