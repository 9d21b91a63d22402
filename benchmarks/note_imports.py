"""How fast notes come in, and how much memory that takes: `fedkit notes import` at 1,000 and at many notes.

    python benchmarks/note_imports.py                     100,000 notes of data_samples, written as JSON Lines
    python benchmarks/note_imports.py --notes 1000000     a million, with a broken record in the middle

The peer reads the same file in a process of its own with `datasets` (JSON Lines to Arrow on disk), which checks nothing of what
it reads and stops at a broken line. JSON in the last line.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path

from measured import ROOT

from fedkit.notes.corpus import read_corpus

FEW = 1_000
PEER = (
    "import sys, datasets; datasets.disable_progress_bars(); "
    "print(len(datasets.load_dataset('json', data_files=sys.argv[1], split='train', cache_dir=sys.argv[2])))"
)


def write(path: Path, count: int) -> None:
    """The training notes of the samples, over and over under ids of their own; the record in the middle is cut off."""
    notes = [note for site in read_corpus(ROOT / "data_samples").sites.values() for note in site.train]
    with path.open("w", encoding="utf-8") as file:
        for number, note in enumerate(islice(cycle(notes), count)):
            row = json.dumps(note.to_row() | {"id": f"n{number}"}, ensure_ascii=False)
            file.write(row[: len(row) // 2] + "\n" if number == count // 2 else row + "\n")


def measured_run(command: list[str]) -> tuple[float, float, str]:
    """(seconds, peak megabytes, output) of a command, the peak as the system counts it when the process ends."""
    began = time.perf_counter()
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.DEVNULL, cwd=ROOT)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"{command[0]} ended with {process.returncode}")
        output.seek(0)
        return seconds, usage.ru_maxrss / 1e3, output.read()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--notes", type=int, default=100_000)
    count = parser.parse_args().notes
    fedkit = str(Path(sys.executable).with_name("fedkit"))
    found: dict[str, float] = {"notes": count}
    with tempfile.TemporaryDirectory(prefix="fedkit-bench-") as name:
        folder = Path(name)
        for size, key in ((FEW, "few"), (count, "many")):
            source = folder / f"{key}.jsonl"
            write(source, size)
            store = folder / f"{key}.duckdb"
            report = folder / f"{key}.json"
            command = [fedkit, "notes", "import", str(source), "--to", str(store), "--report", str(report)]
            found[f"{key}_seconds"], found[f"{key}_mb"], _ = measured_run(command)
            said = json.loads(report.read_text("utf-8"))
            if (said["notes"], said["skipped"]) != (size - 1, {"syntax": 1}):
                raise RuntimeError(f"{said['notes']} of {size} notes came in, skipped: {said['skipped']}")
        found["source_mb"], found["store_mb"] = source.stat().st_size / 1e6, store.stat().st_size / 1e6
        # `datasets` stops at the broken record, so it is given the file without it.
        whole = folder / "whole.jsonl"
        lines = source.read_text("utf-8").split("\n")
        whole.write_text("\n".join(lines[: count // 2] + lines[count // 2 + 1 :]), "utf-8")
        found["peer_seconds"], found["peer_mb"], output = measured_run(
            [sys.executable, "-c", PEER, str(whole), str(folder / "cache")]
        )
        if int(output.split()[-1]) != count - 1:
            raise RuntimeError("the peer has read another number of notes")
    print(json.dumps({key: round(value, 3) for key, value in found.items()}))


if __name__ == "__main__":
    main()
