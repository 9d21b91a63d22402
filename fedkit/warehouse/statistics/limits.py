"""What a site lets no statistic tell, as rules with a name and a source. Each raises OutputRefused with what to do instead.

They are looked at when the site has its sums and before any of them leaves; the site's rules about tables come on top. A
refusal tells which declared part of a question is too small, never a figure.

Sources: DataSHIELD, `nfilter.tab` 3 and `nfilter.glm` 0.33 (Wilson et al., "DataSHIELD – new directions and dimensions", 2017);
ACRO, degrees of freedom 10, top two below 90 % (Smith et al., "Safe machine learning model release and semi-automated checking
of research outputs", 2023; Hundepool et al., "Statistical Disclosure Control", Wiley 2012, 4.2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fedkit.errors import OutputRefused
from fedkit.governance.table_contract import rounded
from fedkit.warehouse.statistics.frames import PERSON, Columns, by_person, persons_in


@dataclass(frozen=True)
class Limits:
    """The limits of a site; the defaults are the stricter of DataSHIELD's and ACRO's.

    persons:            fewest distinct persons behind a figure, and on either side of a yes or no.
    per_parameter:      most parameters of a model for each person ("saturated" beyond).
    degrees_of_freedom: fewest persons beyond the parameters.
    top_two:            share of a sum that its two largest persons stay below.
    linear_predictor:   largest |eta| of a binomial model; beyond it the model says 0 % or 100 % of somebody.
    rounding:           counts leave as multiples of it; 1 for as they are.
    """

    persons: int = 10
    per_parameter: float = 0.33
    degrees_of_freedom: int = 10
    top_two: float = 0.9
    linear_predictor: float = 15.0
    rounding: int = 1

    def enough(self, persons: int, what: str) -> None:
        """Rule "threshold": nobody, or at least `persons`. what: a declared name."""
        if 0 < persons < self.persons:
            raise OutputRefused(
                f"{what} rests on too few persons",
                expected=f"at least {self.persons} distinct persons",
                got="fewer",
                help="ask about more persons, or with noise",
            )

    def two_sided(self, yes: int, no: int, what: str) -> None:
        """Rules "threshold" and "all or nobody" of a yes or no: both sides have enough persons, and neither is empty."""
        if min(yes, no) < self.persons:
            raise OutputRefused(
                f"{what} divides the persons too unevenly",
                expected=f"at least {self.persons} distinct persons on either side",
                got="fewer",
                help="merge it with another group, or leave it out",
            )

    def in_proportion(self, sums: Sequence[float]) -> list[float]:
        """Sums as they leave beside their rounded count. sums: the count first.

        They go with the count in proportion, so that their ratios stay, and to a tenth: of exact ratios one could tell of which
        count they are fractions. Without rounding they stay as they are.
        """
        n = round(sums[0])
        if self.rounding <= 1 or not n:
            return list(sums)
        return [float(rounded(n, self.rounding)), *(round(s * rounded(n, self.rounding) / n, 1) for s in sums[1:])]

    def cross(self, columns: Columns, places: Sequence[np.ndarray], what: str) -> None:
        """Rule "threshold" of the table of several variables. places: of each, the group of every row, from 0."""
        if not places:
            return
        cell = np.zeros(len(places[0]), dtype=np.int64)
        for place in places:
            _, cell = np.unique(cell * (int(place.max(initial=0)) + 1) + place, return_inverse=True)
        _, person = np.unique(columns[PERSON], return_inverse=True)
        pairs = np.unique(cell * (int(person.max(initial=0)) + 1) + person)
        if len(pairs) and int(np.unique(pairs // (int(person.max()) + 1), return_counts=True)[1].min()) < self.persons:
            raise OutputRefused(
                f"a cell of the table {what} has too few persons, and the sums would tell it",
                expected=f"at least {self.persons} distinct persons in each cell that is not empty",
                got="fewer",
                help="leave a term out, or merge groups",
            )

    def no_empty(self, one: np.ndarray, other: np.ndarray, what: str) -> None:
        """Rule "all or nobody" of two variables. one, other: the group of every row, from 0."""
        if self.persons and len(one):
            table = np.bincount(one * (int(other.max()) + 1) + other, minlength=(int(one.max()) + 1) * (int(other.max()) + 1))
            if not table.all():
                raise OutputRefused(
                    f"in a group of {what} it is the same for everybody",
                    expected="persons in every cell of the table",
                    got="an empty one",
                    help="leave the term out, or merge groups",
                )

    def model(self, persons: int, parameters: int) -> None:
        """Rules "saturated" and "degrees of freedom"."""
        if parameters > self.per_parameter * persons:
            raise OutputRefused(
                "the model has too many parameters for the persons behind it",
                expected=f"at most {self.per_parameter:g} parameters a person at each site",
                got=f"{parameters} parameters",
                help="leave terms out: a model that fits every person repeats them",
            )
        if persons - parameters < self.degrees_of_freedom:
            raise OutputRefused(
                "the model leaves too few degrees of freedom",
                expected=f"at least {self.degrees_of_freedom} persons more than parameters at each site",
                got=f"{parameters} parameters",
                help="leave terms out, or ask about more persons",
            )

    def amount(self, columns: Columns, values: np.ndarray, what: str) -> None:
        """Rules "threshold" and "dominance" of an amount: its bounds leave more than a few persons between them, and no two
        persons make up what its sums tell.

        values: of each row, cut to the bounds and scaled to -1 … 1. A sum over values of which all but few lie at one bound is
        about those few.
        """
        if not len(values):
            return
        for side, inside in (("above the lower", values > -1), ("below the upper", values < 1)):
            if persons_in(columns, inside) < self.persons:
                raise OutputRefused(
                    f"too few persons lie {side} bound of {what}",
                    expected=f"at least {self.persons} distinct persons",
                    got="fewer",
                    help="give wider bounds",
                )
        for parts in (values + 1, 1 - values, np.abs(values - values.mean())):
            self.no_dominance(by_person(columns, parts), f"the spread of {what}")

    def no_dominance(self, parts: np.ndarray, what: str) -> None:
        """Rule "dominance" of a sum of sizes. parts: what each person adds, 0 or more."""
        total = float(parts.sum())
        if len(parts) and total > 0 and float(np.sort(parts)[-2:].sum()) >= self.top_two * total:
            raise OutputRefused(
                f"two persons make up most of {what}",
                expected=f"less than {self.top_two:.0%} of a sum by its two largest persons",
                got="more",
                help="cut the values to tighter bounds, or ask about more persons",
            )


#: No limit at all: for questions whose answer leaves with noise, and to compare with pooled figures in tests.
NONE = Limits(
    persons=0, per_parameter=float("inf"), degrees_of_freedom=-(10**9), top_two=float("inf"), linear_predictor=float("inf")
)
