"""What happens to an invented patient, and when: devices, a drug and what it does, the visits. Drawn once per patient.

All concepts are of the patient's split, so a device stands where its split has a fitting part of the body; devices without one
are given to nobody. What a drug does is drawn by lot: records teach how to find and join words, not pharmacology.

Words of the fields are those of ICH E2B(R3): outcome "recovered", "recovering", "not recovered" or "unknown"; dechallenge
"positive" (it went when the drug was stopped), "negative" or "not done". Seriousness goes by the kind of effect.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from fedkit.notes.synthetic.lexicon import Concept, of_split, only_for
from fedkit.notes.synthetic.render import Patient

_CHEST = ("chest", "collarbone", "axilla")
_LIMB = ("upper arm", "forearm", "wrist", "calf", "collarbone", "heel", "ankle", "thigh", "hand", "foot")

#: Device → where it may sit.
SITES_OF: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("pacemaker", "dual-chamber pacemaker", "resynchronisation pacemaker", "defibrillator"), _CHEST),
    **dict.fromkeys(("atrial lead", "ventricular lead"), ("chest", "heart")),
    "loop recorder": ("chest", "breast", "sternum"),
    **dict.fromkeys(("heart valve prosthesis", "bioprosthetic valve", "transcatheter valve"), ("heart", "aorta")),
    "annuloplasty ring": ("heart",),
    "coronary stent": ("heart",),
    "stent graft": ("aorta",),
    "carotid stent": ("neck",),
    "vena cava filter": ("groin", "abdomen"),
    "vascular graft": ("upper arm", "forearm", "thigh", "groin"),
    "venous port": ("collarbone", "chest"),
    "hip prosthesis": ("hip",),
    "knee prosthesis": ("knee",),
    "shoulder prosthesis": ("shoulder",),
    "ankle prosthesis": ("ankle",),
    "elbow prosthesis": ("elbow",),
    "bone plate": _LIMB,
    "titanium screw": (*_LIMB, "cheek", "jaw"),
    "intramedullary nail": ("thigh", "calf", "hip", "upper arm"),
    "Kirschner wire": ("wrist", "thumb", "hand", "toe"),
    "pedicle screw": ("thoracic spine", "lumbar spine"),
    "disc prosthesis": ("cervical spine", "lumbar spine"),
    **dict.fromkeys(("cochlear implant", "stapes prosthesis", "middle ear implant"), ("ear",)),
    "bone-anchored implant": ("temple", "skull"),
    "deep brain stimulator": ("brain", "chest"),
    "vagus nerve stimulator": ("neck", "collarbone", "axilla"),
    "spinal cord stimulator": ("lumbar spine", "sacrum"),
    "sacral nerve stimulator": ("sacrum", "flank"),
    **dict.fromkeys(("ventriculoperitoneal shunt", "shunt valve"), ("brain", "skull")),
    **dict.fromkeys(("baclofen pump", "pain pump"), ("abdomen", "flank")),
    "aneurysm clip": ("brain",),
    **dict.fromkeys(("breast implant", "silicone prosthesis"), ("breast", "chest")),
    "tissue expander": ("breast", "cheek", "abdomen"),
    **dict.fromkeys(("intraocular lens", "glaucoma valve", "corneal implant"), ("eye",)),
    "hernia mesh": ("abdomen", "groin", "flank", "diaphragm"),
    "urethral sling": ("bladder", "pelvis"),
    "sphincter prosthesis": ("bladder", "rectum"),
    "pelvic mesh": ("pelvis", "groin", "sacrum"),
}

#: What is at times left in the body when it is no longer used: electrodes, drains, what has grown in.
LEFT_BEHIND = frozenset(
    {
        *("atrial lead", "ventricular lead", "ventriculoperitoneal shunt", "shunt valve", "titanium screw"),
        *("spinal cord stimulator", "sacral nerve stimulator", "deep brain stimulator", "vagus nerve stimulator"),
    }
)

#: Outcome and dechallenge go together.
_ENDS = (("recovered", "positive"), ("not recovered", "negative"), ("recovering", "not done"))
_ENDS_WEIGHTS = (5, 2, 3)


@dataclass(frozen=True)
class Device:
    """An implant. status: "present", "removed" or "abandoned": no longer used, left in the body. removed: None if never."""

    implant: Concept
    manufacturer: Concept
    model: Concept
    site: Concept
    implanted: date
    removed: date | None
    status: str


@dataclass(frozen=True)
class Reaction:
    """A drug and what it did. `second`: an effect beside the first."""

    drug: Concept
    effect: Concept
    second: Concept
    started: date
    onset: date
    stopped: date | None
    seriousness: str
    outcome: str
    dechallenge: str


@dataclass(frozen=True)
class Encounter:
    """A visit that leaves a note. kind: "surgery", "outpatient", "medication list", "admission", "nursing",
    "radiology referral" or "discharge"."""

    kind: str
    day: date
    sections: tuple[str, ...]


@dataclass(frozen=True)
class Course:
    """A patient's story. `cast`: (label, index of the slot) → the concept that plays it in every note."""

    patient: Patient
    split: str
    devices: tuple[Device, ...]
    reaction: Reaction
    encounters: tuple[Encounter, ...]
    cast: Mapping[tuple[str, str], Concept]
    dates: Mapping[str, date]


