"""Step 9 for a result that is no model: a folder that others can read, and the digests that say where it came from."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from fedkit.digests import digest_folder
from fedkit.results import Analysis, Result, Table
from fedkit.storage import write_whole
from fedkit.study.querying import answers_of, close, record, result_of
from fedkit.study.report import result_card

if TYPE_CHECKING:
    from fedkit.study.study import Study


def release_result(study: Study) -> Path:
    """Write `result/` and record the release on the ledger; the same result is recorded once.

    The folder holds README.md (the card), result.json, a CSV for each table, a PNG for each figure, receipts.json and
    provenance.json. A run that some approved site did not answer is closed by it: what came is what there is. Raises
    RequestError if no site answered.
    """
    request = study.requested()
    if study.run_folder.read("result") is None:
        close(study)
    else:
        record(study)
    result = result_of(study)
    folder, part = study.folder / "result", study.folder / ".result.part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    digests = {
        "request": request.digest,
        "code": request.code_digest,
        "environment": request.environment,
        "result": result.digest,
    }
    decisions = [decision.to_json() for decision in study.decisions()]
    receipts = [answer.receipt.to_json() for answer in answers_of(study).values()]
    card = result_card(plan=study.plan, kind=request.kind, result=result, tables=_tables(result), digests=digests)
    for name, content in {
        "README.md": card,
        "result.json": json.dumps(result.to_json(), indent=1, ensure_ascii=False),
        "receipts.json": json.dumps(receipts, indent=1, ensure_ascii=False),
        "provenance.json": json.dumps({**digests, "decisions": decisions}, indent=1, ensure_ascii=False),
        **{f"{name}.csv": table.to_csv() for name, table in _tables(result).items()},
    }.items():
        write_whole(part / name, content.encode(), mode=0o666)
    for name, figure in (result.figures if isinstance(result, Analysis) else {}).items():
        write_whole(part / f"{name}.png", figure.to_png(), mode=0o666)
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)
    study.run_folder.write("digests", digests)
    of_folder = digest_folder(folder)
    study.federation.ledger.release(request.digest, result.digest, of_folder)
    study.journal.tell("model.released", request=request.digest, weights=result.digest, folder=of_folder)
    return folder


def _tables(result: Result) -> dict[str, Table]:
    if isinstance(result, Table):
        return {result.name: result}
    return dict(result.tables) if isinstance(result, Analysis) else {}
