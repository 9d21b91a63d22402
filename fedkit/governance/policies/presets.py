"""The choices of rules that come with fedkit, each value with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from fedkit.governance.policies.moment import DAYS
from fedkit.governance.policies.settings import PolicySettings
from fedkit.governance.request import PURPOSES


@dataclass(frozen=True)
class Preset:
    """A choice with a name. what: whom it is for.   reasons: setting → why it has its value, for every setting."""

    what: str
    settings: PolicySettings
    reasons: Mapping[str, str]


def _preset(name: str, what: str, **chosen: tuple[object, str]) -> Preset:
    settings = PolicySettings(preset=name, **{key: value for key, (value, _) in chosen.items()})  # type: ignore[arg-type]
    return Preset(what, settings, MappingProxyType({key: why for key, (_, why) in chosen.items()}))


#: Name → preset, the loosest first.
PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        "teaching": _preset(
            "teaching",
            "lessons and trials on notes that nobody has to protect",
            purposes=(PURPOSES, "a lesson may be about any of them"),
            approvals=(1, "one person plays the steward"),
            patients=(0, "samples are small, and nobody is in them"),
            days=(DAYS, "lessons are at any time"),
            hours=("00:00-24:00", "lessons are at any time"),
            time_zone=("UTC", "no hours depend on it"),
            skew=(300, "what the audit takes for drift between site and chain"),
            per_hour=(0, "waiting teaches nothing"),
            quota=(0, "waiting teaches nothing"),
            quota_days=(30, "no quota depends on it"),
            numbers=(1_024, "enough for any example"),
            rows=(1_000, "the most that a table may have"),
            threshold=(3, "the rule can be seen at work on small samples; DataSHIELD's default (nfilter.tab)"),
            rounding=(1, "results can be compared with a count by hand"),
            disclosure=("datashield", "the loosest of those that are published, so that small samples show something"),
            noise=((), "results can be compared with a count by hand"),
            rho_project=(0.0, "there is nobody to protect"),
            rho_user=(0.0, "there is nobody to protect"),
            rho_in_all=(0.0, "there is nobody to protect"),
        ),
        "standard": _preset(
            "standard",
            "a site with notes of patients and researchers that it knows",
            purposes=(PURPOSES, "all for which health data may be used again (EHDS, article 53)"),
            approvals=(1, "one steward reads the code; a second one is the site's choice"),
            patients=(10, "as many as a row of a table must rest on: weights say something of everybody in the data"),
            days=(DAYS, "training runs over night and at weekends"),
            hours=("00:00-24:00", "training runs over night and at weekends"),
            time_zone=("UTC", "no hours depend on it"),
            skew=(300, "what the audit takes for drift between site and chain"),
            per_hour=(600, "one execution in six seconds: above any training, below any program that searches"),
            quota=(5_000, "ten studies of 250 rounds, each with an evaluation"),
            quota_days=(30, "a month"),
            numbers=(256, "metrics of a model by label; many more are a channel"),
            rows=(500, "as much as a person may look through"),
            threshold=(10, "SACRO/ACRO's default; OpenSAFELY withholds up to 7, DataSHIELD below 3"),
            rounding=(5, "OpenSAFELY's rule: differences of two tables say less"),
            disclosure=("strictest", "for each rule the strictest of DataSHIELD, OpenSAFELY and ACRO"),
            noise=((), "exact results under thresholds are what output checkers let out today"),
            rho_project=(0.5, "half of a person's: a second project need not wait for another year's budget"),
            rho_user=(1.0, "where a request does ask for noise: about epsilon 8.4 at delta 1e-6 for all results of one person"),
            rho_in_all=(4.0, "four such persons"),
        ),
        "strict": _preset(
            "strict",
            "a site whose notes are sensitive beyond the usual, or whose researchers are strangers",
            purposes=(
                ("public-health", "policy", "statistics", "research", "care"),
                "lessons can be held on made-up notes",
            ),
            approvals=(2, "two persons: neither a mistake nor a stolen key is enough"),
            patients=(50, "an update averaged over fewer says too much of one of them"),
            days=(("mon", "tue", "wed", "thu", "fri"), "somebody is there who can stop it"),
            hours=("07:00-19:00", "somebody is there who can stop it"),
            time_zone=("UTC", "to be set to the site's own: time_zone"),
            skew=(120, "as far as a signed call may be off"),
            per_hour=(120, "one execution in thirty seconds: enough for training, slow for who searches by asking"),
            quota=(1_000, "two studies of 250 rounds, each with an evaluation"),
            quota_days=(30, "a month"),
            numbers=(64, "metrics by label for a few labels"),
            rows=(100, "a table that fits on two pages"),
            threshold=(20, "twice the standard: rare reactions are what makes somebody known"),
            rounding=(10, "twice the standard"),
            disclosure=("strictest", "for each rule the strictest of DataSHIELD, OpenSAFELY and ACRO"),
            noise=(("count", "table", "analysis", "query"), "only noise with a budget holds against who asks again and again"),
            rho_project=(0.05, "half of a person's, as in the standard"),
            rho_user=(0.1, "about epsilon 2.5 at delta 1e-6 for all results of one person"),
            rho_in_all=(0.5, "about epsilon 5.8 at delta 1e-6 for all results of everybody"),
        ),
    }
)
