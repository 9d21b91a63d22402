"""Filling templates: one note's text with its spans, from a list of templates and a patient."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from fedkit.notes.concepts.grammar import form
from fedkit.notes.note import Span
from fedkit.notes.synthetic.lexicon import Concept, fillers, of_split, only_for
from fedkit.notes.synthetic.templates import Slot, alternatives, parts

_DEVICE = ("IMPLANT", "MANUFACTURER", "MODEL")
_PAIRED = ("limb", "paired")  # groups of body parts that have a left and a right one


@dataclass(frozen=True)
class Patient:
    """Nobody: an invented person. `sex` is "female" or "male", `age` in years."""

    id: str
    language: str
    sex: str
    age: int


def render(texts: Sequence[str], patient: Patient, split: str, rng: random.Random) -> tuple[str, tuple[Span, ...]]:
    """The note made of these templates, a paragraph each, and its spans in order. Words come from the split's concepts only."""
    writer = Writer(patient, split, rng)
    for number, text in enumerate(texts):
        if number:
            writer.text += "\n"
        chosen = "".join(rng.choice(options) for options in alternatives(text)).replace("..", ".")
        for part in parts(chosen):
            writer.add(part)
    return writer.text, tuple(Span(d.start, d.end, d.label, d.attributes) for d in writer.drafts)


@dataclass
class Draft:
    """A span while its note is being written. `role` is the name of its slot, such as DRUG2."""

    start: int
    end: int
    label: str
    attributes: dict[str, str]
    role: tuple[str, str]


@dataclass
class Writer:
    """Puts templates into words. What it draws is the note's own; a record's writer (`records.writing`) draws nothing twice."""

    patient: Patient
    split: str
    rng: random.Random
    text: str = ""
    drafts: list[Draft] = field(default_factory=list)
    cast: dict[tuple[str, str], Concept] = field(default_factory=dict)  # (label, index) → who plays it in this note
    drug: Concept | None = None

    def add(self, part: str | Slot) -> None:
        if isinstance(part, str):
            # An abbreviation's full stop ends the sentence too: "x 2 dgl." and ". Tbl." make one.
            self.text += part.removeprefix(".") if self.text.endswith(".") else part
        elif part.kind == "number":
            self.text += str(self.rng.randint(part.low, part.high))
        elif part.kind == "age":
            self.text += str(self.patient.age)
        elif part.kind == "sex":
            word = self._words[self.patient.sex + ("_definite" if "def" in part.flags else "")]
            self.text += _capital(word) if part.capital else word
        elif part.kind in ("date", "year", "days"):
            self.text += self.fact(part)
        elif part.kind == "dose":
            self._dose()
        elif part.kind == "why":
            assert self.drug is not None, "{why} before any drug"
            self.text += self.rng.choice(self._words["why"][self.drug.group])
        else:
            self._entity(part)

    @property
    def _words(self) -> dict:
        return fillers()[self.patient.language]  # type: ignore[return-value]

    def _entity(self, slot: Slot) -> None:
        concept = self._concept(slot)
        attributes, role = dict(slot.attributes), (slot.kind, slot.index)
        case = next((f for f in slot.flags if f != "lat"), "")
        if "lat" in slot.flags and concept.group in _PAIRED:
            side = self.side(role)
            attributes["laterality"] = side
            entry = self._words[side].split("/")
            # A side is an adjective: in Finnish and Estonian it takes the case of the body part, elsewhere it stands unchanged.
            word = form(self.patient.language, entry, case) if len(entry) > 1 else entry[0]
            self.text += (_capital(word) if slot.capital else word) + " "
            slot = Slot(slot.kind, capital=False)
            case = case if len(entry) > 1 else "indef"
        elif "lat" in slot.flags and not case and self.patient.language in ("nb", "nn", "sv", "da"):
            case = "def"
        word = form(self.patient.language, concept.forms[self.patient.language], case)
        if concept.label == "REACTION":
            attributes["seriousness"] = concept.group
        if slot.capital:
            word = _capital(word)
        self.drafts.append(Draft(len(self.text), len(self.text) + len(word), concept.label, attributes, role))
        self.text += word
        if concept.label == "DRUG":
            self.drug = concept

    def _dose(self) -> None:
        assert self.drug is not None, "{dose} before any drug"
        facts = self.drug.facts
        strength, times = self.strength(self.drug)
        pattern = self._words["dose" if facts["route"] == "oral" else "injection"]
        self.text += pattern.format(strength=strength, times=times, route=facts["route"])
        draft = next(d for d in reversed(self.drafts) if d.label == "DRUG")
        draft.attributes |= {"dose": strength, "route": facts["route"]}

    def side(self, role: tuple[str, str]) -> str:
        """ "left" or "right" for a body site that has both."""
        return self.rng.choice(("left", "right"))

    def strength(self, drug: Concept) -> tuple[str, str]:
        """Strength and times a day of a drug, as written."""
        amounts, unit = drug.facts["strengths"].rsplit(" ", 1)
        strength = f"{self.rng.choice(amounts.split(',')).replace('.', ',')} {unit}"
        return strength, self.rng.choice(drug.facts["times"].split(","))

    def fact(self, slot: Slot) -> str:
        """What stands for {date:…}, {year:…} and {days}: only a record knows any."""
        raise ValueError(f"no facts for {slot.kind}")

    def _concept(self, slot: Slot) -> Concept:
        key = (slot.kind, slot.index)
        if key not in self.cast:
            if slot.kind in _DEVICE:
                self._cast_device(slot)
            else:
                self.cast[key] = self._draw(slot.kind, slot.group)
        return self.cast[key]

    def _cast_device(self, slot: Slot) -> None:
        # What, by whom and which model are drawn together, so that no hip comes from a maker of pacemakers.
        implant = self._draw("IMPLANT", slot.group)
        maker = self._draw("MANUFACTURER", implant.group)
        model = self.rng.choice([m for m in of_split("MODEL", self.split) if m.facts["manufacturer"] == maker.name])
        self.cast |= {(c.label, slot.index): c for c in (implant, maker, model)}

    def _draw(self, label: str, group: str) -> Concept:
        taken = {c.name for c in self.cast.values()}
        fitting = [
            c
            for c in of_split(label, self.split)
            if group in ("", c.group, *c.facts.values()) and only_for().get(c.name, self.patient.sex) == self.patient.sex
        ]
        # A group can be used up in a long note; then a name comes twice, as in real notes.
        return self.rng.choice([c for c in fitting if c.name not in taken] or fitting)


def _capital(word: str) -> str:
    return word[:1].upper() + word[1:]
