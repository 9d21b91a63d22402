"""The loop of rounds: order, concurrency, failures, stops, and going on after a kill with the same bits."""

from __future__ import annotations

import itertools
import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from federation import toy

from fedkit.errors import ExecutionFailed, StorageError, TrainingError
from fedkit.federation.parameters import decode, digest_parameters
from fedkit.federation.rounds import Execution, RoundPlan, read_history, read_weights, run_rounds
from fedkit.federation.strategies import FedAvg, SequentialStart


def run(folder, execute=toy.train, plan=toy.PLAN, strategy=None, **more):
    return run_rounds(plan, toy.START, toy.SITES, execute, strategy or toy.strategy(), folder=folder, **more)


def test_the_result_is_the_last_aggregate_and_the_history_is_data(tmp_path):
    result = run(tmp_path)
    history = read_history(tmp_path)
    assert tuple(history) == result.history
    assert [r.round for r in history] == list(range(1, 9))
    assert [r.sequential for r in history] == [True] * 3 + [False] * 5
    assert digest_parameters(result.parameters) == history[-1].aggregate
    assert decode(read_weights(tmp_path, history[-1].aggregate)).keys() == toy.START.keys()
    assert history[0].before == digest_parameters(toy.START)
    assert all(a.aggregate == b.before for a, b in itertools.pairwise(history))
    assert history[4].sites["sv"]["notes"] == 1150
    assert [receipt["site"] for receipt in history[4].receipts] == list(toy.SITES)


def test_in_a_sequential_round_each_site_goes_on_from_the_one_before(tmp_path):
    record = run(tmp_path, plan=RoundPlan(2), strategy=SequentialStart(2, FedAvg())).history[1]
    assert record.order == ("sv", "da", "no")
    inputs = [receipt["inputs"] for receipt in record.receipts]
    assert inputs[0] == record.before
    assert len(set(inputs)) == 3


def test_in_an_averaging_round_all_sites_start_from_the_same_weights(tmp_path):
    record = run(tmp_path, plan=RoundPlan(1), strategy=FedAvg()).history[0]
    assert {receipt["inputs"] for receipt in record.receipts} == {record.before}


@pytest.mark.parametrize("parallel", [1, 2, 3])
def test_the_weights_do_not_depend_on_which_site_is_done_first(tmp_path, parallel):
    def uneven(site, entry, round, weights):
        time.sleep({"no": 0.01, "sv": 0.0, "da": 0.005}[site] * (round % 2))
        return toy.train(site, entry, round, weights)

    plan = RoundPlan(4, parallel=parallel, name="p")
    here = run(tmp_path / "a", uneven, plan, FedAvg())
    there = run(tmp_path / "b", toy.train, RoundPlan(4, parallel=1, name="p"), FedAvg())
    assert digest_parameters(here.parameters) == digest_parameters(there.parameters)


def test_sites_run_side_by_side_but_no_more_than_the_plan_allows(tmp_path):
    meeting, now, most, lock = threading.Barrier(2), [0], [0], threading.Lock()

    def counted(site, entry, round, weights):
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        if site != "da":
            meeting.wait(timeout=30)  # no and sv can only get past here together
        with lock:
            now[0] -= 1
        return toy.train(site, entry, round, weights)

    run(tmp_path, counted, RoundPlan(1, parallel=2), FedAvg())
    assert most[0] == 2


