"""An analyst asks for counts and tables, by the same templates as anybody, and for nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fedkit.digests import digest_bytes
from fedkit.errors import AccessRefused
from fedkit.governance.request import CodeRequest, DataPermit
from fedkit.results import Answer, build
from fedkit.sites.base import Site
from fedkit.study import Study
from fedkit.study.deciding import decide
from fedkit.templates import TEMPLATES, Data

UNTIL = (datetime.now(UTC) + timedelta(days=20)).date().isoformat()
PERMIT = DataPermit("permit-analyst", "Plan the capacity", ("notes",), UNTIL)


@dataclass
class Analyst:
    """An account at one site, and a study that only lends its steward's hand."""

    session: Site
    address: str
    study: Study

    def request(self, name: str, source: str | None = None, **parameters: Any) -> CodeRequest:
        settings = TEMPLATES[name].settings(parameters, Data(("DRUG", "IMPLANT")))
        return TEMPLATES[name].request(
            settings, title="T", purpose=PERMIT.purpose, researcher=self.address, permit=PERMIT, source=source
        )


@pytest.fixture(scope="module")
def analyst(processes: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Analyst]:
    card = processes.add_user("no", "ana", "analyst")
    study = Study(processes, tmp_path_factory.mktemp("analyst") / "hand")
    with_session = processes.login("no", "ana")
    yield Analyst(with_session, card.address, study)
    with_session.close()
    study.close()


@pytest.mark.parametrize(("name", "parameters"), [("count", {"by": "label"}), ("table", {"by": ["label", "year"]})])
def test_counts_and_tables_are_answered(analyst: Analyst, name: str, parameters: dict[str, Any]) -> None:
    request, ledger = analyst.request(name, **parameters), analyst.study.federation.ledger
    ledger.issue_permit(request.permit, [analyst.address])
    ledger.submit(request, ["no"])
    analyst.session.submit(request)
    decide(analyst.study, "no", request, approved=True, reason="", rounds=None, days=5)
    receipt = analyst.session.execute(request.digest, name, 1)
    data = analyst.session.get(receipt.outputs)
    assert digest_bytes(data) == receipt.outputs
    answers = {"no": Answer(receipt, data)}
    assert build(request, answers).verify(request, answers) == ()


@pytest.mark.parametrize("name", ["evaluation", "analysis", "training"])
def test_anything_else_is_refused_and_stands_in_the_journal(analyst: Analyst, name: str) -> None:
    small = {"kind": "hash-cnn", "d": 8, "rows": 64, "ngrams": 64, "layers": 1}
    parameters: dict[str, Any] = {
        "evaluation": {"model": small, "labels": ["DRUG"], "split": "test", "weights": "c" * 64},
        "analysis": {"numbers": {"n": (0, 1)}},
        "training": {"rounds": 1, "model": small},
    }[name]
    source = "def analyse(notes, weights, settings):\n    return {}\n" if name == "analysis" else None
    request = analyst.request(name, source, **parameters)
    with pytest.raises(AccessRefused, match="counts and tables"):
        analyst.session.submit(request)
    row = [row for row in analyst.study.session("no", "auditor").journal() if row["act"] == "request.refused"][-1]
    assert (row["actor"], row["fields"]["request"]) == ("ana", request.digest)
