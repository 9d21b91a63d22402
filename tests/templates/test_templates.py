"""Templates: one code digest each, parameters with bounds, contracts that conditions have no say in, and no look-alikes."""

from __future__ import annotations

import ast
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedkit.errors import RequestError
from fedkit.governance.kinds import KINDS
from fedkit.governance.output_contract import OutputContract
from fedkit.governance.privacy import Privacy
from fedkit.governance.request import CodeRequest, DataPermit, Entry
from fedkit.governance.table_contract import Category, Count, Number, TableContract
from fedkit.ner import tasks
from fedkit.templates import TEMPLATES, Data, template, template_of
from fedkit.templates.figures import FigureSpec

DATA = Data(("DRUG", "IMPLANT"), {"no": 100, "fi": 50})
PERMIT = DataPermit("permit-1", "Find implants", ("notes",), "2027-01-31")


def request_of(name: str, settings: dict[str, Any], source: str | None = None) -> CodeRequest:
    return TEMPLATES[name].request(
        {**settings, "study": "first"}, title="T", purpose="Find implants", researcher="0x1", permit=PERMIT, source=source
    )


def asked(name: str, **parameters: Any) -> CodeRequest:
    return request_of(name, TEMPLATES[name].settings(parameters, DATA))


def test_every_kind_has_a_template_and_says_what_it_does() -> None:
    assert {one.kind for one in TEMPLATES.values()} == set(KINDS)
    for one in TEMPLATES.values():
        assert one.title
        assert one.what.endswith(".")
        assert all(parameter.what and parameter.to_json() for parameter in one.parameters)


@pytest.mark.parametrize("name", ["count", "table", "training", "evaluation"])
def test_the_code_of_a_template_is_a_page_that_calls_fedkit_and_nothing_else(name: str) -> None:
    source = TEMPLATES[name].source
    assert source.count("\n") <= 30
    imports = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert all(isinstance(node, ast.ImportFrom) and str(node.module).startswith("fedkit.") for node in imports)
    assert not [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.For | ast.While | ast.If)]


def test_two_questions_of_one_template_have_one_code_digest_and_two_requests() -> None:
    one, other = asked("count", labels=["DRUG"]), asked("count", labels=["IMPLANT"], words=["protese*"], since="2024-01-01")
    assert one.code_digest == other.code_digest == TEMPLATES["count"].code_digest
    assert one.digest != other.digest


@given(
    labels=st.lists(st.sampled_from(["DRUG", "IMPLANT"]), unique=True),
    words=st.lists(st.sampled_from(["protese*", "høyre hofte", "*stent"]), unique=True),
    negated=st.booleans(),
    since=st.sampled_from(["", "2024-01-01"]),
)
def test_conditions_change_nothing_about_what_may_leave(labels: list[str], words: list[str], negated: bool, since: str) -> None:
    """So a steward can leave the conditions open in a standing approval, which binds the output contract."""
    plain = asked("count", by="label")
    other = asked("count", by="label", labels=labels, words=words, negated=negated, since=since)
    assert [entry.to_json() for entry in other.entries] == [entry.to_json() for entry in plain.entries]
    assert set(other.settings) == set(plain.settings)


def test_a_parameter_with_a_shape_changes_what_may_leave() -> None:
    for name, values in (("by", "language"), ("threshold", 20), ("rounding", 10)):
        assert asked("count", **{name: values}).entries != asked("count").entries


