"""What is kept of a question: what a site gave only if it is what the site signed for, each receipt once, and none lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from fedkit.digests import digest_bytes
from fedkit.errors import ConfigurationError, DigestMismatch
from fedkit.federation.parameters import encode
from fedkit.governance.decision import Receipt, digest_of_numbers
from fedkit.study.runs import RunFolder
from fedkit.study.warehouse.records import Record, Records
from fedkit.warehouse.question import Measure, Question

QUESTION = Question("patients", (Measure("persons"),))
DATA = encode({}, {"answer": [{"persons": 20}]})


def receipt(site: str, data: bytes = DATA) -> Receipt:
    said = digest_of_numbers({}, "ab" * 32)
    return Receipt("1" * 64, site, "query", 1, QUESTION.digest, digest_bytes(data), {}, said, salt="ab" * 32)


@pytest.fixture
def records(tmp_path: Path) -> Records:
    made = Records(RunFolder(tmp_path))
    made.write(Record(1, QUESTION, ("no", "fi")))
    return made


def kept(records: Records) -> Record:
    found = records.read(1)
    assert found is not None
    return found


def test_what_is_written_is_read_the_same(records: Records) -> None:
    records.take(1, receipt("no"), DATA)
    whole = replace(
        kept(records), missing={"fi": "away"}, late=("fi",), total=(1, -2), summed=("no",), recorded=("no",), closed=True
    )
    records.write(whole)
    assert records.all() == [whole]
    assert records.answers(whole, {"fi": None, "no": None})["no"].data == DATA


@pytest.mark.parametrize("data", [None, DATA + b" ", encode({}, {"answer": [{"persons": 25}]})])
def test_other_bytes_than_the_site_signed_for_are_not_kept(records: Records, tmp_path: Path, data: bytes | None) -> None:
    with pytest.raises(DigestMismatch):
        records.take(1, receipt("no"), data)
    assert kept(records).receipts == ()
    assert not list(tmp_path.rglob("*.safetensors"))


def test_a_receipt_that_comes_twice_is_there_once(records: Records) -> None:
    records.take(1, receipt("no"), DATA)
    records.take(1, receipt("no"), DATA)
    assert kept(records).answered == ("no",)


def test_receipts_that_come_at_one_moment_are_all_kept(records: Records) -> None:
    sites = [f"site{number}" for number in range(24)]
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda site: records.take(1, receipt(site), DATA), sites))
    assert sorted(kept(records).answered) == sorted(sites)


def test_a_file_that_was_changed_or_lost_is_no_answer(records: Records, tmp_path: Path) -> None:
    records.take(1, receipt("no"), DATA)
    (file,) = tmp_path.rglob("*.safetensors")
    file.write_bytes(DATA + b" ")
    with pytest.raises(DigestMismatch, match="not what its receipt names"):
        records.answers(kept(records), {"no": None})
    file.unlink()
    with pytest.raises(DigestMismatch, match="not what its receipt names"):
        records.answers(kept(records), {"no": None})


def test_a_damaged_record_says_so(records: Records, tmp_path: Path) -> None:
    (tmp_path / "questions" / "0001.json").write_text('{"number": 1}')
    with pytest.raises(ConfigurationError, match="damaged"):
        records.all()
