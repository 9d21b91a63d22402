"""The answer to one question of the data warehouse: what each site let out, and all sites together as if they were one.

    answer = warehouse.count("mentions").where(label="IMPLANT").by("year").run()
    answer.combined                   # [{"year": "2020", "persons": 130, "hidden": []}, …]
    answer.missing                    # {"et": "et is not running"}: the others answered, and the answer says so
    answer.parts["no"]                # the rows that left one site: counts and sums, which add up

Sites answer with figures that can be added (counts, sums, sums of squares); means and variances are computed here, of the sums.
A row that a site did not give is one of nobody, of fewer than its threshold, or hidden for another's sake, and not which.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any, ClassVar, Self

import numpy as np

from fedkit.digests import short
from fedkit.errors import DigestMismatch, RequestError
from fedkit.federation.parameters import decode
from fedkit.governance.request import CodeRequest
from fedkit.results.base import Answer, Result, receipts_of
from fedkit.results.display import Cells
from fedkit.warehouse.disclosure import STRICTEST, combined
from fedkit.warehouse.noise.sensitivity import deviations
from fedkit.warehouse.plan_report import Verdict
from fedkit.warehouse.question import ANSWER, Asked, Question
from fedkit.warehouse.question import from_json as question_from_json

Row = Mapping[str, Any]

#: What a cell shows that no site gave.
HIDDEN = "hidden"

#: In mode "pooled": a group of fewer persons at all sites together is not shown. The count has noise, so that whoever leaves
#: the threshold out learns nothing that was not paid for: it is there so that nobody reads noise as persons.
POOLED_THRESHOLD = 10


@dataclass(frozen=True, repr=False)
class WarehouseAnswer(Result):
    """One question, answered.

    number:   its place among the questions of the data request, from 1.   question: what was asked.
    tables:   site → name → the rows that left it.   tensors: site → name → the numbers that left it (other kinds of questions).
    total:    of a pooled question, the sum over `summed`: an int64 for each cell and part, in the order of the question's
        contract; None for others, and where too few sites answered to open the sum.
    """

    number: int
    question: Asked
    tables: Mapping[str, Mapping[str, Sequence[Row]]]
    tensors: Mapping[str, Mapping[str, np.ndarray]]
    total: tuple[int, ...] | None = None
    summed: tuple[str, ...] = ()

    kind: ClassVar[str] = "query"

    @classmethod
    def build(cls, request: CodeRequest, answers: Mapping[str, Answer], missing: Mapping[str, str]) -> Self:
        """Raises RequestError: a request has many questions, and an answer is one question's (`of`)."""
        raise RequestError("an answer is built for its question", expected="WarehouseAnswer.of", got="a request alone")

    @classmethod
    def of(
        cls,
        request: CodeRequest,
        question: Asked,
        answers: Mapping[str, Answer],
        missing: Mapping[str, str],
        total: np.ndarray | None = None,
        summed: Sequence[str] = (),
    ) -> Self:
        """The answer that the sites' answers give. total, summed: of a pooled question, see above.

        Raises DigestMismatch if a site answered another question, or two sites under two numbers, OutputRefused for rows that
        the question's contract does not have, TrainingError for bytes that are no answer.
        """
        numbers = {answer.receipt.round for answer in answers.values()}
        if len(numbers) != 1 or {answer.receipt.inputs for answer in answers.values()} != {question.digest}:
            raise DigestMismatch(
                "the sites did not answer this question", expected=short(question.digest), got="answers to another, or none"
            )
        tables: dict[str, Mapping[str, Sequence[Row]]] = {}
        tensors: dict[str, Mapping[str, np.ndarray]] = {}
        if question.protection.mode != "pooled":
            contract = question.contract()
            for site, answer in answers.items():
                given = answer.tables
                tables[site] = {name: table.check(given.get(name, ()), name) for name, table in contract.tables.items()}
                tensors[site] = decode(answer.data) if contract.tensors and answer.data is not None else {}
        whole = None if total is None else tuple(int(value) for value in total)
        return cls(
            request.digest,
            receipts_of(answers),
            dict(missing),
            numbers.pop(),
            question,
            tables,
            tensors,
            whole,
            tuple(summed),
        )

    def again(self, request: CodeRequest, answers: Mapping[str, Answer]) -> Self:
        total = None if self.total is None else np.array(self.total, np.int64)
        return type(self).of(request, self.question, answers, self.missing, total, self.summed)

    # -- what is in it
    @property
    def pooled(self) -> bool:
        """Whether only the sum over sites is known."""
        return self.question.protection.mode == "pooled"

    @property
    def parts(self) -> Mapping[str, Sequence[Row]]:
        """Site → the rows that left it: groups, then counts and sums that add up. Empty for a pooled question."""
        return {site: tables.get(ANSWER, ()) for site, tables in self.tables.items()}

    @property
    def per_site(self) -> Mapping[str, Any]:
        found: dict[str, Any] = {}
        for site in self.receipts:
            found[site] = {"tables": {name: [dict(row) for row in rows] for name, rows in self.tables.get(site, {}).items()}}
            if arrays := self.tensors.get(site):
                found[site]["tensors"] = {name: array.tolist() for name, array in arrays.items()}
        return found

    @cached_property
    def combined(self) -> list[dict[str, Any]]:
        """A row for each group, in the declared order: its names, the measures by name, and `hidden`: the sites that did not
        give it. A measure is None where no site gave the row, or too little to divide by. [] for other kinds of questions."""
        if not isinstance(self.question, Question):
            return []
        if self.pooled:
            return [self._row(key, row, hidden) for key, row, hidden in self._of_the_pool(self.question)]
        return [self._row(key, row, hidden) for key, row, hidden in self._of_the_sites(self.question)]

    @property
    def checks(self) -> tuple[Verdict, ...]:
        """The global check, for an output checker: what the sites' rows tell together that no site alone could see. () for a
        pooled question, whose sum has noise, and for other kinds of questions."""
        if not isinstance(self.question, Question) or self.pooled:
            return ()
        return combined(self.question, self.parts, STRICTEST)

    @property
    def suppressed(self) -> int:
        """Rows of `combined` that some site, or the threshold on the pooled count, kept back."""
        return sum(bool(row["hidden"]) for row in self.combined)

    @property
    def value(self) -> float | None:
        """The one figure of a question with one measure and no groups; None if it was kept back. Raises RequestError for any
        other answer."""
        question = self.question
        if self.pooled and self.total is None and isinstance(question, Question) and not question.groups:
            return None
        if not isinstance(question, Question) or len(self.combined) != 1 or len(question.measures) != 1:
            raise RequestError(
                "this answer has several figures", expected="a question of one measure, without groups", help="see `combined`"
            )
        figure: float | None = self.combined[0][question.measures[0].name]
        return figure

    def to_json(self) -> dict[str, Any]:
        row = {**super().to_json(), "number": self.number, "question": self.question.to_json()}
        return {**row, "total": list(self.total), "summed": list(self.summed)} if self.total is not None else row

    def to_pandas(self) -> Any:
        """A DataFrame of `combined`; what is hidden is NaN."""
        import pandas as pd  # type: ignore[import-untyped]

        return pd.DataFrame(self.combined, columns=[*self._columns, "hidden"])

    def to_csv(self) -> str:
        """`combined`; cells that no site gave are empty, `hidden` holds names of sites with a blank between."""
        text = io.StringIO()
        writer = csv.DictWriter(text, [*self._columns, "hidden"], lineterminator="\n")
        writer.writeheader()
        writer.writerows({**row, "hidden": " ".join(row["hidden"])} for row in self.combined)
        return text.getvalue()

    # -- how it is shown
    def title(self) -> str:
        count = len(self.receipts)
        how = {"rules": "exact, under the sites' rules", "noise": "with noise of each site", "pooled": "pooled under masks"}
        return f"Question {self.number} at {count} site{'' if count == 1 else 's'}, {how[self.question.protection.mode]}"

    def cells(self) -> Cells:
        if not isinstance(self.question, Question):
            return Cells(["site", "tables", "numbers"], [[site, *self._sizes(site)] for site in self.receipts])
        words = [group.column for group in self.question.by]
        figures = [measure.name for measure in self.question.measures]
        rows = [
            [*(row[word] for word in words), *(self._shown(row[figure], row["hidden"]) for figure in figures)]
            for row in self.combined
        ]
        return Cells([*words, *figures], rows, words=len(words))

    def note(self) -> str:
        said = []
        if self.pooled and self.total is None:
            said.append(
                "Too few sites answered to open the sum, so there is no figure; no site's own part is known to anybody."
            )
        elif self.pooled:
            said.append(f"The sum of {', '.join(self.summed)}, with noise added once; rho {self.question.cost():g}.")
            said += [f"Its standard deviation is {d:.3g} persons or more." for d in self._deviation(1)]
            if self.suppressed:
                said.append(f"{HIDDEN}: fewer than {POOLED_THRESHOLD} persons at all sites together.")
        else:
            if self.question.cost():
                said.append(f"Each site added noise to its figures; rho {self.question.cost():g} of its budget.")
                said += [
                    f"Its standard deviation is {d:.3g} persons at all sites." for d in self._deviation(len(self.receipts))
                ]
            if any(row["hidden"] for row in self.combined):
                said.append(f"{HIDDEN}: nobody, too few persons, or kept back so that another row cannot be computed.")
            if any(self._partly(row) for row in self.combined):
                said.append("+: some sites kept the row back, so the figure is of the others.")
            if not self.question.cost():
                said += [f"Before it is published, {v.rule}: {v.why}." for v in self.checks if not v.passed]
        if not isinstance(self.question, Question):
            said.append("Each site's part is in `tables` and `tensors`; a statistic puts them together.")
        elif self.combined and all(self._empty(row) for row in self.combined):
            said.append("Every row was kept back: ask for wider groups, or with noise, or pooled.")
        return " ".join(said)

    # -- helpers
    @property
    def _columns(self) -> list[str]:
        if not isinstance(self.question, Question):
            return []
        return [*(group.column for group in self.question.by), *(measure.name for measure in self.question.measures)]

    def _of_the_sites(self, question: Question) -> Iterator[tuple[dict[str, str], Row | None, list[str]]]:
        names = [group.column for group in question.groups]
        given = {site: {tuple(row[name] for name in names): row for row in rows} for site, rows in self.parts.items()}
        by_site = any(group.column == "site" for group in question.by)
        for labels in product(*(group.labels(column) for group, column in question.columns())):
            key = dict(zip(names, labels, strict=True))
            if by_site:
                for site, rows in given.items():
                    yield {**key, "site": site}, rows.get(labels), [] if labels in rows else [site]
                continue
            there = [rows[labels] for rows in given.values() if labels in rows]
            hidden = [site for site, rows in given.items() if labels not in rows]
            yield key, {part: sum(row[part] for row in there) for part in question.parts} if there else None, hidden

    def _of_the_pool(self, question: Question) -> Iterator[tuple[dict[str, str], Row | None, list[str]]]:
        if self.total is None:
            return
        names, width = [group.column for group in question.groups], len(question.parts)
        everywhere = product(*(group.labels(column) for group, column in question.columns()))
        for number, labels in enumerate(everywhere):
            figures = self.total[number * width : (number + 1) * width]
            row = dict(zip(question.parts, figures, strict=True))
            enough = row["persons"] >= POOLED_THRESHOLD
            yield dict(zip(names, labels, strict=True)), row if enough else None, [] if enough else list(self.summed)

    def _deviation(self, parts: int) -> list[float]:
        """The standard deviation of the noise in a combined count of persons that is the sum of so many; [] for a statistic."""
        if not isinstance(self.question, Question):
            return []
        return [deviations(self.question)["persons"] * math.sqrt(parts)]

    def _row(self, key: Mapping[str, str], row: Row | None, hidden: list[str]) -> dict[str, Any]:
        assert isinstance(self.question, Question)
        figures = {measure.name: None if row is None else measure.of(row) for measure in self.question.measures}
        return {**{group.column: key[group.column] for group in self.question.by}, **figures, "hidden": hidden}

    def _empty(self, row: Row) -> bool:
        assert isinstance(self.question, Question)
        return all(row[measure.name] is None for measure in self.question.measures)

    def _partly(self, row: Row) -> bool:
        return bool(row["hidden"]) and not self._empty(row)

    def _shown(self, value: float | None, hidden: Sequence[str]) -> str:
        if value is None:
            return HIDDEN if hidden else "–"
        text = f"{value:,}" if isinstance(value, int) else f"{value:,.6g}"
        return text.replace(",", " ") + ("+" if hidden else "")

    def _sizes(self, site: str) -> list[str]:
        rows = sum(len(rows) for rows in self.tables.get(site, {}).values())
        numbers = sum(array.size for array in self.tensors.get(site, {}).values())
        return [f"{rows} rows", str(numbers)]


def answer_from_json(row: Mapping[str, Any]) -> WarehouseAnswer:
    """An answer as `to_json` wrote it: for a page or a notebook that shows it, which cannot verify it without the receipts."""
    per_site = row["per_site"]
    return WarehouseAnswer(
        str(row["request"]),
        dict(row["receipts"]),
        dict.fromkeys(row["missing"], "it gave nothing"),
        int(row["number"]),
        question_from_json(row["question"]),
        {site: dict(given["tables"]) for site, given in per_site.items()},
        {site: {n: np.array(a, np.float32) for n, a in given.get("tensors", {}).items()} for site, given in per_site.items()},
        tuple(row["total"]) if "total" in row else None,
        tuple(row.get("summed", ())),
    )