def draw_course(patient: Patient, split: str, rng: random.Random) -> Course:
    """The course of a patient, of concepts of the split. `rng` decides everything."""
    admitted = date(2015, 1, 1) + timedelta(rng.randrange(3650))
    implanted = admitted - timedelta(rng.randint(120, 2500))
    fitting = [c for c in of_split("IMPLANT", split) if _sites(c, split) and _fits(c, patient)]
    first = _device(rng.choice(fitting), split, rng, implanted)
    devices = [first]
    if rng.random() < 0.6:
        devices.append(_earlier(first, fitting, split, rng))
    drugs = [c for c in of_split("DRUG", split) if _fits(c, patient)]
    oral = [c for c in drugs if c.facts["route"] == "oral"]
    regular = rng.sample(oral, 3)
    others = rng.sample([c for c in drugs if c not in regular], 4)
    antibiotic = rng.choice([c for c in drugs if c.group == "antibiotic" and c not in (*regular, *others)] or regular)
    effects = rng.sample([c for c in of_split("REACTION", split) if _fits(c, patient)], 8)
    # What a parent died of, and is remembered for, is no runny nose.
    serious = [c for c in of_split("REACTION", split) if c.group == "serious" and c not in effects and _fits(c, patient)]
    effects.insert(4, rng.choice(serious))
    started = admitted - timedelta(rng.randint(4, 25))
    onset = started + timedelta(rng.randint(2, 3 + (admitted - started).days - 3))
    outcome, dechallenge = rng.choices(_ENDS, _ENDS_WEIGHTS)[0]
    stopped = None if dechallenge == "not done" else admitted + timedelta(rng.randint(0, 1))
    reaction = Reaction(others[0], effects[0], effects[1], started, onset, stopped, effects[0].group, outcome, dechallenge)
    removal = admitted + timedelta(rng.randint(200, 900)) if rng.random() < 0.25 else None
    if removal:
        devices[0] = replace(first, removed=removal, status="removed")
    cast: dict[tuple[str, str], Concept] = {}
    for index, device in zip(("", "2"), devices, strict=False):
        cast |= {
            ("IMPLANT", index): device.implant,
            ("MANUFACTURER", index): device.manufacturer,
            ("MODEL", index): device.model,
            ("BODY_SITE", index): device.site,
        }
    used = {d.implant.name for d in devices}
    cast["IMPLANT", "3"] = rng.choice([c for c in of_split("IMPLANT", split) if c.name not in used])
    sites = [c for c in of_split("BODY_SITE", split) if _fits(c, patient)]
    cast["BODY_SITE", "3"] = rng.choice([c for c in sites if c != first.site])
    cast["BODY_SITE", "4"] = rng.choice([c for c in sites if c.facts["depth"] == "surface" and c != cast["BODY_SITE", "3"]])
    # Slots: the suspect, its replacement, three regular drugs, what was not tolerated, what a relative takes, an antibiotic.
    order = (others[0], others[1], *regular, others[2], others[3], antibiotic)
    cast |= {("DRUG", "" if i == 0 else str(i + 1)): drug for i, drug in enumerate(order)}
    cast |= {("REACTION", "" if i == 0 else str(i + 1)): effect for i, effect in enumerate(effects)}
    dates = {"implanted": implanted, "admitted": admitted, "started": started, "onset": onset, "stopped": stopped or admitted}
    if removal:
        dates["removal"] = removal
    if len(devices) > 1:
        dates |= {"before": devices[1].implanted, "gone": devices[1].removed or devices[1].implanted}
    encounters = _encounters(devices, reaction, implanted, admitted, removal, rng)
    return Course(patient, split, tuple(devices), reaction, encounters, cast, dates)


