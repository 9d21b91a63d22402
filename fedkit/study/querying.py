"""Steps 7 and 8 of every request that each site answers once: a count, a table, an evaluation, an analysis.

All approved sites run it at the same time. Who refuses or fails is named, and the rest combine. The run is *closed* once every
site has answered or said no, or by the release: then the result's digest goes to the ledger with the receipts it was made of,
and nothing runs any more. Until then a site that was not reached, failed or has not decided can still answer. On the ledger it
stands as a round of kind AVERAGED: all sites from the same inputs, one result of all.

In the study's folder: `answers.json` (receipts), `answers/` (what they name), `missing.json`, and `result.json` once closed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from fedkit.digests import digest_bytes, short
from fedkit.errors import DigestMismatch, ExecutionCancelled, FedkitError, RequestError, SiteError
from fedkit.governance.decision import NOTHING, Receipt
from fedkit.results import Answer, Result, build
from fedkit.storage import write_whole
from fedkit.study.budgets import pay
from fedkit.study.evidence import tell_round
from fedkit.study.requesting import starting_weights

if TYPE_CHECKING:
    from fedkit.study.study import Study

#: Where a request stands at a site that may still run it: not reached, not decided.
OPEN = ("", "pending")

#: Sites that run at the same time.
PARALLEL = 8


def ask_sites(study: Study, stop: threading.Event) -> Result:
    """Run the request where it is approved and has not been answered; see `Study.run`.

    Raises the first site's error if no site answered, now or before.
    """
    if study.run_folder.read("result") is not None:
        record(study)  # a crash may have fallen between the result and its record; a second time changes nothing
        return result_of(study)
    answered = answers_of(study)
    stands = {site: _stands(study, site) for site in study.sites if site not in answered}
    waiting = [site for site, (status, _) in stands.items() if status == "approved"]
    if not waiting and not answered:
        study.approved_sites()  # says why there is none
    errors = _run_all(study, waiting, stop)
    elsewhere = {site: why for site, (status, why) in stands.items() if status != "approved"}
    study.run_folder.write("missing", {**elsewhere, **{site: str(error) for site, error in errors.items()}})
    if errors and not answers_of(study):
        raise next(iter(errors.values()))
    if late := [*errors, *(site for site in elsewhere if stands[site][0] in OPEN)]:
        study.say(8, f"{', '.join(late)} may still answer: run() asks again, release() goes without")
    else:
        close(study)
    return result_of(study)


def answers_of(study: Study) -> dict[str, Answer]:
    """Site → what it answered, in the federation's order. Raises DigestMismatch if a file is not what its receipt names."""
    receipts = [Receipt.from_json(row) for row in study.run_folder.read("answers") or []]
    found = {receipt.site: Answer(receipt, _read(study, receipt)) for receipt in receipts}
    return {site: found[site] for site in study.sites if site in found}


def result_of(study: Study) -> Result:
    """The result, of what was answered so far; of a training, its model. Raises RequestError before anything was."""
    request = study.requested()
    if request.kind == "training":
        receipts = [Receipt.from_json(row) for row in study.run_folder.read("evaluation-receipts") or []]
        answers = {receipt.site: Answer(receipt) for receipt in receipts}
        missing: Mapping[str, str] = {site: "it took no part" for site in study.sites if site not in answers}
    else:
        answers, missing = answers_of(study), study.run_folder.read("missing") or {}
    if not answers:
        raise RequestError("there is no result yet", expected="step 7, run()", got="no site's answer")
    return build(request, answers, missing)


def close(study: Study) -> Result:
    """End the run with the sites that answered: the result is written down, and recorded."""
    result = result_of(study)
    study.run_folder.write("result", result.to_json())
    record(study)
    study.say(8, f"{len(result.sites)} of {len(study.sites)} sites combined, result {short(result.digest)}")
    return result


