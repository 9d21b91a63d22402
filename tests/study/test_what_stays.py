"""Approved code that tries to bring text out of a site by tables, numbers and figures: what is refused, and what is made too
small to say anything. The sites are processes of their own; every attempt is honest on the mock twin, so no rehearsal finds it.

What the code smuggles stands for the text of a note. It is made from a constant, since a source that takes it from the notes
is refused by its findings before a steward sees it (tests/governance/test_findings.py); what holds beneath is tested here.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from study_samples import CANARY

from fedkit.digests import digest
from fedkit.errors import ExecutionFailed, FedkitError, OutputRefused
from fedkit.federation.parameters import decode_tables
from fedkit.governance.decision import NOTHING
from fedkit.governance.output_contract import OutputContract
from fedkit.governance.request import CodeRequest, Entry
from fedkit.governance.table_contract import Category, Count, Number, TableContract
from fedkit.results.analysis import Figure
from fedkit.sites.base import Site
from fedkit.study import Study

SITE = "no"

#: In the source it stands in small letters, so that the large ones are nowhere but in what the code gives back.
TEXT = f"{CANARY} pasienten heter kari nordmann og er født i 1951"
NEEDLE = CANARY.upper()

#: What each entry gives back on private notes; on the mock twin it gives `HONEST`.
HONEST = '{"tables": {"t": [{"label": "DRUG", "patients": 20, "share": 0.5}]}, "numbers": {"n": 1}}'
ROW = '{"label": "DRUG", "patients": 20, "share": 0.5}'


def rows(text: str) -> str:
    return f'{{"tables": {{"t": {text}}}, "numbers": {{"n": 1}}}}'


#: Attempt → (what the code returns, the words of the refusal).
REFUSED: dict[str, tuple[str, str]] = {
    "a cell that holds a note": (rows('[{"label": text[:200], "patients": 20, "share": 0.5}]'), "value that was not declared"),
    "a cell that holds a whole note": (rows('[{"label": text * 9, "patients": 20, "share": 0.5}]'), "no result"),
    "a note in the place of a count": (rows('[{"label": "DRUG", "patients": text[:100], "share": 0.5}]'), "no finite number"),
    "a column with a note for its name": (rows('[{"label": "DRUG", "patients": 20, text[:40]: 0.5}]'), "other columns"),
    "one column more": (rows('[{"label": "DRUG", "patients": 20, "share": 0.5, "text": text[:100]}]'), "other columns"),
    "a row a patient": (
        rows('[{"label": "DRUG", "patients": 20, "share": 0.5} for note in notes.train]'),
        "not what was declared",
    ),
    "two rows for the same": (rows(f"[{ROW}, {ROW}]"), "two rows for the same"),
    "a table of two thousand rows": (rows(f"[{ROW}] * 2000"), "not what was declared"),
    "a table of a hundred thousand rows": (rows(f"[{ROW}] * 100000"), "broke the form in which a worker answers"),
    "a table of another name": ('{"tables": {"t": [], text[:30]: []}, "numbers": {"n": 1}}', "not declared"),
    "a letter a row, by its order": (
        rows('[{"label": c, "patients": ord(c), "share": 0} for c in text[:4]]'),
        "value that was not declared",
    ),
    "a number that spells": (
        rows(f"[{ROW}]").replace('"n": 1', '"n": int.from_bytes(text[:100].encode(), "big")'),
        "out of bounds",
    ),
    "a number beyond its bounds": (rows(f"[{ROW}]").replace('"n": 1', '"n": ord(text[0]) + 1000'), "out of bounds"),
    "a share that spells": (rows('[{"label": "DRUG", "patients": 20, "share": ord(text[0])}]'), "out of bounds"),
    "a count that is no whole number": (
        rows('[{"label": "DRUG", "patients": 20 + ord(text[0]) / 1000, "share": 0}]'),
        "no count",
    ),
    "a count below nothing": (rows('[{"label": "DRUG", "patients": -ord(text[0]), "share": 0}]'), "no count"),
    "not a number": (rows('[{"label": "DRUG", "patients": float("nan"), "share": 0}]'), "no result"),
    "a number that is text": (rows(f"[{ROW}]").replace('"n": 1', '"n": text'), "no result"),
    "a picture": (rows(f"[{ROW}]")[:-1] + ', "figures": {"f": text.encode()}}', "no result"),
    "points of a figure": (rows('[{"label": "DRUG", "patients": [ord(c) for c in text], "share": 0}]'), "no result"),
    "the notes themselves": ("notes", "no result"),
    "an object": ("object()", "no result"),
    "a function": ('{"tables": {}, "numbers": {"n": (lambda: text)}}', "no result"),
    "text": ("text", "no result"),
    "a string that counts": (rows('[{"label": "DRUG", "patients": "20", "share": 0.5}]'), "no finite number"),
}

#: Attempt → what the code returns: it leaves, and nothing of the text is in it.
BLUNTED = {
    "few_patients": rows(
        '[{"label": "DRUG", "patients": 3, "share": 0.5}, {"label": "IMPLANT", "patients": 40, "share": 0.5}]'
    ),
    "fine_counts": rows('[{"label": "DRUG", "patients": 1000 + ord(text[0]), "share": 0.5}]'),
    "many_decimals": rows('[{"label": "DRUG", "patients": 20, "share": int.from_bytes(text[:6].encode(), "big") / 2**64}]'),
    "order_of_rows": rows(
        '[{"label": "IMPLANT", "patients": 40, "share": 0.5}, {"label": "DRUG", "patients": 40, "share": 0.5}]'
    ),
}

CONTRACT = OutputContract(
    numbers={"n": (0, 10)},
    tables={
        "t": TableContract(
            {"label": Category(("DRUG", "IMPLANT")), "patients": Count(), "share": Number(0, 1, "patients", 2)}, max_rows=4
        )
    },
)


def source() -> str:
    entries = {**{f"refused_{i}": code for i, (code, _) in enumerate(REFUSED.values())}, **BLUNTED}
    return "\n\n".join(
        f"def {name}(notes, weights, settings):\n"
        f"    text = {TEXT!r}.upper()\n"
        f'    if notes.train[0].id.startswith("mock"):\n        return {HONEST}\n'
        f"    return {code}"
        for name, code in entries.items()
    )


@pytest.fixture(scope="module")
def request_(processes: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[CodeRequest, Site, Study]]:
    """One request with an entry for each attempt, which a careless steward approved."""
    study = Study(processes, tmp_path_factory.mktemp("abuse") / "abuse")
    figure = {"name": "f", "kind": "histogram", "table": "t", "over": ["label"], "value": "share"}
    study.describe(
        title="Abuse",
        purpose="Tell what is in a note",
        template="analysis",
        parameters={"tables": CONTRACT.tables, "numbers": CONTRACT.numbers, "figures": [figure], "entry": "few_patients"},
    )
    made = study.request(source())
    names = [*(f"refused_{i}" for i in range(len(REFUSED))), *BLUNTED]
    study.code_request = CodeRequest.from_json(
        {**made.to_json(), "entries": [Entry(name, 1, CONTRACT).to_json() for name in names]}
    )
    request, session = study.requested(), study.session(SITE, "researcher")
    study.federation.ledger.issue_permit(request.permit, [request.researcher])
    study.federation.ledger.submit(request, [SITE])
    session.submit(request)
    study.decide(SITE, approved=True)
    yield request, session, study
    study.close()


def last_row(study: Study, act: str) -> dict[str, Any]:
    fields: dict[str, Any] = [row for row in study.session(SITE, "auditor").journal() if row["act"] == act][-1]["fields"]
    return fields


@pytest.mark.parametrize("attempt", REFUSED)
def test_it_is_refused_without_a_word_of_the_note_and_stands_in_the_journal(request_: Any, attempt: str) -> None:
    request, session, study = request_
    entry = f"refused_{list(REFUSED).index(attempt)}"
    with pytest.raises(FedkitError) as caught:
        session.execute(request.digest, entry, 1)
    error = caught.value
    assert REFUSED[attempt][1] in error.message
    said = " ".join(error.to_json().values())
    assert not set(said.upper().split()) & {word for word in TEXT.upper().split() if len(word) > 4}
    row = last_row(study, "execution.failed")
    assert (row["request"], row["entry"], row["reason"]) == (request.digest, entry, error.code)
    assert error.code == (ExecutionFailed.code if attempt == "a table of a hundred thousand rows" else OutputRefused.code)


@pytest.mark.parametrize("attempt", BLUNTED)
def test_what_leaves_is_too_blunt_to_carry_text(request_: Any, attempt: str) -> None:
    request, session, _ = request_
    receipt = session.execute(request.digest, attempt, 1)
    assert receipt.outputs != NOTHING
    (table,) = decode_tables(session.get(receipt.outputs)).values()
    for row in table:
        assert row["label"] in ("DRUG", "IMPLANT")
        assert row["patients"] % 5 == 0
        assert row["patients"] >= 10
        assert round(row["share"], 2) == row["share"]
    assert [row["label"] for row in table] == sorted(row["label"] for row in table)
    if attempt == "few_patients":
        assert table == []  # the other row would give it away to whoever knows the total


def test_nothing_of_a_note_is_in_what_the_researcher_keeps(request_: Any, processes: Any) -> None:
    _, _, study = request_
    for path in (*study.folder.rglob("*"), *(processes.folder / "ledger").rglob("*")):
        assert not path.is_file() or NEEDLE.encode() not in path.read_bytes(), path.name


def test_a_figure_is_drawn_of_nothing_but_what_left() -> None:
    """It is made of a result, which holds released rows alone: it has no notes, no session and no site to ask."""
    assert set(Figure.__dataclass_fields__) == {"spec", "table"}


def test_a_count_asks_for_nothing_that_its_contract_does_not_show(processes: Any, tmp_path: Path) -> None:
    """Two requests whose conditions differ have the same contract, and a request's digest is no place for text of a note."""
    study = Study(processes, tmp_path / "conditions")
    study.describe(title="A", purpose="P", template="count", parameters={"words": ["protese*"]})
    one = study.request()
    study.describe(title="A", purpose="P", template="count", parameters={"words": ["stent*"]})
    other = study.request()
    assert digest([e.to_json() for e in one.entries]) == digest([e.to_json() for e in other.entries])
    study.close()
