"""The warehouse on one page: what is there, a question, what the sites would do and what it costs, the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import ipywidgets

from fedkit.errors import RequestError
from fedkit.results.warehouse import WarehouseAnswer
from fedkit.warehouse.explain import explain
from fedkit.warehouse.question import Question
from fedkit.widgets.base import FedkitWidget, button, escape, facts_html, table_html
from fedkit.widgets.warehouse_answer import answer_html
from fedkit.widgets.warehouse_budget import Budget, budget_html
from fedkit.widgets.warehouse_form import QueryForm
from fedkit.widgets.warehouse_plan import Plans, askable, plan_html, plan_text, rho

if TYPE_CHECKING:
    from fedkit.study.warehouse import Warehouse


class Asking(Protocol):
    """What the desk does with a data request; `warehouse_asking.WarehouseAsking` has it for a `fedkit.Warehouse`."""

    @property
    def title(self) -> str:
        """Of the data request."""

    @property
    def sites(self) -> Sequence[str]:
        """The sites that are asked."""

    @property
    def known(self) -> Mapping[str, Sequence[str]]:
        """Column → words that the sites' catalogues have."""

    def about(self) -> str:
        """The catalogue as HTML; "" where there is none."""

    def budgets(self) -> Sequence[Budget]:
        """What is left at each site."""

    def plan(self, question: Question) -> Plans:
        """What each site would do, or why it did not say."""

    def run(self, question: Question) -> WarehouseAnswer:
        """Ask it, at all sites at the same time."""


