"""At what price: noise on what leaves, and a budget of it for each person and data set.

The unit is rho of zero-concentrated differential privacy, in which costs add up (Bun and Steinke, "Concentrated Differential
Privacy", TCC 2016, lemma 2.3). The noise itself: `fedkit.governance.noise`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from fedkit.errors import LimitReached, OutputRefused
from fedkit.governance.policies.base import Context, Policy

#: What sums of costs may be off by, as fractions are no exact numbers.
_SLACK = 1e-12


@dataclass(frozen=True)
class PrivacyBudget(Policy):
    """What leaves with noise is paid for, up to a budget; for some kinds of requests nothing leaves without.

    per_user, in_all: rho that one person, and all together, may take of a data set; 0 for no limit.
    kinds: of requests (`fedkit.governance.kinds`) whose entries must declare a privacy cost.
    """

    aspect: ClassVar[str] = "what leaves"

    per_user: float
    in_all: float
    kinds: tuple[str, ...] = ()

    def submits(self, context: Context) -> None:
        if context.request.kind in self.kinds:
            for entry in context.request.entries:
                if entry.privacy is None:
                    raise OutputRefused(
                        f"{entry.name} declares no privacy cost",
                        expected=f"a cost for each entry of a request of kind {context.request.kind}: privacy=Privacy(rho, …)",
                        got="none",
                        help="declare what it may cost and how much one person changes each number; the site adds the noise",
                    )

    def admits(self, context: Context) -> None:
        self.submits(context)
        for limit, spent, whose in (
            (self.per_user, context.spent, "this user's"),
            (self.in_all, context.spent_in_all, "the data set's"),
        ):
            if limit and context.cost > 0 and spent + context.cost > limit + _SLACK:
                raise LimitReached(
                    f"{whose} privacy budget is used up",
                    expected=f"at most rho {limit:g} in all",
                    got=f"{spent:g} spent, {context.cost:g} more asked for",
                    help="ask for a smaller cost (more noise), or the site for a larger budget; what you have stays yours",
                )

    def explain(self) -> str:
        said = []
        if self.kinds:
            said.append(
                f"results of requests of kind {' or '.join(self.kinds)} leave with noise that the site adds, or not at all"
            )
        if self.per_user:
            said.append(f"one person may take rho {self.per_user:g} of a data set's privacy budget")
        if self.in_all:
            said.append(f"all together may take rho {self.in_all:g} of it")
        words = "; ".join(said) or "no budget limits what noise costs"
        return f"{words[0].upper()}{words[1:]}."