def test_a_run_killed_again_and_again_ends_with_the_same_bits(tmp_path):
    whole = run(tmp_path / "whole")
    folder = tmp_path / "killed"
    for target in (1, 3, 6):  # in the sequential rounds, at their end, among the averaged ones
        child = subprocess.Popen([sys.executable, toy.__file__, str(folder)])
        deadline = time.monotonic() + 60
        while len(read_history(folder)) < target and child.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)
        child.send_signal(signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL
        assert target <= len(read_history(folder)) < toy.PLAN.rounds
    before = len(read_history(folder))
    asked = []

    def told(site, entry, round, weights):
        asked.append(round)
        return toy.train(site, entry, round, weights)

    resumed = run(folder, told)
    assert min(asked) == before + 1
    assert digest_parameters(resumed.parameters) == digest_parameters(whole.parameters)
    assert [r.aggregate for r in resumed.history] == [r.aggregate for r in whole.history]
    assert not list(folder.rglob("*.part"))


def test_a_complete_run_asks_no_site_again(tmp_path):
    first = run(tmp_path)

    def never(*_):
        raise AssertionError("a site was asked")

    again = run(tmp_path, never)
    assert digest_parameters(again.parameters) == digest_parameters(first.parameters)


@pytest.mark.parametrize("round_of_failure", [2, 5])
def test_a_site_that_fails_is_named_recorded_and_the_run_goes_on_later(tmp_path, round_of_failure):
    def failing(site, entry, round, weights):
        if (site, round) == ("sv", round_of_failure):
            raise ExecutionFailed("the code ran out of memory")
        return toy.train(site, entry, round, weights)

    events = []
    with pytest.raises(ExecutionFailed, match="out of memory"):
        run(tmp_path, failing, on_event=events.append)
    (event,) = [e for e in events if e.kind == "site-failed"]
    assert (event.site, event.round) == ("sv", round_of_failure)
    row = json.loads((tmp_path / "failures.jsonl").read_text())
    assert (row["site"], row["round"], row["code"]) == ("sv", round_of_failure, "execution")
    assert len(read_history(tmp_path)) == round_of_failure - 1
    whole = run(tmp_path / "whole")
    assert digest_parameters(run(tmp_path).parameters) == digest_parameters(whole.parameters)


def test_the_words_of_a_foreign_exception_are_not_written_down(tmp_path):
    def leaking(site, entry, round, weights):
        raise ValueError("Kari Nordmann 01017012345")

    events = []
    with pytest.raises(ValueError, match="Kari"):
        run(tmp_path, leaking, on_event=events.append)
    assert "Kari" not in (tmp_path / "failures.jsonl").read_text()
    assert not any("Kari" in event.message for event in events)


@pytest.mark.parametrize(
    "bad",
    [
        {"table": np.full((4, 3), np.nan, np.float32), "bias": np.zeros(3, np.float32)},
        {"table": np.zeros((4, 2), np.float32), "bias": np.zeros(3, np.float32)},
        {"table": np.zeros((4, 3), np.float32)},
    ],
)
@pytest.mark.parametrize("number", [1, 4])
def test_weights_that_do_not_fit_stop_the_round_before_they_reach_another_site(tmp_path, bad, number):
    seen = []

    def spoilt(site, entry, round, weights):
        seen.append((round, site))
        return Execution(bad, {"notes": 1.0}) if (site, round) == ("no", number) else toy.train(site, entry, round, weights)

    with pytest.raises(TrainingError, match="site no"):
        run(tmp_path, spoilt)
    assert len(read_history(tmp_path)) == number - 1
    if number == 1:  # a sequential round: nobody trains on from them
        assert seen == [(1, "no")]


def test_a_stop_ends_between_sites_and_the_next_call_goes_on(tmp_path):
    stop = threading.Event()

    def stopping(site, entry, round, weights):
        if round == 3:
            stop.set()
        return toy.train(site, entry, round, weights)

    first = run(tmp_path, stopping, stop=stop)
    assert first.stopped
    assert len(first.history) == 2
    rest = run(tmp_path)
    assert not rest.stopped
    assert digest_parameters(rest.parameters) == digest_parameters(run(tmp_path / "whole").parameters)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"plan": RoundPlan(9, name="plan-a")}, "rounds"),
        ({"plan": RoundPlan(8, name="plan-b")}, "plan"),
        ({"strategy": FedAvg()}, "strategy"),
    ],
)
def test_the_folder_of_another_run_is_refused_and_left_alone(tmp_path, changes, what):
    run(tmp_path)
    before = (tmp_path / "rounds.json").read_bytes()
    with pytest.raises(TrainingError, match="another run") as caught:
        run(tmp_path, **changes)
    assert what in caught.value.got
    assert (tmp_path / "rounds.json").read_bytes() == before


def test_weights_changed_on_disk_are_found_out(tmp_path):
    record = run(tmp_path).history[-1]
    path = tmp_path / "weights" / f"{record.aggregate}.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"\x7f")
    with pytest.raises(TrainingError, match="changed on disk"):
        read_weights(tmp_path, record.aggregate)
    path.unlink()
    with pytest.raises(TrainingError, match="missing"):
        run(tmp_path)


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "A" * 64])
def test_weights_are_read_by_digest_and_by_nothing_else(tmp_path, name):
    with pytest.raises(TrainingError, match="not a digest"):
        read_weights(tmp_path, name)


def test_a_history_that_fedkit_did_not_write_is_named(tmp_path):
    (tmp_path / "rounds.json").write_text("{")
    with pytest.raises(StorageError, match=r"rounds\.json"):
        run(tmp_path)


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError):
        run(tmp_path / "file" / "below")


@pytest.mark.parametrize("sites", [(), ("no", "no")])
def test_rounds_need_different_sites(tmp_path, sites):
    with pytest.raises(TrainingError, match="sites"):
        run_rounds(toy.PLAN, toy.START, sites, toy.train, FedAvg(), folder=tmp_path)


@pytest.mark.parametrize("bad", [{"rounds": 0}, {"rounds": 1, "parallel": 0}])
def test_a_plan_without_rounds_is_refused(bad):
    with pytest.raises(TrainingError):
        RoundPlan(**bad)


def test_the_loop_loads_neither_torch_nor_pysyft():
    code = "import sys, fedkit.federation.rounds, fedkit.federation.curves, fedkit.federation.strategies; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"torch", "syft", "matplotlib", "transformers"} & set(loaded)


def test_the_folder_is_a_path_anywhere(tmp_path: Path):
    run(tmp_path / "new" / "below")
    assert (tmp_path / "new" / "below" / "rounds.json").is_file()
