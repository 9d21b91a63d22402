"""How fast the text pipeline reads, beside Presidio on the same notes and the same core, and how much memory a store takes.

    python benchmarks/text_speed.py                  notes a second, three runs of each, by turns
    python benchmarks/text_speed.py --memory         peak memory of `fedkit notes process` at 1,000 and at 100,000 notes

The notes are the training notes of data_samples. JSON in the last line.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path

from measured import ROOT, last_json, peer_python
from process_tree import PeakMemory

from fedkit.notes.corpus import read_corpus
from fedkit.notes.note import Note

PER_SITE, RUNS = 200, 3


def sample_notes() -> list[Note]:
    """Training notes of every site, without what the corpus says about them: as they come from a hospital."""
    sites = read_corpus(ROOT / "data_samples").sites.values()
    return [Note(f"{site.name}-{n.id}", n.text, n.language) for site in sites for n in site.train[:PER_SITE]]


def own_seconds(notes: list[Note]) -> dict[str, float]:
    """Seconds of CPU for each step over these notes, whose language is not told; loading is not counted."""
    from fedkit.notes.pipeline import STEPS, Pipeline

    pipeline = Pipeline()
    current = [Note(n.id, n.text, "") for n in notes]
    for note in current[:: max(1, len(current) // 100)]:
        pipeline(note)
    seconds = {}
    for name, step in STEPS.items():
        began = time.process_time()
        current = [step(pipeline, note) for note in current]
        seconds[name] = time.process_time() - began
    return seconds


def speed() -> dict[str, object]:
    """Notes a second of both, medians of runs by turns on one core."""
    python = peer_python("presidio")
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # children inherit it
    notes = sample_notes()
    ours, theirs, steps = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "notes.jsonl")
        path.write_text("".join(json.dumps({"lang": n.language, "text": n.text}) + "\n" for n in notes), "utf-8")
        for _ in range(RUNS):
            steps.append(last_json([sys.executable, "benchmarks/text_speed.py", "--own"])["steps"])
            ours.append(len(notes) / sum(steps[-1].values()))
            theirs.append(len(notes) / float(last_json([python, "benchmarks/presidio_notes.py", path])["seconds"]))
    return {
        "notes": len(notes),
        "characters": sum(len(n.text) for n in notes) / len(notes),
        "notes_per_second": statistics.median(ours),
        "presidio_notes_per_second": statistics.median(theirs),
        "milliseconds": {name: statistics.median(s[name] for s in steps) / len(notes) * 1000 for name in steps[0]},
    }


def memory(count: int) -> float:
    """Peak megabytes of `fedkit notes process` over so many notes, in one process."""
    notes = sample_notes()
    with tempfile.TemporaryDirectory() as folder:
        source, store = Path(folder, "notes.jsonl"), Path(folder, "notes.duckdb")
        with source.open("w", encoding="utf-8") as file:
            for i, note in enumerate(islice(cycle(notes), count)):
                file.write(json.dumps({"id": f"n{i}", "lang": "", "text": note.text, "spans": []}, ensure_ascii=False) + "\n")
        command = [str(Path(sys.executable).with_name("fedkit")), "notes"]
        subprocess.run([*command, "import", source, "--to", store], check=True, capture_output=True)
        process = subprocess.Popen([*command, "process", store, "--workers", "1"], stdout=subprocess.DEVNULL)
        with PeakMemory(process.pid) as peak:
            if process.wait():
                raise RuntimeError("fedkit notes process failed")
        return peak.peak / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--own", action="store_true", help="one run of fedkit's pipeline alone")
    parser.add_argument("--memory", action="store_true", help="measure memory, not speed")
    parser.add_argument("--counts", default="1000,100000", help="stores to measure memory with, default: %(default)s")
    options = parser.parse_args()
    if options.own:
        print(json.dumps({"steps": own_seconds(sample_notes())}))
    elif options.memory:
        print(json.dumps({count: memory(int(count)) for count in options.counts.split(",")}))
    else:
        print(json.dumps(speed()))


if __name__ == "__main__":
    main()
