"""How fast the text pipeline reads, beside Presidio on the same notes and the same core, and how much memory a store takes.

    python benchmarks/text_speed.py                  notes a second, three runs of each, by turns
    python benchmarks/text_speed.py --memory         peak memory of `fedkit notes process` at 1,000 and at 100,000 notes

Three kinds of notes: "samples", the training notes of data_samples, short and without identifiers; "records", the whole record
of a synthetic patient as one text, with dates and names; and, where the corpora are, "prose" of 2,000 characters that nobody
here wrote, whose words repeat less than those of templates. fedkit gets notes without their
language and runs all seven steps; Presidio is told the language and looks for identifiers alone. Both read 100 notes of other
patients first, which are not timed: fedkit remembers words, so its first notes are slower. JSON in the last line.
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
from itertools import cycle, islice, zip_longest
from pathlib import Path

from measured import ROOT, last_json, peer_python
from process_tree import PeakMemory

from fedkit.notes.corpus import read_corpus
from fedkit.notes.note import Note

RUNS, WARM, PATIENTS = 3, 100, 60
#: Sentences of each site of names5 that make up the prose.
SENTENCES = 1_500
CORPORA = Path(os.environ.get("CORPORA", ROOT.parent / "shared" / "corpora"))
KINDS = ("samples", "records", "prose")


def sample_notes() -> list[Note]:
    """Training notes of every site, without what the corpus says about them: as they come from a hospital."""
    sites = read_corpus(ROOT / "data_samples").sites.values()
    return mixed([[Note(f"{site.name}-{n.id}", n.text, n.language) for n in site.train] for site in sites])


def whole_records() -> list[Note]:
    """All notes of a synthetic patient as one text, of 60 patients a language."""
    from fedkit.notes.synthetic.records import synthesise_records

    found = []
    for site in synthesise_records(patients_per_site=PATIENTS).sites.values():
        patients: dict[str, list[Note]] = {}
        for note in site.train:
            patients.setdefault(str(note.patient), []).append(note)
        found.append([Note(key, "\n\n".join(n.text for n in of), of[0].language) for key, of in patients.items()])
    return mixed(found)


def prose() -> list[Note]:
    """Sentences of names5 (train) that follow each other, as texts of 2,000 characters: other people's words and names."""
    found = []
    for site in read_corpus(CORPORA / "names5").sites.values():
        texts, held = [], ""
        for note in site.train[:SENTENCES]:
            held += f" {note.text}" if held else note.text
            if len(held) >= 2_000:
                texts.append(Note(f"{site.name}-{len(texts)}", held, note.language))
                held = ""
        found.append(texts)
    return mixed(found)


def mixed(groups: list[list[Note]]) -> list[Note]:
    """The notes of all groups, in turn: no language is read in one go."""
    return [note for row in zip_longest(*groups) for note in row if note is not None]


def notes_of(kind: str) -> list[Note]:
    """The notes of a kind; the first `WARM` are for warming up."""
    return {"samples": sample_notes, "records": whole_records, "prose": prose}[kind]()


def own_seconds(notes: list[Note]) -> dict[str, float]:
    """Seconds of CPU for each step over these notes but the first `WARM`, loading not counted; their language is not told."""
    from fedkit.notes.pipeline import STEPS, Pipeline

    pipeline = Pipeline()
    current = [Note(n.id, n.text, "") for n in notes]
    for note in current[:WARM]:
        pipeline(note)
    current = current[WARM:]
    seconds = {}
    for name, step in STEPS.items():
        began = time.process_time()
        current = [step(pipeline, note) for note in current]
        seconds[name] = time.process_time() - began
    return seconds


def speed(kind: str) -> dict[str, object]:
    """Notes a second of both, medians of runs by turns on one core."""
    python = peer_python("presidio")
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # children inherit it
    notes = notes_of(kind)
    timed = notes[WARM:]
    ours, theirs, steps = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "notes.jsonl")
        path.write_text("".join(json.dumps({"lang": n.language, "text": n.text}) + "\n" for n in notes), "utf-8")
        for _ in range(RUNS):
            steps.append(last_json([sys.executable, "benchmarks/text_speed.py", "--own", kind])["steps"])
            ours.append(len(timed) / sum(steps[-1].values()))
            found = last_json([python, "benchmarks/presidio_notes.py", path, str(WARM)])
            theirs.append(len(timed) / float(found["seconds"]))
    return {
        "notes": len(timed),
        "characters": sum(len(n.text) for n in timed) / len(timed),
        "presidio_found": found["found"],
        "notes_per_second": statistics.median(ours),
        "presidio_notes_per_second": statistics.median(theirs),
        "milliseconds": {name: statistics.median(s[name] for s in steps) / len(timed) * 1000 for name in steps[0]},
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
    parser.add_argument("--own", choices=KINDS, help="one run of fedkit's pipeline alone over notes of this kind")
    parser.add_argument("--memory", action="store_true", help="measure memory, not speed")
    parser.add_argument("--counts", default="1000,100000", help="stores to measure memory with, default: %(default)s")
    options = parser.parse_args()
    if options.own:
        print(json.dumps({"steps": own_seconds(notes_of(options.own))}))
    elif options.memory:
        print(json.dumps({count: memory(int(count)) for count in options.counts.split(",")}))
    else:
        there = KINDS if (CORPORA / "names5").is_dir() else KINDS[:2]
        print(json.dumps({kind: speed(kind) for kind in there}))


if __name__ == "__main__":
    main()
