"""The rules of a site in plain words: who may run what, when and how often, what may leave, and the values behind it with their
reasons.

    PolicyTable(explain(settings_of("strict")))          # ends a cell

It is plain HTML and looks the same live, on GitHub and on paper.
"""

from __future__ import annotations

from fedkit.governance.policies.explaining import Explanation
from fedkit.widgets.base import escape, table_html
from fedkit.widgets.theme import STYLE


class PolicyTable:
    """A view of an `Explanation` (`fedkit.governance.policies.explaining`).

    values: whether the settings with their reasons stand below the sentences.
    """

    def __init__(self, explanation: Explanation, *, values: bool = True) -> None:
        self.explanation, self._values = explanation, values

    def _repr_html_(self) -> str:
        told = self.explanation
        questions = "".join(
            f"<h4>{escape(question)}</h4><ul>{''.join(f'<li>{escape(says)}</li>' for says in sentences)}</ul>"
            for question, sentences in told.told()
        )
        rows = [(v.setting, v.value, v.instead_of, v.why) for v in told.values]
        values = table_html(rows, ("Setting", "Value", "In the preset", "Why")) if self._values else ""
        return f'{STYLE}<div class="fk"><h3>Rules: {escape(told.name)}</h3><p>{escape(told.what)}</p>{questions}{values}</div>'

    def __repr__(self) -> str:
        """The sentences, for a terminal and the comparison of notebooks."""
        lines = [f"Rules: {self.explanation.name}, {self.explanation.what}"]
        for question, sentences in self.explanation.told():
            lines += [question, *(f"  {says}" for says in sentences)]
        return "\n".join(lines)
