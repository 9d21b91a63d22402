"""Rules about the cells of an answer: few persons, persons who outweigh the others, groups that hold all or nobody."""

from __future__ import annotations

from collections.abc import Iterator

from fedkit.warehouse.disclosure.cells import Cells, Row
from fedkit.warehouse.disclosure.presets import Preset
from fedkit.warehouse.disclosure.rule import Rule


class Threshold(Rule):
    """A row rests on enough distinct persons, and so does every sum in it."""

    name = "threshold"
    source = (
        "DataSHIELD nfilter.tab; OpenSAFELY; ACRO safe_threshold; Hundepool et al., Statistical Disclosure Control, 2012, 4.2"
    )

    def hides(self, cells: Cells, preset: Preset) -> Iterator[int]:
        return (number for number, counts in enumerate(cells.counts()) if min(counts) < preset.least)

    def says(self, preset: Preset) -> str:
        return f"a row leaves only with {preset.least} distinct persons or more in it, and in each of its sums"


class Rounding(Rule):
    """Counts leave as multiples; sums go with them, so that means stay what they are."""

    name = "rounding"
    source = "OpenSAFELY, updated disclosure control guidance"

    def says(self, preset: Preset) -> str:
        return f"counts leave as multiples of {preset.rounding}, and sums in proportion" if preset.rounding > 1 else ""


class Dominance(Rule):
    """No sum is mostly one or two persons': the (n, k) rule with n = 2, and the p % rule."""

    name = "dominance"
    source = "ACRO safe_nk_n 2, safe_nk_k 0.9, safe_pratio_p 0.1; Hundepool et al. 2012, 4.2"

    def hides(self, cells: Cells, preset: Preset) -> Iterator[int]:
        for number, row in enumerate(cells.rows):
            if any(self.dominated(row, column, preset) for column in cells.question.bounds()):
                yield number

    @staticmethod
    def dominated(row: Row, column: str, preset: Preset) -> bool:
        """Whether two persons are most of the sum of a column in a row, or the rest too little to hide the largest.

        Shares are without sign and the sum may have lost some to signs: then they look larger than they are, never smaller.
        """
        share = f"sum_{column}" if f"sum_{column}" in row else f"squares_{column}"
        total, first, second = (abs(row[name]) for name in (share, f"first_{column}", f"second_{column}"))
        if not first:
            return False  # all are zero: nobody is larger than anybody
        if preset.top_two is not None and first + second >= preset.top_two * total:
            return True
        return preset.p_ratio is not None and total - first - second < preset.p_ratio * first

    def says(self, preset: Preset) -> str:
        if preset.top_two is None and preset.p_ratio is None:
            return ""
        return f"a sum leaves only if its two largest persons make up less than {preset.top_two or 1:.0%} of it"


class AllOrNobody(Rule):
    """No line shows that all of its persons are in one group: whoever knows somebody in it would know their group."""

    name = "all or nobody"
    source = "ACRO, class disclosure and zeros_are_disclosive; OpenSAFELY: beware of what is certain of a whole group"

    def hides(self, cells: Cells, preset: Preset) -> Iterator[int]:
        if not preset.all_or_nobody:
            return
        for axis, numbers in cells.lines():
            if len(numbers) == 1 and len(cells.places[axis]) > 1:
                yield numbers[0]

    def says(self, preset: Preset) -> str:
        return (
            "a group that holds all persons of its line does not leave: 100 % here and 0 % elsewhere"
            if preset.all_or_nobody
            else ""
        )


class Complement(Rule):
    """What stays does not follow by subtraction from what leaves, whoever knows the totals."""

    name = "complement"
    source = "Hundepool et al. 2012, 4.4 (secondary suppression); OpenSAFELY (totals recalculated after redaction)"

    def says(self, preset: Preset) -> str:
        return "further rows stay where one that stays could be had by subtraction from a total"