@pytest.mark.parametrize(
    ("name", "parameters", "says"),
    [
        ("count", {"by": "name"}, "parameter by is not possible"),
        ("count", {"bye": "label"}, "no parameter bye"),
        ("count", {"threshold": 1}, "parameter threshold"),
        ("count", {"threshold": True}, "parameter threshold"),
        ("count", {"since": "1 January"}, "parameter since"),
        ("count", {"since": "2024-02-30"}, "parameter since"),
        ("count", {"since": "2025-01-01", "until": "2024-01-01"}, "ends before it begins"),
        ("count", {"words": ["(a+)+"]}, "parameter words"),
        ("count", {"words": "protese"}, "parameter words"),
        ("count", {"labels": ["DRUG", "DRUG"]}, "parameter labels"),
        ("count", {"values": ["a"]}, "values of no category"),
        ("count", {"by": "type"}, "values of type are not known"),
        ("table", {}, "parameter by is missing"),
        ("table", {"by": ["label"]}, "parameter by is not possible"),
        ("table", {"by": ["label", "year"], "values": {"type": ["a"]}}, "not in `by`"),
        ("table", {"by": ["label", "year"], "values": {"label": ["x\n"]}}, "values of label"),
        ("training", {"rounds": 2, "sequential_rounds": 3}, "plan of rounds"),
        ("training", {"round": 2}, "no parameter round"),
        ("evaluation", {}, "parameter model is missing"),
        ("evaluation", {"model": "no/such/folder"}, "no model to evaluate"),
        ("analysis", {}, "gives something"),
        ("analysis", {"tables": {"t": {"columns": {}}}}, "not what may leave"),
        ("analysis", {"numbers": {"n": (0, 1)}, "settings": {"figures": []}}, "template's own"),
    ],
)
def test_parameters_that_are_not_possible_are_named(name: str, parameters: dict[str, Any], says: str) -> None:
    with pytest.raises(RequestError, match=says) as caught:
        TEMPLATES[name].settings(parameters, DATA)
    assert caught.value.expected


def test_a_table_of_more_cells_than_anybody_reads_is_refused() -> None:
    values = {"type": [f"t{i}" for i in range(50)], "department": [f"d{i}" for i in range(50)]}
    with pytest.raises(RequestError, match="too large"):
        asked("table", by=["type", "department"], values=values)


def test_a_template_that_is_none_is_named() -> None:
    with pytest.raises(RequestError, match="no such template"):
        template("poll")


def test_a_training_is_what_it_was_before_there_were_templates() -> None:
    settings = TEMPLATES["training"].settings({"rounds": 3}, DATA)
    assert settings == {**tasks.default_settings(DATA.labels, notes=DATA.notes), "rounds": 3}
    request = request_of("training", settings)
    contracts = tasks.contracts(settings)
    assert request.source == tasks.SOURCE
    assert request.entries == (
        Entry("train_round", 3, contracts["train_round"]),
        Entry("evaluate", 1, contracts["evaluate"]),
    )
    assert "kind" not in request.to_json()


class TestNoise:
    def test_a_cost_counts_patients_alone_for_one_person_may_have_any_number_of_notes(self) -> None:
        (entry,) = asked("count", by="label", rho=0.5).entries
        assert entry.privacy == Privacy(0.5, {"count.patients": 2**0.5})
        assert set(entry.contract.tables["count"].columns) == {"label", "patients"}
        assert asked("count").entries[0].privacy is None

    def test_one_person_may_be_in_every_cell_of_a_table(self) -> None:
        values = {"label": ["DRUG", "IMPLANT"], "year": ["2024", "2025"]}
        (entry,) = asked("table", by=["label", "year"], values=values, rho=1).entries
        assert entry.privacy is not None
        assert entry.privacy.sensitivity["table.patients"] == 6**0.5  # two labels, two years and what is in neither

    def test_a_request_without_the_cost_of_its_settings_is_no_templates(self) -> None:
        request = asked("count", rho=0.5)
        assert template_of(request) is not None
        free = replace(request.entries[0], privacy=None)
        assert template_of(replace(request, entries=(free,))) is None

    @pytest.mark.parametrize("rho", [-1, 11, "1", True])
    def test_a_cost_has_bounds(self, rho: Any) -> None:
        with pytest.raises(RequestError, match="parameter rho"):
            TEMPLATES["count"].settings({"rho": rho})


