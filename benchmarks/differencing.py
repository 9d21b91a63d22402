"""How often somebody learns by subtraction whether one known person has an implant of a kind, under each way to protect counts.

    python benchmarks/differencing.py --targets 150

A site's own tables (made by SQL, fully invented), its engine, its rules, its noise and its memory; no PySyft between, which
would change the time and not the answers. The attacker knows sex, birth year, language and number of notes of a person whom
nobody else equals, and asks pairs: a count of some group with implants, and the same without that person. A difference of 1
says "has one". Half of all targets have one, so guessing is right half of the time. Pairs are of 30 different groups, every
third in disguise. Prints one line of JSON: way → [right after 1 pair, after 30 pairs].
"""

from __future__ import annotations

import argparse
import json
import math
import random
import statistics
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb

from fedkit.errors import OutputRefused
from fedkit.governance.noise import DELTA, epsilon
from fedkit.sites.turns import Call
from fedkit.sites.warehouse.database import VIEWS_FILE, DuckDBTables
from fedkit.sites.warehouse.site_tables import FOLDER, SiteTables
from fedkit.sites.warehouse.synthetic import fill
from fedkit.warehouse.disclosure import Preset, protect
from fedkit.warehouse.memory import Memory
from fedkit.warehouse.noise import noisy
from fedkit.warehouse.predicates import All, Compare, Has, Not, Predicate
from fedkit.warehouse.predicates import Any as AnyOf
from fedkit.warehouse.question import Measure, Protection, Question

SITE, PAIRS, KIND = "no", 30, "J0201"

#: What is to be learnt: whether a person has an implant of this kind (EMDN); and what is known of a person.
SECRET = Has("mentions", All((Compare("label", "in", ("IMPLANT",)), Compare("concept", "in", (KIND,)))))
KNOWN = ("sex", "birth_year", "language", "notes")

THRESHOLD = Preset("threshold", "ACRO", threshold=10)
ROUNDED = Preset("rounded", "ACRO and OpenSAFELY", threshold=10, rounding=5)

Pair = tuple[Question, Question]


@dataclass(frozen=True)
class Target:
    """A person whom nobody else equals in `known`."""

    known: dict[str, str | int]
    has: bool

    def pairs(self, rng: random.Random) -> list[Pair]:
        """Counts of 30 groups that the person is in, with and without the person."""
        return [self._pair(rng, disguised=number % 3 == 2) for number in range(PAIRS)]

    def _pair(self, rng: random.Random, disguised: bool) -> Pair:
        born, notes = int(self.known["birth_year"]), int(self.known["notes"])
        group: list[Predicate] = [
            SECRET,
            Compare("birth_year", ">=", (born - rng.randrange(5, 30),)),
            Compare("birth_year", "<=", (born + rng.randrange(5, 30),)),
        ]
        if rng.randrange(2):
            group.append(Compare("sex", "in", (self.known["sex"],)))
        if rng.randrange(2):
            group.append(Compare("notes", "<=", (notes + rng.randrange(1, 6),)))
        person = All(tuple(Compare(name, "in", (value,)) for name, value in self.known.items()))
        without: Predicate = All((*group, Not(person)))
        if disguised:  # and everybody whom nobody is
            without = AnyOf((without, Compare("birth_year", "in", (1881 + rng.randrange(20),))))
        return _count(All(tuple(group))), _count(without)


def _count(where: Predicate) -> Question:
    return Question("patients", (Measure("persons"),), where)