def record(study: Study) -> None:
    """Bring the closed result to the ledger, with its receipts; a second time returns the first record."""
    request, answers = study.requested(), answers_of(study)
    result, receipts = build(request, answers, study.run_folder.read("missing") or {}), [a.receipt for a in answers.values()]
    if result.to_json() != study.run_folder.read("result"):
        raise DigestMismatch(
            "the result in the study's folder is not what the answers give",
            expected=short(result.digest),
            got="another result",
            help="restore the folder from a backup: the result was closed and cannot be made anew",
        )
    entry, inputs = receipts[0].entry, receipts[0].inputs
    pay(study, receipts)
    study.federation.ledger.record_round(request.digest, entry, 1, "AVERAGED", inputs, result.digest, receipts)
    tell_round(study, entry, 1, "AVERAGED", inputs, result.digest, receipts)


def _run_all(study: Study, sites: list[str], stop: threading.Event) -> dict[str, FedkitError]:
    """Ask these sites at the same time; returns what kept each of those from answering that did not."""
    weights = starting_weights(study)

    def one(site: str) -> FedkitError | None:
        began = time.monotonic()
        try:
            if stop.is_set():
                raise ExecutionCancelled("the run was cancelled before this site's turn", help="run() goes on")  # noqa: TRY301
            _ask(study, site, weights)
        except FedkitError as error:
            study.say(7, f"gave nothing: {error}", site=site, event="failed", code=error.code)
            return error
        except Exception as error:  # a defect of ours: its text stays here, the other sites go on
            study.say(7, f"gave nothing: {type(error).__name__}", site=site, event="failed")
            return SiteError(f"{site} could not be asked", got=type(error).__name__)
        seconds = time.monotonic() - began
        study.say(7, f"answered in {seconds:.1f} s", site=site, event="answered", seconds=seconds)
        return None

    for site in sites:
        study.say(7, "is asked", site=site, event="asked")
    with ThreadPoolExecutor(PARALLEL, thread_name_prefix="ask") as pool:
        ended = dict(zip(sites, pool.map(one, sites), strict=True))
    return {site: error for site, error in ended.items() if error is not None}


def _ask(study: Study, site: str, weights: bytes | None) -> None:
    """Run at one site, and keep what it names before its receipt: a receipt in the folder has its data."""
    session, request = study.session(site, "researcher"), study.requested()
    inputs = session.put(weights) if weights is not None else None
    receipt = session.execute(request.digest, request.entries[0].name, 1, inputs)
    if receipt.outputs != NOTHING:
        data = session.get(receipt.outputs)
        folder = study.folder / "answers"
        folder.mkdir(exist_ok=True)
        write_whole(folder / f"{receipt.outputs}.safetensors", data, mode=0o666)
    if problems := Answer(receipt, _read(study, receipt)).problems():
        raise DigestMismatch(f"{site}: {problems[0]}", expected="what the receipt says", got="something else")
    study.run_folder.add("answers", receipt.to_json())


def _read(study: Study, receipt: Receipt) -> bytes | None:
    """The data that a receipt names, None if it names none. Raises DigestMismatch if the file is missing or another."""
    if receipt.outputs == NOTHING:
        return None
    try:
        data = (study.folder / "answers" / f"{receipt.outputs}.safetensors").read_bytes()
    except FileNotFoundError:
        data = b""
    if digest_bytes(data) != receipt.outputs:
        raise DigestMismatch(
            f"the answer of {receipt.site} in the study's folder is not what its receipt names",
            expected=short(receipt.outputs),
            got="another file, or none",
            help="restore the folder from a backup",
        )
    return data


def _stands(study: Study, site: str) -> tuple[str, str]:
    """The request's status at a site ("" if it is not reached), and the same for people. It opens the session that the site's
    thread will use."""
    try:
        state = study.session(site, "researcher").state(study.requested().digest)
    except FedkitError as error:
        return "", str(error)
    return state.status, f"{state.status}: {state.reason}" if state.reason else state.status
