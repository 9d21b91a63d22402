"""The examples of docs/requests.md run as they stand, from the top to the bottom, and its tables say what the code says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import fedkit
from fedkit.governance.kinds import KINDS
from fedkit.results import Analysis, Count, Evaluation, Table, TrainedModel
from fedkit.templates import TEMPLATES


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    return (root / "docs" / "requests.md").read_text("utf-8")


@pytest.fixture
def workshop(processes: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, where `fedkit.launch("workshop")` gives the federation of the tests."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(fedkit, "launch", lambda name: processes, raising=False)
    return tmp_path


def test_the_examples_run(page: str, workshop: Path) -> None:
    from fedkit.ner.models import build

    small = {"kind": "hash-cnn", "d": 8, "rows": 64, "ngrams": 64, "layers": 1}
    build(small, ["DRUG", "IMPLANT"]).save_pretrained(workshop / "model")
    names: dict[str, Any] = {"model": str(workshop / "model")}
    for code in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        exec(compile(code, "docs/requests.md", "exec"), names)
    for name, kind in {
        "result": Count,
        "everybody": Count,
        "by_label": Count,
        "table": Table,
        "scores": Evaluation,
        "analysis": Analysis,
    }.items():
        assert type(names[name]) is kind, name
    assert isinstance(names["study"].result(), TrainedModel)
    assert "DRUG" in names["standing"].explain()


def test_the_table_of_kinds_is_that_of_the_code(page: str) -> None:
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| ([^|]+) \| (\w+) \| `(\w+)` \|$", page, re.MULTILINE)
    assert {row[0] for row in rows} == set(KINDS)
    for name, out, weights, template in rows:
        assert set(out.split(", ")) == set(KINDS[name].out)
        assert (weights == "yes") == KINDS[name].weights
        assert TEMPLATES[template].kind == name


def test_one_call_refuses_a_training(processes: Any) -> None:
    from fedkit.study.asking import ask

    with pytest.raises(fedkit.FedkitError, match="goes in rounds"):
        ask(processes, "training")


def test_one_call_waits_for_no_steward_when_told_not_to_decide(processes: Any, tmp_path: Path) -> None:
    from fedkit.study.asking import ask

    with pytest.raises(fedkit.Refused, match="no site has approved") as caught:
        ask(processes, "count", approve=False, folder=tmp_path / "unapproved")
    assert "pending" in caught.value.got  # type: ignore[attr-defined]
