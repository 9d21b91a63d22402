"""Killed with -9 in the middle of a question: whoever starts again gets the same answer, and no site is charged twice."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import fedkit
from fedkit.sites.launch import launch

SITES = ("no", "fi", "et")

#: Opens a data request and asks; dies as soon as the first site's receipt is in the folder.
ASKS = """
import os, signal, sys
import fedkit
from fedkit.study.warehouse.records import Records

take = Records.take

def and_die(self, number, receipt, data):
    take(self, number, receipt, data)
    os.kill(os.getpid(), signal.SIGKILL)

Records.take = and_die
home, corpus, folder = sys.argv[1:]
with fedkit.launch("killed", home, corpus=corpus) as federation:
    warehouse = fedkit.Warehouse(federation, folder)
    warehouse.open(title="Notes", purpose="Plan", questions=3, rho=2.0)
    warehouse.approve()
    warehouse.count("notes").noise(0.5).run()
"""


def test_the_same_call_again_ends_what_was_begun(small_corpus: Path, tmp_path: Path) -> None:
    home, folder = tmp_path / "home", tmp_path / "request"
    command = [sys.executable, "-c", ASKS, str(home), str(small_corpus), str(folder)]
    killed = subprocess.run(command, capture_output=True, timeout=500, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()[-2000:]
    kept = json.loads((folder / "questions" / "0001.json").read_text())
    assert len(kept["receipts"]) >= 1
    assert not kept["closed"]
    with launch("killed", home) as federation, fedkit.Warehouse(federation, folder) as warehouse:
        answer = warehouse.count("notes").noise(0.5).run()
        assert (answer.number, answer.sites) == (1, list(SITES))
        first = {receipt["site"]: receipt for receipt in kept["receipts"]}
        again = {receipt.site: receipt.to_json() for receipt in warehouse._records.all()[0].receipts}
        assert {site: again[site] for site in first} == first
        assert warehouse.left() == dict.fromkeys(SITES, 1.5)
        assert {site: state.used["query"] for site, state in warehouse.status().items()} == dict.fromkeys(SITES, 1)
        assert warehouse.verify().ok