class WarehouseDesk(FedkitWidget):
    """Ask the warehouse.

    asking: the data request that the questions are asked under.   **values: of the first question, as `QueryForm.set` has them.

    `form` is the question, `plans` what the sites said of it, `answers` what was answered, newest last, `budgets` what is left
    at each site. `plan()`, `ask()` and `look()` do what the buttons do. Nothing is asked before its plan was shown: a changed
    question has to be planned again.
    """

    def __init__(self, asking: Asking, **values: Any) -> None:
        super().__init__()
        self._asking = asking
        self.plans: Plans = {}
        self.planned: Question | None = None
        self.answers: list[WarehouseAnswer] = []
        self.budgets: Sequence[Budget] = ()
        self.form = QueryForm(asking.known)
        self._left, self._words, self._shown, self._answer, self._before = (ipywidgets.HTML() for _ in range(5))
        self._plan_button = button("Plan: what would it cost?", partial(self._in_background, self._plan))
        self._ask_button = button("Ask", partial(self._in_background, self._ask), "go")
        self._look_button = button("What is left?", partial(self._in_background, self._look))
        about = asking.about()
        self._fill(
            ipywidgets.HTML(
                f'<h3>Data warehouse: {escape(asking.title)}</h3><p class="fk-soft">No note leaves its site. Put a question'
                " together, look at what the sites would do, then ask.</p>"
                + (f"<details><summary>What there is at {len(asking.sites)} sites</summary>{about}</details>" if about else "")
            ),
            self._left,
            self.form,
            self._words,
            ipywidgets.HBox([self._plan_button, self._ask_button, self._look_button]),
            self._shown,
            self._answer,
            self._before,
        )
        self.form.set(**values)
        self.form.changed = self._refresh
        self._attempt(self._look, again=False)

    @classmethod
    def for_warehouse(cls, warehouse: Warehouse, **values: Any) -> WarehouseDesk:
        """The desk of a data request that was opened. Raises RequestError before that."""
        from fedkit.widgets.warehouse_asking import WarehouseAsking

        return cls(WarehouseAsking(warehouse), **values)

    def plan(self) -> Plans:
        """What each site would do. Raises RequestError while a field is wrong."""
        self.wait()
        self._attempt(self._plan, again=True)
        return self.plans

    def ask(self) -> WarehouseAnswer:
        """Plan if that was not done, ask, and return the answer. Raises RequestError while a field is wrong, Refused if no
        site would answer."""
        self.wait()
        if self.form.question is None or self.form.question != self.planned:
            self._attempt(self._plan, again=True)
        answer: WarehouseAnswer = self._attempt(self._ask, again=True)
        return answer

    def look(self) -> Sequence[Budget]:
        """What is left at each site."""
        self.wait()
        self._attempt(self._look, again=True)
        return self.budgets

    # -- the acts
    def _look(self) -> None:
        budgets = self._asking.budgets()
        with self.lock:
            self.budgets = budgets
        self._refresh()

    def _complete(self) -> Question:
        question, found = self.form.question, self.form.problems
        if question is None:
            raise RequestError(
                "the question is not complete",
                expected="a value that fits in every field",
                got=", ".join(found),
                help=" ".join(found.values()),
            )
        return question

    def _plan(self) -> Plans:
        question = self._complete()
        self.say("Asking the sites what they would do …")
        plans = self._asking.plan(question)
        with self.lock:
            self.plans, self.planned = plans, question
            self.say("")
        self._refresh()
        return plans

    def _ask(self) -> WarehouseAnswer:
        question = self._complete()
        if question != self.planned or not askable(self.plans):
            raise RequestError(
                "no site would answer this",
                expected="a question that a site answers",
                got="; ".join(plan_text(self.plans)),
                help="the plan says which rule is against it, and what to do",
            )
        self.say("The sites are answering …")
        answer = self._asking.run(question)
        with self.lock:
            self.answers.append(answer)
            self.planned = None  # what it would cost now is another matter
            self.say(f"Answered by {len(answer.sites)} of {len(self._asking.sites)} sites.", "done")
        self._look()
        return answer

    # -- what is shown
    def _refresh(self) -> None:
        with self.lock:
            question = self.form.question
            self._left.value = budget_html(self.budgets)
            current = question is not None and question == self.planned
            self._words.value = "" if question is None else self._question_html(question)
            self._shown.value = plan_html(self.plans) if current else _stale(self.planned)
            self._answer.value = answer_html(self.answers[-1]) if self.answers else ""
            self._before.value = self._before_html()
            self._plan_button.disabled = question is None or self.busy
            self._ask_button.disabled = not current or not askable(self.plans) or self.busy
            self._look_button.disabled = self.busy

    def _question_html(self, question: Question) -> str:
        facts = [("In words", explain(question)), ("Its name everywhere (digest)", question.digest)]
        return "<h4>This is what the sites are asked</h4>" + facts_html(facts)

    def _before_html(self) -> str:
        if len(self.answers) < 2:
            return ""
        rows = [(str(a.number), self._explained(a), rho(a.question.cost()), str(len(a.sites))) for a in self.answers]
        table = table_html(rows, ("Question", "In words", "Cost (rho)", "Sites"), numeric=(0, 2, 3))
        return f"<details><summary>Asked so far, {len(rows)}</summary>{table}</details>"

    def _explained(self, answer: WarehouseAnswer) -> str:
        return explain(answer.question) if isinstance(answer.question, Question) else answer.question.kind

    def static_html(self) -> str:
        question = self.form.question
        told = "" if question is None else f"<p>{escape(explain(question))}</p>"
        plan = plan_html(self.plans, details=False) if question == self.planned else ""
        answer = answer_html(self.answers[-1], details=False) if self.answers else ""
        return f"<h3>Data warehouse: {escape(self._asking.title)}</h3>{told}{plan}{answer}"

    def static_text(self) -> str:
        question = self.form.question
        told = "no question yet" if question is None else explain(question)
        plan = [f"  {line}" for line in plan_text(self.plans)] if question == self.planned else []
        answer = repr(self.answers[-1]).splitlines() if self.answers else []
        return "\n".join([f"Data warehouse: {told}", *plan, *answer])


def _stale(planned: Question | None) -> str:
    return '<p class="fk-soft">The question has changed: plan it again.</p>' if planned is not None else ""
