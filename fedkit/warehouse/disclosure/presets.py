"""The limits of disclosure control that others publish as their defaults, as data: DataSHIELD, OpenSAFELY, ACRO.

    PRESETS["acro"].threshold                               # 10
    PRESETS["acro"].at_least(threshold=20, rounding=10)     # what a site with stricter rules of its own holds to

A preset is what its source publishes. Where a source says nothing about a rule, the rule is off (0 or None), and the site's own
settings come on top (`at_least`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from fedkit.governance.table_contract import rounded
from fedkit.warehouse.statistics.limits import Limits


@dataclass(frozen=True)
class Preset:
    """Limits of one choice. source: where they are published.

    threshold: fewest distinct persons behind a figure, from 1.
    rounding:  counts leave as multiples of it; 1 for as they are.
    top_two:   share of a sum that its two largest persons must stay below; None for no limit.
    p_ratio:   what all persons but the two largest must add to a sum, as a share of the largest; None for no limit.
    all_or_nobody: whether a group in which all persons of its line are is kept back.
    groups:    most groups (levels) that one column may be divided into; 0 for no limit.
    parameters: most parameters of a model for each person; None for no limit.
    degrees_of_freedom: fewest persons beyond the parameters of a model.
    difference: least share of all rows, as far as can be told on paper, that two exact answers may differ by (see
        `fedkit.warehouse.memory`); 0 for no limit. No source publishes one: it is ours.
    """

    name: str
    source: str
    threshold: int = 1
    rounding: int = 1
    top_two: float | None = None
    p_ratio: float | None = None
    all_or_nobody: bool = False
    groups: int = 0
    parameters: float | None = None
    degrees_of_freedom: int = 0
    difference: float = 0.001

    @property
    def least(self) -> int:
        """The fewest persons with which a row leaves: `threshold`, or more where rounding would show fewer, or none."""
        count = self.threshold
        while rounded(count, self.rounding) < max(1, self.threshold):
            count += 1
        return count

    def at_least(self, threshold: int = 1, rounding: int = 1) -> Preset:
        """The same, no weaker than these. threshold: persons.   rounding: multiple that counts leave as."""
        return replace(self, threshold=max(self.threshold, threshold), rounding=max(self.rounding, rounding))

    def limits(self) -> Limits:
        """The same limits for statistics (`fedkit.warehouse.statistics`)."""
        return Limits(
            persons=self.threshold,
            per_parameter=float("inf") if self.parameters is None else self.parameters,
            degrees_of_freedom=self.degrees_of_freedom,
            top_two=float("inf") if self.top_two is None else self.top_two,
            rounding=self.rounding,
        )


#: Name → preset, the loosest first.
PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        preset.name: preset
        for preset in (
            Preset(
                "datashield",
                "DataSHIELD: nfilter.tab 3, nfilter.glm 0.33, nfilter.levels.max 40 (wiki.datashield.org, disclosure checks)",
                threshold=3,
                groups=40,
                parameters=0.33,
            ),
            Preset(
                "opensafely",
                "OpenSAFELY: counts up to 7 are redacted, then all are rounded to 5; beware of what holds for a whole group "
                "(docs.opensafely.org, applying statistical disclosure control)",
                threshold=8,
                rounding=5,
                all_or_nobody=True,
            ),
            Preset(
                "acro",
                "ACRO: threshold 10, top two below 90 %, p-ratio 0.1, 10 degrees of freedom, zeros disclose (Smith et al., "
                "Safe machine learning model release and semi-automated checking of research outputs, 2023; default.yaml)",
                threshold=10,
                top_two=0.9,
                p_ratio=0.1,
                all_or_nobody=True,
                degrees_of_freedom=10,
            ),
        )
    }
)

#: What a site holds to that names none: the strictest of each of the three.
STRICTEST = Preset(
    "strictest",
    "the strictest of DataSHIELD's, OpenSAFELY's and ACRO's for each rule",
    threshold=10,
    rounding=5,
    top_two=0.9,
    p_ratio=0.1,
    all_or_nobody=True,
    groups=40,
    parameters=0.33,
    degrees_of_freedom=10,
)
