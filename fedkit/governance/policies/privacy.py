"""At what price: noise on what leaves, and a budget of it for each person and data set.

The unit is rho of zero-concentrated differential privacy, in which costs add up (Bun and Steinke, "Concentrated Differential
Privacy", TCC 2016, lemma 2.3). The noise itself: `fedkit.governance.noise`.

A training with noise costs epsilon, of which no rho follows; so where there is one, both are counted in epsilon: what rho was
spent as its epsilon at `DELTA`, and trainings on top (basic composition). The budget is the epsilon of its rho.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from fedkit.errors import LimitReached, OutputRefused
from fedkit.governance.kinds import KINDS
from fedkit.governance.noise import DELTA, epsilon
from fedkit.governance.policies.base import Context, Policy
from fedkit.governance.request import CodeRequest

#: What sums of costs may be off by, as fractions are no exact numbers.
_SLACK = 1e-12


@dataclass(frozen=True)
class PrivacyBudget(Policy):
    """What leaves with noise is paid for, up to a budget; for some kinds of requests nothing leaves without.

    per_user, in_all: rho that one person, and all together, may take of a data set; 0 for no limit.
    per_project: rho that one person may take of it under one permit; 0 for no limit but the person's.
    kinds: of requests (`fedkit.governance.kinds`) whose entries must declare a privacy cost; of a training, those with weights
        their noise, while its counts are scores.
    """

    aspect: ClassVar[str] = "what leaves"

    per_user: float
    in_all: float
    kinds: tuple[str, ...] = ()
    per_project: float = 0.0

    def submits(self, context: Context) -> None:
        if KINDS[context.request.kind].questions:
            self._questions(context)
        elif context.request.kind in self.kinds:
            for entry in context.request.entries:
                if context.request.kind == "training" and not entry.contract.tensors:
                    continue
                if entry.privacy is None and entry.noise is None:
                    raise OutputRefused(
                        f"{entry.name} declares no privacy cost",
                        expected=f"a cost for each entry of a request of kind {context.request.kind}: privacy=Privacy(rho, …)",
                        got="none",
                        help="declare what it may cost and how much one person changes each number; the site adds the noise",
                    )

    def _questions(self, context: Context) -> None:
        """Of the questions of a request, each has noise or none; the request says what they may cost together."""
        asked, private = context.answers is not None, context.request.kind in self.kinds
        if private and (not declared_rho(context.request) or (asked and not context.noise)):
            raise OutputRefused(
                "this site answers questions with noise only" if asked else "the request declares no privacy cost",
                expected="a question with noise, at a cost (rho) within the request's" if asked else "rho=… above 0",
                got="a question without noise" if asked else "none",
                help='ask it with noise: Protection("noise", rho=…)' if asked else "say what the questions may cost together",
            )

    def admits(self, context: Context) -> None:
        self.submits(context)
        for limit, spent, trained, whose in (
            (self.per_project, context.spent_on_project, context.epsilon_on_project, "this project's"),
            (self.per_user, context.spent, context.epsilon_spent, "this user's"),
            (self.in_all, context.spent_in_all, context.epsilon_in_all, "the data set's"),
        ):
            if not limit or (context.cost <= 0 and context.epsilon <= 0):
                continue
            if trained or context.epsilon:
                counted, more = epsilon(spent) + trained, epsilon(spent + context.cost) - epsilon(spent) + context.epsilon
                if counted + more > epsilon(limit) + _SLACK:
                    raise LimitReached(
                        f"{whose} privacy budget is used up",
                        expected=f"at most epsilon {epsilon(limit):.3g} in all (rho {limit:g} at delta {DELTA:g})",
                        got=f"{counted:.3g} spent, {more:.3g} more asked for",
                        help="train fewer rounds or with more noise, or ask for a larger budget; what you have stays yours",
                    )
            elif spent + context.cost > limit + _SLACK:
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
        if self.per_project:
            said.append(f"one person may take rho {self.per_project:g} of a data set's privacy budget under one permit")
        if self.per_user:
            said.append(f"one person may take rho {self.per_user:g} of a data set's privacy budget")
        if self.in_all:
            said.append(f"all together may take rho {self.in_all:g} of it")
        words = "; ".join(said) or "no budget limits what noise costs"
        return f"{words[0].upper()}{words[1:]}."


@dataclass(frozen=True)
class DeclaredBudget(Policy):
    """The questions of one request cost no more together than the request declares, which is what its stewards approved."""

    aspect: ClassVar[str] = "how often"

    def admits(self, context: Context) -> None:
        if not KINDS[context.request.kind].questions or context.cost <= 0:
            return
        declared = declared_rho(context.request)
        if context.spent_on_request + context.cost > declared + _SLACK:
            raise LimitReached(
                "the privacy budget of this request is used up",
                expected=f"at most rho {declared:g} for all its questions",
                got=f"{context.spent_on_request:g} spent, {context.cost:g} more asked for",
                help="ask with a smaller cost, or open another data request; what was answered may be asked again at no cost",
            )

    def explain(self) -> str:
        return "The questions of one data request cost no more privacy together than the request says."


def declared_rho(request: CodeRequest) -> float:
    """What the questions of a request may cost together, as its settings say; 0.0 where they say nothing that is a cost."""
    rho = request.settings.get("rho", 0.0)
    return float(rho) if isinstance(rho, int | float) and not isinstance(rho, bool) and math.isfinite(rho) else 0.0