class Attack:
    """The attack on one site's tables. Exact rows are read once for all ways to protect them."""

    def __init__(self, folder: Path, notes: int, targets: int, seed: int) -> None:
        self.rng = random.Random(seed)
        with DuckDBTables.open(folder / FOLDER) as tables:
            fill(tables, SITE, notes=notes, seed=seed)
        self.targets = self._chosen(folder / FOLDER / VIEWS_FILE, targets)
        self.engine = SiteTables(SITE, folder, None)  # type: ignore[arg-type]  # tables are there: no store is read
        self.asked = [target.pairs(self.rng) for target in self.targets]
        self._rows: dict[tuple[str, str], Sequence[Any]] = {}

    def right(self, answer: Callable[[Pair], Iterable[float]], pairs: int, draws: int = 1) -> float:
        """The share of targets of whom the attacker says right whether they have it, after so many pairs each."""
        right = 0.0
        for target, asked in zip(self.targets, self.asked, strict=True):
            for _ in range(draws):
                found = [difference for pair in asked[:pairs] for difference in answer(pair)]
                mean = statistics.fmean(found) if found else 0.5
                says = self.rng.random() < 0.5 if mean == 0.5 else mean > 0.5
                right += (says == target.has) / draws
        return right / len(self.targets)

    def exact(self, preset: Preset) -> Callable[[Pair], Iterable[float]]:
        """Both counts by a site's rules."""

        def answer(pair: Pair) -> Iterable[float]:
            return self._difference([protect(question, self.rows(question), preset).rows for question in pair])

        return answer

    def remembered(self, preset: Preset) -> Callable[[Pair], Iterable[float]]:
        """The same, where the second question is held against the first alone; a refusal tells nothing."""
        plain = self.exact(preset)

        def answer(pair: Pair) -> Iterable[float]:
            try:
                Memory([pair[0]], SITE).check(pair[1], preset.difference)
            except OutputRefused:
                return ()
            return plain(pair)

        return answer

    def private(self, rho: float) -> Callable[[Pair], Iterable[float]]:
        """Both counts with noise, each for this price; not rounded and not hidden, which only takes from the attacker."""

        def answer(pair: Pair) -> Iterable[float]:
            asked = [replace(question, protection=Protection("noise", rho)) for question in pair]
            return self._difference([noisy(question, self.rows(question)) for question in asked])

        return answer

    def rows(self, question: Question) -> Sequence[Any]:
        """Of the engine. A price changes nothing in what is read, so it is read once for all prices."""
        mode = question.protection.mode
        name = (mode, replace(question, protection=Protection()).digest)
        if name not in self._rows:
            self._rows[name] = self.engine.rows(question, Call())
        return self._rows[name]

    @staticmethod
    def _difference(answers: Sequence[Sequence[Any]]) -> Iterable[float]:
        if all(answers):
            yield float(answers[0][0]["persons"] - answers[1][0]["persons"])

    def _chosen(self, path: Path, count: int) -> list[Target]:
        names = ", ".join(KNOWN)
        owners = f"SELECT person_id FROM mentions WHERE label = 'IMPLANT' AND concept = '{KIND}'"
        persons = f"SELECT *, person_id IN ({owners}) AS has FROM patients WHERE birth_year IS NOT NULL"
        sql = f"SELECT {names}, MAX(has) FROM ({persons}) GROUP BY {names} HAVING COUNT(*) = 1 ORDER BY {names}"
        with duckdb.connect(str(path), read_only=True) as database:
            found = [Target(dict(zip(KNOWN, row, strict=False)), bool(row[-1])) for row in database.execute(sql).fetchall()]
        with_it, without = ([t for t in found if t.has is has] for has in (True, False))
        each = count // 2
        if min(len(with_it), len(without)) < each:
            raise SystemExit(f"too few persons whom nobody equals: {len(with_it)} and {len(without)}")
        return self.rng.sample(with_it, each) + self.rng.sample(without, each)


def rho_of(total: float) -> float:
    """The rho whose epsilon, at delta 1e-6, is `total`."""
    root = math.sqrt(math.log(1 / DELTA) + total) - math.sqrt(math.log(1 / DELTA))
    rho = root**2
    assert abs(epsilon(rho) - total) < 1e-9
    return rho


def measure(folder: Path, notes: int, targets: int, seed: int, draws: int) -> dict[str, Any]:
    attack = Attack(folder, notes, targets, seed)
    rho = rho_of(1.0)
    found: dict[str, Any] = {
        "threshold": [attack.right(attack.exact(THRESHOLD), pairs) for pairs in (1, PAIRS)],
        "rounding": [attack.right(attack.exact(ROUNDED), pairs) for pairs in (1, PAIRS)],
        "memory": [attack.right(attack.remembered(ROUNDED), pairs) for pairs in (1, PAIRS)],
        # All that epsilon 1 buys, in one pair or shared by thirty.
        "budget": [attack.right(attack.private(rho / (2 * pairs)), pairs, draws) for pairs in (1, PAIRS)],
        "targets": len(attack.targets),
        "draws": draws,
        "rho": rho,
    }
    attack.engine.close()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--notes", type=int, default=50_000)
    parser.add_argument("--targets", type=int, default=150)
    parser.add_argument("--draws", type=int, default=20, help="of the noise, for each target")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fedkit-differencing-") as folder:
        print(json.dumps(measure(Path(folder), options.notes, options.targets, options.seed, options.draws)))


if __name__ == "__main__":
    main()
