"""The concepts behind the labels, and the split each belongs to.

A concept (a drug, a device model, a knee) has one entry per language and belongs to one split in all of them, whatever the
seed. So a form of the test split stands in no site's training notes. Within each group of a table the concepts are ranked by a
hash of their name and dealt out by a fixed pattern: every group has concepts in every split. A model follows its manufacturer.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

from fedkit.notes.concepts import tables

#: Of each ten concepts of a group, six are for training, two for dev and two for test; the first three cover every split.
_DEAL = ("train", "test", "dev", "train", "train", "train", "test", "train", "train", "dev")


@dataclass(frozen=True)
class Concept:
    """One thing and its words. `forms`: language → entry (see `grammar`). `facts`: the table's other columns."""

    label: str
    name: str
    group: str
    split: str
    forms: Mapping[str, tuple[str, ...]]
    facts: Mapping[str, str] = field(default_factory=dict)


@cache
def concepts(label: str) -> tuple[Concept, ...]:
    """All concepts of a label, in the order of its table."""
    found = tables.entries(label)
    if label == "MODEL":
        makers = {m.name: m for m in concepts("MANUFACTURER")}
        owners = {e.name: makers[e.facts["manufacturer"]] for e in found}
        return tuple(Concept(label, e.name, owners[e.name].group, owners[e.name].split, e.forms, e.facts) for e in found)
    splits = _deal({e.name: e.group for e in found})
    return tuple(Concept(label, e.name, e.group, splits[e.name], e.forms, e.facts) for e in found)


@cache
def of_split(label: str, split: str) -> tuple[Concept, ...]:
    """The concepts of a label in a split."""
    return tuple(c for c in concepts(label) if c.split == split)


@cache
def only_for() -> Mapping[str, str]:
    """Concept name → the sex it fits ("female" or "male"), for those that do not fit both."""
    return {name: sex for sex, names in fillers()["only"].items() for name in names}


@cache
def fillers() -> Mapping[str, Mapping]:
    """The phrases between the labelled words, by language (`data/fillers.toml`)."""
    return tomllib.loads(_data("fillers.toml"))


def _deal(groups: Mapping[str, str]) -> dict[str, str]:
    ranked = sorted(groups, key=lambda name: hashlib.sha256(name.encode()).digest())
    seen: dict[str, int] = {}
    splits: dict[str, str] = {}
    for name in ranked:
        number = seen[groups[name]] = seen.get(groups[name], -1) + 1
        splits[name] = _DEAL[number % len(_DEAL)]
    return splits


def _data(name: str) -> str:
    return files("fedkit.notes.synthetic").joinpath("data", *name.split("/")).read_text("utf-8")