def _encounters(
    devices: Sequence[Device],
    reaction: Reaction,
    implanted: date,
    admitted: date,
    removal: date | None,
    rng: random.Random,
) -> tuple[Encounter, ...]:
    old = ({"abandoned": ("lead",), "removed": ("removed",)}[devices[1].status]) if len(devices) > 1 else ()
    left = old if old == ("lead",) else ()
    outcome = {"positive": "good", "negative": "bad", "not done": "kept"}[reaction.dechallenge]
    # Where the drug is kept, nobody writes that it was stopped.
    assess = () if reaction.dechallenge == "not done" else ("assess",)

    def some(*names: str) -> tuple[str, ...]:
        return tuple(name for name in names if rng.random() < 0.5)

    found = [
        Encounter("surgery", implanted, ("op",)),
        Encounter("outpatient", implanted + timedelta(rng.randint(30, 100)), ("check", *some("status", "noise"))),
        Encounter("admission", admitted, ("reason", "past", *old, *some("family"), "cave", "status", *assess)),
        Encounter("medication list", admitted, ("medlist",)),
        Encounter("nursing", admitted + timedelta(1), ("nurse", *some("noise"))),
        Encounter("radiology referral", admitted + timedelta(rng.randint(1, 2)), ("mri", *left, *some("cave"))),
        Encounter(
            "discharge", admitted + timedelta(rng.randint(4, 10)), (outcome, "medlist", *some("past", "family", "noise"))
        ),
        Encounter("outpatient", admitted + timedelta(rng.randint(30, 110)), (outcome, "check", *some("status"))),
    ]
    if removal:
        found.append(Encounter("surgery", removal, ("explant",)))
    return tuple(sorted(found, key=lambda e: e.day))


def _earlier(first: Device, fitting: Sequence[Concept], split: str, rng: random.Random) -> Device:
    """A device of earlier years: taken out, or left where it is."""
    others = [c for c in fitting if c != first.implant]
    left = [c for c in others if c.name in LEFT_BEHIND]
    abandoned = bool(left) and rng.random() < 0.5
    since = first.implanted - timedelta(rng.randint(1200, 4500))
    until = None if abandoned else since + timedelta(rng.randint(200, 1100))
    device = _device(rng.choice(left if abandoned else others), split, rng, since)
    return replace(device, removed=until, status="abandoned" if abandoned else "removed")


def _device(implant: Concept, split: str, rng: random.Random, implanted: date) -> Device:
    maker = rng.choice([m for m in of_split("MANUFACTURER", split) if m.group == implant.group])
    model = rng.choice([m for m in of_split("MODEL", split) if m.facts["manufacturer"] == maker.name])
    return Device(implant, maker, model, rng.choice(_sites(implant, split)), implanted, None, "present")


def _sites(implant: Concept, split: str) -> list[Concept]:
    return [c for c in of_split("BODY_SITE", split) if c.name in SITES_OF.get(implant.name, ())]


def _fits(concept: Concept, patient: Patient) -> bool:
    return only_for().get(concept.name, patient.sex) == patient.sex
