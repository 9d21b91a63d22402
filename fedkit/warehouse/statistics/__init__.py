"""Statistics over all sites as if they were one, without a row leaving any of them.

    from fedkit.warehouse.statistics import Amount, Flag, Group, Statistics

    statistics = Statistics(ask)            # ask: puts a question to all sites, see `base.Ask`
    statistics.moments(view="patients", of=Amount("birth_year", 1900, 2020), by=Group("sex"))
    statistics.glm(view="patients", family="binomial", response=Flag("implant", …), terms=(Group("sex"),)).table()

What is where: base (a question, a site's step, what comes back) · frames and variables (what a site selects) · limits (what no
statistic may tell) · moments · contingency and association · quantiles · families, glm (a step) and fitting (the model) ·
survival (counts) and curves (Kaplan-Meier, log-rank) · explaining (in words) · asking (all under one roof).
"""

from fedkit.warehouse.groups import Group
from fedkit.warehouse.statistics.asking import Statistics
from fedkit.warehouse.statistics.base import Ask, Replies, SiteAnswer, Statistic
from fedkit.warehouse.statistics.limits import Limits
from fedkit.warehouse.statistics.survival import Event
from fedkit.warehouse.statistics.variables import Amount, Flag

__all__ = ["Amount", "Ask", "Event", "Flag", "Group", "Limits", "Replies", "SiteAnswer", "Statistic", "Statistics"]