class TestWhoseItIs:
    """`template_of` knows a template's request, and none that only looks like one."""

    @pytest.mark.parametrize(
        "request_",
        [asked("count", by="label"), asked("count"), asked("table", by=["label", "year"]), asked("training", rounds=2)],
        ids=["count by label", "count", "table", "training"],
    )
    def test_an_unaltered_request_is_known_also_after_the_wire(self, request_: CodeRequest) -> None:
        found = template_of(CodeRequest.from_json(request_.to_json()))
        assert found is not None
        assert found.kind == request_.kind
        assert found.explain(request_.settings)

    def test_another_character_of_code_is_another_request(self) -> None:
        request = asked("count")
        assert template_of(replace(request, source=request.source + " ")) is None

    def test_a_wider_contract_is_not_the_templates(self) -> None:
        request = asked("count", by="label")
        table = request.entries[0].contract.tables["count"]
        wider = OutputContract(tables={"count": replace(table, threshold=2)})
        assert template_of(replace(request, entries=(Entry("count", 1, wider),))) is None

    @pytest.mark.parametrize(
        "change",
        [{"by": ["name"]}, {"words": ["("]}, {"more": 1}, {"threshold": 0}, {"values": {}}, {"by": 3}, {"labels": None}],
    )
    def test_settings_that_it_would_not_have_made_are_not_its_own(self, change: dict[str, Any]) -> None:
        request = asked("count", by="label")
        assert template_of(replace(request, settings={**request.settings, **change})) is None

    def test_a_template_takes_no_other_code(self) -> None:
        with pytest.raises(RequestError, match="its own code"):
            request_of("count", TEMPLATES["count"].settings({}), "def count(notes, weights, settings):\n    return {}\n")

    def test_code_of_ones_own_is_nobodys(self) -> None:
        source = "def count(notes, weights, settings):\n    return {}\n"
        assert template_of(replace(asked("count"), source=source)) is None


class TestAnalysis:
    TABLE = TableContract({"label": Category(("DRUG", "IMPLANT")), "patients": Count(), "share": Number(0, 1, "patients")})
    SOURCE = "def analyse(notes, weights, settings):\n    return {}\n"

    def test_what_is_declared_becomes_the_contract_and_figures_are_part_of_the_request(self) -> None:
        figure = FigureSpec("shares", "histogram", "by_label", ("label",), "share")
        parameters = {
            "tables": {"by_label": self.TABLE},
            "numbers": {"mean": (0, 10)},
            "figures": [figure],
            "settings": {"a": 1},
        }
        settings = TEMPLATES["analysis"].settings(parameters)
        request = request_of("analysis", settings, self.SOURCE)
        assert request.entry("analyse").contract == OutputContract(numbers={"mean": (0, 10)}, tables={"by_label": self.TABLE})
        assert request.settings["a"] == 1
        assert FigureSpec.from_json(request.settings["figures"][0]) == figure

    def test_without_code_there_is_nothing_to_review(self) -> None:
        settings = TEMPLATES["analysis"].settings({"tables": {"t": self.TABLE}})
        with pytest.raises(RequestError, match="your own code"):
            request_of("analysis", settings)

    @pytest.mark.parametrize(
        ("figure", "says"),
        [
            (FigureSpec("f", "pie", "t", ("label",), "patients"), "no such kind of figure"),  # type: ignore[arg-type]
            (FigureSpec("f", "curve", "u", ("label",), "patients"), "no declared table"),
            (FigureSpec("f", "curve", "t", ("patients",), "patients"), "other axes"),
            (FigureSpec("f", "matrix", "t", ("label",), "patients"), "other axes"),
            (FigureSpec("f", "curve", "t", ("label",), "label"), "draws no number"),
            ({"name": "f"}, "not a figure"),
        ],
    )
    def test_a_figure_of_what_does_not_leave_is_refused(self, figure: Any, says: str) -> None:
        with pytest.raises(RequestError, match=says):
            TEMPLATES["analysis"].settings({"tables": {"t": self.TABLE}, "figures": [figure]})

    def test_an_analysis_is_never_trusted_by_its_template(self) -> None:
        settings = TEMPLATES["analysis"].settings({"tables": {"t": self.TABLE}})
        assert template_of(request_of("analysis", settings, self.SOURCE)) is None


def test_templates_load_no_torch() -> None:
    code = "import sys, fedkit.templates, fedkit.results; print({'torch', 'syft', 'pandas', 'matplotlib'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_model_made_from_a_checkpoint_says_which_and_no_path_of_this_machine_goes_into_the_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fedkit.templates import evaluation

    monkeypatch.setattr(
        evaluation, "read_model", lambda folder: ({"kind": "huggingface", "name": str(folder)}, ["DRUG"], b"weights")
    )
    with pytest.raises(RequestError, match="know the checkpoint"):
        TEMPLATES["evaluation"].settings({"model": str(tmp_path)})
    settings = TEMPLATES["evaluation"].settings({"model": str(tmp_path), "base": "some/base-model"})
    assert settings["model"]["name"] == "some/base-model"
    assert str(tmp_path) not in str(request_of("evaluation", settings).to_json())
