"""Results: what sites gave and nothing else, what was hidden said as hidden, the same digest for whoever builds it again."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from result_samples import answer, asked

from fedkit.errors import RequestError, TrainingError
from fedkit.governance.table_contract import Category, Number, TableContract
from fedkit.governance.table_contract import Count as CountColumn
from fedkit.ner.metrics import Counts, to_numbers
from fedkit.results import Analysis, Answer, Count, Evaluation, Table, TrainedModel, build
from fedkit.results.evaluation import interval
from fedkit.templates.figures import FigureSpec


def rows(**by_label: tuple[int, int]) -> dict[str, list[dict[str, Any]]]:
    return {"count": [{"label": label, "patients": p, "notes": n} for label, (p, n) in by_label.items()]}


REQUEST = asked("count", by="label")
ANSWERS = {
    "no": answer(REQUEST, "no", rows(DRUG=(110, 140), IMPLANT=(40, 45))),
    "fi": answer(REQUEST, "fi", rows(DRUG=(55, 60))),
}


class TestTables:
    def test_counts_are_summed_and_what_a_site_left_out_is_said(self) -> None:
        result = build(REQUEST, ANSWERS)
        assert isinstance(result, Count)
        assert result.combined == [
            {"label": "DRUG", "patients": 165, "notes": 200, "hidden": []},
            {"label": "IMPLANT", "patients": 40, "notes": 45, "hidden": ["fi"]},
        ]
        assert list(result.per_site["fi"]) == [{"label": "DRUG", "patients": 55, "notes": 60}]
        assert "40+" in repr(result)

    def test_a_row_that_no_site_gave_is_shown_as_less_than_the_threshold_and_is_no_zero(self) -> None:
        result = build(REQUEST, {"fi": ANSWERS["fi"]})
        assert result.combined[1] == {"label": "IMPLANT", "patients": None, "notes": None, "hidden": ["fi"]}
        assert "<10" in repr(result)
        assert "fewer than 10" in repr(result)
        frame = result.to_pandas()  # type: ignore[attr-defined]
        assert frame["patients"].isna().tolist() == [False, True]
        assert result.to_csv().splitlines()[-1] == "IMPLANT,,,fi"  # type: ignore[attr-defined]

    def test_a_count_in_all_is_two_numbers(self) -> None:
        request = asked("count")
        answers = {s: answer(request, s, {"count": [{"patients": 20, "notes": 30}]}) for s in ("no", "fi")}
        result = build(request, answers)
        assert isinstance(result, Count)
        assert (result.patients, result.notes) == (40, 60)
        hidden = build(request, {"no": answer(request, "no", {"count": []})})
        assert isinstance(hidden, Count)
        assert hidden.patients is None

    def test_a_count_by_a_category_is_not_added_up_over_its_rows(self) -> None:
        result = build(REQUEST, ANSWERS)
        assert isinstance(result, Count)
        with pytest.raises(RequestError, match="several rows"):
            result.patients  # noqa: B018

    def test_numbers_are_averaged_by_the_patients_they_rest_on(self) -> None:
        contract = TableContract(
            {"label": Category(("DRUG",)), "patients": CountColumn(), "age": Number(0, 120, "patients", 1)}
        )
        request = asked("analysis", "def analyse(notes, weights, settings):\n    return {}\n", tables={"t": contract})
        answers = {
            "no": answer(request, "no", {"t": [{"label": "DRUG", "patients": 30, "age": 60.0}]}),
            "fi": answer(request, "fi", {"t": [{"label": "DRUG", "patients": 10, "age": 40.0}]}),
        }
        result = build(request, answers)
        assert isinstance(result, Analysis)
        assert result.tables["t"].combined[0]["age"] == 55.0

    @given(
        st.dictionaries(
            st.sampled_from(["no", "fi", "et"]),
            st.dictionaries(st.sampled_from(["DRUG", "IMPLANT"]), st.tuples(st.integers(10, 99), st.integers(100, 200))),
            min_size=1,
        )
    )
    def test_the_sum_is_that_of_the_rows_that_left(self, given: dict[str, dict[str, tuple[int, int]]]) -> None:
        result = build(REQUEST, {site: answer(REQUEST, site, rows(**labels)) for site, labels in given.items()})
        for row in result.combined:
            parts = [labels[row["label"]] for labels in given.values() if row["label"] in labels]
            assert row["patients"] == (sum(p for p, _ in parts) if parts else None)
            assert sorted(row["hidden"]) == sorted(site for site, labels in given.items() if row["label"] not in labels)

    def test_a_cell_that_the_contract_does_not_know_is_no_result(self) -> None:
        with pytest.raises(Exception, match="not declared"):
            build(REQUEST, {"no": answer(REQUEST, "no", rows(NORDMANN=(20, 30)))})


class TestDigest:
    def test_whoever_builds_it_of_the_same_answers_gets_the_same_digest(self) -> None:
        again = build(REQUEST, dict(reversed(ANSWERS.items())))
        assert build(REQUEST, ANSWERS).digest == again.digest
        json.dumps(again.to_json())

    def test_who_is_missing_is_part_of_it_and_the_words_about_it_are_not(self) -> None:
        plain, missing = build(REQUEST, ANSWERS), build(REQUEST, ANSWERS, {"et": "it is not running"})
        assert plain.digest != missing.digest
        assert missing.digest == build(REQUEST, ANSWERS, {"et": "another reason"}).digest
        assert "et gave nothing: it is not running" in repr(missing)

    def test_it_stands_by_the_receipts_that_it_was_made_of(self) -> None:
        assert build(REQUEST, ANSWERS).verify(REQUEST, ANSWERS) == ()

    def test_every_way_to_alter_it_is_found(self) -> None:
        result = build(REQUEST, ANSWERS)
        assert isinstance(result, Count)
        other = asked("count", by="label", labels=["DRUG"])
        receipt = ANSWERS["no"].receipt
        more = {**result.rows, "no": [{"label": "DRUG", "patients": 999, "notes": 999}]}
        forged = {
            "another request": (result, other, ANSWERS),
            "answers of other sites": (result, REQUEST, {"no": ANSWERS["no"]}),
            "another receipt": (result, REQUEST, {**ANSWERS, "no": answer(REQUEST, "no", rows(DRUG=(10, 10)))}),
            "its data is not": (result, REQUEST, {**ANSWERS, "no": Answer(receipt, ANSWERS["fi"].data)}),
            "its numbers are not": (
                result,
                REQUEST,
                {**ANSWERS, "no": Answer(replace(receipt, numbers={"n": 1.0}), ANSWERS["no"].data)},
            ),
            "its figures are not": (replace(result, rows=more), REQUEST, ANSWERS),
        }
        for says, (made, request, answers) in forged.items():
            assert any(says in problem for problem in made.verify(request, answers)), says


FOUND = {"DRUG": Counts(80, 10, 20), "IMPLANT": Counts(0, 0, 0)}


class TestEvaluation:
    def result(self) -> Evaluation:
        template_settings = {"model": {"kind": "hash-cnn"}, "labels": ["DRUG", "IMPLANT"], "split": "test", "weights": "c" * 64}
        request = asked("evaluation", **template_settings)
        numbers = to_numbers(FOUND, "test")
        made = build(request, {site: answer(request, site, numbers=numbers, inputs="c" * 64) for site in ("no", "fi")})
        assert isinstance(made, Evaluation)
        return made

    def test_f1_is_computed_from_the_counts_of_a_site_and_of_all_spans_together(self) -> None:
        result = self.result()
        assert result.f1("no", "DRUG") == pytest.approx(160 / 190)
        assert result.f1() == pytest.approx(160 / 190)
        assert result.combined["DRUG"]["support"] == 200
        assert "84.2" in repr(result)

    def test_twice_the_spans_make_a_narrower_interval(self) -> None:
        result = self.result()
        one, both = result.per_site["no"]["DRUG"], result.combined["DRUG"]
        assert both["high"] - both["low"] < one["high"] - one["low"]

    @given(st.integers(0, 300), st.integers(0, 300), st.integers(0, 300))
    def test_the_interval_holds_f1_and_stays_in_its_bounds(self, tp: int, fp: int, fn: int) -> None:
        counts = Counts(tp, fp, fn)
        low, high = interval(counts)
        assert 0 <= low <= high <= 1
        if tp + fp + fn:
            assert low - 1e-9 <= counts.f1 <= high + 1e-9

    def test_the_interval_covers_the_truth_as_often_as_it_says(self) -> None:
        import random

        rng, share, n, inside = random.Random(7), 0.6, 120, 0
        truth = 2 * share / (1 + share)
        for _ in range(2000):
            tp = sum(rng.random() < share for _ in range(n))
            low, high = interval(Counts(tp, n - tp, 0))
            inside += low <= truth <= high
        assert 0.93 <= inside / 2000 <= 0.97

    def test_a_label_that_nobody_has_is_no_failure_and_no_success(self) -> None:
        score = self.result().combined["IMPLANT"]
        assert (score["f1"], score["low"], score["high"]) == (0.0, 0.0, 1.0)

    def test_a_model_is_scored_by_sites_that_saw_the_same_weights(self) -> None:
        request = asked("training", rounds=2)
        numbers = to_numbers({label: Counts(5, 1, 1) for label in ("DRUG", "IMPLANT")}, "test")
        answers = {site: answer(request, site, numbers=numbers, inputs="d" * 64) for site in ("no", "fi")}
        result = build(request, answers)
        assert isinstance(result, TrainedModel)
        assert (result.weights, result.rounds) == ("d" * 64, 2)
        assert result.verify(request, answers) == ()
        answers["fi"] = answer(request, "fi", numbers=numbers, inputs="e" * 64)
        with pytest.raises(TrainingError, match="different weights"):
            build(request, answers)


class TestFigures:
    CONTRACT = TableContract(
        {"label": Category(("DRUG", "IMPLANT")), "year": Category(("2024", "2025")), "patients": CountColumn()}, rounding=1
    )
    FIGURES = (
        FigureSpec("labels", "histogram", "t", ("label",), "patients", "Patients <by> label"),
        FigureSpec("years", "curve", "t", ("year",), "patients"),
        FigureSpec("both", "matrix", "t", ("label", "year"), "patients"),
    )

    def result(self) -> Analysis:
        request = asked(
            "analysis",
            "def analyse(notes, weights, settings):\n    return {}\n",
            tables={"t": self.CONTRACT},
            numbers={"mean": (0, 10)},
            figures=self.FIGURES,
        )
        given = [
            {"label": "DRUG", "year": "2024", "patients": 20},
            {"label": "DRUG", "year": "2025", "patients": 30},
            {"label": "IMPLANT", "year": "2025", "patients": 12},
        ]
        made = build(request, {"no": answer(request, "no", {"t": given}, {"mean": 4.5})})
        assert isinstance(made, Analysis)
        return made

    def test_a_figure_is_the_released_rows_drawn_and_hidden_cells_are_gaps(self) -> None:
        figures = self.result().figures
        assert figures["labels"].values() == {("DRUG",): 50, ("IMPLANT",): 12}
        assert figures["both"].values()["IMPLANT", "2024"] is None
        for figure in figures.values():
            assert figure.to_png().startswith(b"\x89PNG")
            assert figure.draw("no").axes
        assert figures["both"].to_png() == figures["both"].to_png()

    def test_the_text_of_a_matrix_says_what_was_hidden(self) -> None:
        axes = self.result().figures["both"].draw().axes[0]
        assert sorted(text.get_text() for text in axes.texts) == ["12", "20", "30", "<10"]

    def test_a_site_that_gave_nothing_has_no_figure(self) -> None:
        with pytest.raises(RequestError, match="gave nothing"):
            self.result().figures["years"].draw("fi")

    def test_numbers_stand_beside_the_tables_for_each_site(self) -> None:
        result = self.result()
        assert result.per_site["no"]["numbers"] == {"mean": 4.5}
        assert "mean" in repr(result)
        assert isinstance(result.tables["t"], Table)


def test_words_of_others_are_escaped_where_a_browser_reads_them() -> None:
    bad = "<script>alert(1)</script>"
    request = asked("count", by="type", values=[bad])
    result = build(
        request, {"no": answer(request, "no", {"count": [{"type": bad, "patients": 20, "notes": 20}]})}, {"<b>": bad}
    )
    html = result._repr_html_()
    assert "<script>" not in html
    assert "<b>" not in html
    assert "&lt;script&gt;" in html
