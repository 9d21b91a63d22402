"""The benchmarks themselves: each function measures fedkit and its peer in one go and gives back numbers."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from measured import ROOT, Measured, last_json, peer_python
from process_tree import PeakMemory

#: Five sites, the update of the FederatedHealth network's LoRA job (r = 8 and all biases of XLM-R base), two cores.
SITES, FLOATS, ROUNDS = 5, 898_596, 12


def import_seconds(repeats: int = 7) -> list[Measured]:
    """`import fedkit` in a fresh interpreter, beside `import flwr`; the median, time of the interpreter itself not counted."""

    def median(python: str | Path, package: str) -> float:
        code = f"import time; t = time.perf_counter(); import {package}; print(time.perf_counter() - t)"
        runs = [subprocess.run([python, "-c", code], capture_output=True, text=True, check=True) for _ in range(repeats + 1)]
        return statistics.median(float(run.stdout) for run in runs[1:])  # the first one may still compile

    ours, theirs = median(sys.executable, "fedkit"), median(peer_python(), "flwr")
    command = "python benchmarks/run.py --only import_seconds"
    return [Measured("import_seconds", ours, "s", command, theirs, "import flwr 1.42", f"median of {repeats}")]


def round_overhead() -> list[Measured]:
    """A steady round without training: fedkit in process beside Flower's simulation, one after the other in the same run."""
    theirs = last_json([peer_python(), "benchmarks/flower_rounds.py", "--sites", str(SITES), "--rounds", str(ROUNDS)])["rounds"]
    ours = last_json([sys.executable, "benchmarks/fedkit_rounds.py", "--rounds", str(ROUNDS)], OMP_NUM_THREADS="1")["rounds"]
    return [
        Measured(
            "round_overhead_vs_flower",
            statistics.median(ours),
            "s",
            "python benchmarks/run.py --only round_overhead",
            statistics.median(theirs),
            "Flower 1.42 simulation, Ray backend",
            f"a round without training, {SITES} sites, {FLOATS:,} floats, median of {ROUNDS}; fedkit's has the approval check, "
            f"a confined worker, output contract, signed receipts and ledger in it; range {min(ours):.2f}–{max(ours):.2f}, "
            f"Flower {min(theirs):.2f}–{max(theirs):.2f}",
        )
    ]


def secure_sums() -> list[Measured]:
    """A round of secure aggregation beside Flower's SecAgg+, both without messages, and what it adds to the bytes."""
    size = ["--sites", str(SITES), "--floats", str(FLOATS)]
    theirs = last_json([peer_python(), "benchmarks/flower_secagg.py", *size], OMP_NUM_THREADS="1")
    ours = last_json([sys.executable, "benchmarks/fedkit_secagg.py", *size], OMP_NUM_THREADS="1")
    again = "python benchmarks/run.py --only secure_sums"
    note = f"keys, shares, masks of {SITES} sites and the sum of {FLOATS:,} floats; largest error {ours['error']:.0e}, "
    note += f"Flower {theirs['error']:.0e}; range {min(ours['seconds']):.2f}–{max(ours['seconds']):.2f}, "
    note += f"Flower {min(theirs['seconds']):.2f}–{max(theirs['seconds']):.2f}"
    seconds = [statistics.median(found["seconds"]) for found in (ours, theirs)]
    return [
        Measured("secagg_vs_flower", seconds[0], "s", again, seconds[1], "Flower 1.42 SecAgg+", note),
        Measured("secagg_bytes_ratio", ours["bytes"] / 1e6, "MB", again, ours["plain"] / 1e6, "the same weights unmasked"),
    ]


def demo() -> list[Measured]:
    """`fedkit demo` from a cold start on a fresh data folder: seconds in all, peak memory, seconds to the first round."""
    with tempfile.TemporaryDirectory(prefix="fedkit-bench-") as folder:
        runs, log = Path(folder, "runs"), Path(folder, "log")
        command = [
            str(Path(sys.executable).with_name("fedkit")),
            "demo",
            "--out",
            str(runs),
            "--home",
            str(Path(folder, "home")),
        ]
        began = time.time()
        with log.open("w") as out:
            process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, cwd=ROOT)
            with PeakMemory(process.pid) as memory:
                code = process.wait()
        seconds = time.time() - began
        if code:
            raise RuntimeError(f"fedkit demo ended with {code}:\n{log.read_text('utf-8')[-2000:]}")
        first = first_round(next(runs.glob("*/events.jsonl"))) - began
    again = "python benchmarks/run.py --only demo"
    cold = "fedkit demo on the samples, new data folder, set-up done before"
    return [
        Measured("demo_seconds", seconds, "s", again, 240.0, "limit", cold),
        Measured(
            "demo_peak_mb", memory.peak / 1e6, "MB", again, 3000.0, "limit", f"sum over processes, {memory.samples} samples"
        ),
        Measured("first_round_seconds", first, "s", again, 25.0, "limit", "from the start of the process"),
    ]


def first_round(events: Path) -> float:
    """Unix time at which the first round was complete. Raises RuntimeError if none was."""
    for line in events.read_text("utf-8").splitlines():
        row: dict[str, Any] = json.loads(line)
        if row["data"].get("event") == "round" and row["data"]["round"] == 1:
            return float(row["at"])
    raise RuntimeError(f"no round in {events.name}")


def verify_rows() -> list[Measured]:
    """Verification of a bundle with 100,000 journal rows of five sites: seconds of CPU and peak memory."""
    rows = 100_000
    found = last_json([sys.executable, "benchmarks/verify_rows.py", "--rows", str(rows)])
    again = "python benchmarks/run.py --only verify_rows"
    note = f"{found['rows']:,} rows, {found['anchors']} anchors of them; all checks, the chain executed again as well"
    return [
        Measured("verify_100k_seconds", float(found["seconds"]), "s", again, 30.0, "limit", note),
        Measured("verify_100k_mb", float(found["mb"]), "MB", again, 500.0, "limit", "peak of the whole process"),
    ]


#: A real corpus of five languages (PER, LOC, ORG), one folder per site; set NAMES5 to another place.
NAMES5 = Path(os.environ.get("NAMES5", ROOT.parent / "shared" / "corpora" / "names5"))


def names5() -> list[Measured]:
    """Entity F1 on five real corpora at the same training budget: federated beside pooled and local, and the worst site."""
    if not NAMES5.is_dir():
        raise RuntimeError(f"no corpus at {NAMES5.name}: set NAMES5 to a folder of one folder per site")
    found = last_json([sys.executable, "benchmarks/names5.py", "--corpus", str(NAMES5)], OMP_NUM_THREADS="1")
    again = "python benchmarks/run.py --only names5"
    table = "; ".join(f"{r['site']} {r['local']:.1f}/{r['pooled']:.1f}/{r['federated']:.1f}" for r in found["table"])
    seeds = "; ".join(f"seed {r['seed']} {r['mean']['federated']:.2f} beside {r['mean']['pooled']:.2f}" for r in found["runs"])
    note = f"F1 in points, strict spans, mean over sites and seeds; local/pooled/federated: {table}; {seeds}"
    value = {kind: float(found[f"names5_{kind}_f1"]) for kind in ("federated", "pooled", "local")}
    own = " ".join(f"{gap:+.2f}" for gap in found["worst_site_gap_of_seeds"])
    gap = f"least of federated − local over the sites, of the means over seeds; the limit is −1; each seed's own: {own}"
    return [
        Measured("names5_federated_f1", value["federated"], "points", again, value["pooled"], "pooled, same budget", note),
        Measured("names5_pooled_f1", value["pooled"], "points", again),
        Measured("names5_local_f1", value["local"], "points", again, value["pooled"], "pooled, same budget"),
        Measured("names5_worst_site_gap", float(found["names5_worst_site_gap"]), "points", again, note=gap),
    ]


def small_updates() -> list[Measured]:
    """Bytes of an update in sparse ternary form beside float32, and what the federation loses by it on five real corpora."""
    if not NAMES5.is_dir():
        raise RuntimeError(f"no corpus at {NAMES5.name}: set NAMES5 to a folder of one folder per site")
    found = last_json([sys.executable, "benchmarks/small_updates.py", "--corpus", str(NAMES5)], OMP_NUM_THREADS="1")
    again = "python benchmarks/run.py --only small_updates"
    seeds = ", ".join(f"{'whole' if r['codec'] is None else 'ternary'} {r['f1']:.2f} (seed {r['seed']})" for r in found["rows"])
    note = f"mean of an update's bytes on the wire, file and names included; the tenth that changed most, as a sign: {seeds}"
    loss = found["f1"] - found["f1_small"]
    return [
        Measured("bytes_ratio", found["bytes"], "bytes", again, found["bytes_whole"], "the same weights as float32", note),
        Measured("bytes_f1_loss", loss, "points", again, 0.5, "goal, at most", f"F1 on test, mean over sites; {seeds}"),
    ]


#: Corpora that others published; set CORPORA to another place.
CORPORA = Path(os.environ.get("CORPORA", ROOT.parent / "shared" / "corpora"))


def concepts() -> list[Measured]:
    """Drug names found by the rules from the international names alone, and what an ordinary text is falsely taken for."""
    if not (CORPORA / "ud").is_dir():
        raise RuntimeError(f"no corpora at {CORPORA.name}: set CORPORA to the folder of lex-* and ud")
    found = last_json([sys.executable, "benchmarks/concepts.py", "--corpora", str(CORPORA)], OMP_NUM_THREADS="1")
    again = "python benchmarks/run.py --only concepts"
    exact = float(found["exact"])
    own = f"{found['forms']:,} inflected forms in six languages, written for fedkit; the names are international ones only"
    news = f"{found['words']:,} words of news and fiction (Universal Dependencies), whole vocabulary"
    return [
        Measured("drug_form_recall", float(found["rules"]), "share", again, exact, "exact match", own),
        Measured("drug_misspelt_recall", float(found["misspelt"]), "share", again, exact, "exact match", "one slip in each"),
        Measured(
            "drug_swedish_recall",
            float(found["swedish"]),
            "share",
            again,
            note=f"{found['swedish_names']} Swedish names of others",
        ),
        Measured(
            "icd10_category_agreement",
            float(found["categories"]),
            "share",
            again,
            note=f"{found['titles']} titles of others, nb and sv",
        ),
        Measured(
            "drug_names_confused",
            float(found["confused"]),
            "names",
            again,
            note=f"of {found['index_names']:,} of a published index",
        ),
        Measured("drug_names_per_1000_ordinary", float(found["per_1000"]["DRUG"]), "per 1,000 words", again, note=news),
    ]


def text() -> list[Measured]:
    """Language, tokens, sentences and negation against other people's gold; names masked, and other words with them."""
    if not (CORPORA / "ud").is_dir():
        raise RuntimeError(f"no corpora at {CORPORA.name}: set CORPORA to the folder of names5, ud and negation-nb")
    again = "python benchmarks/run.py --only text"
    found = last_json([sys.executable, "benchmarks/text.py"], OMP_NUM_THREADS="1")
    masked = last_json([sys.executable, "benchmarks/deidentify.py", "--corpora", str(CORPORA)], OMP_NUM_THREADS="1")
    language, negation, names = found["language"], found["negation"], masked["names"]

    def least(name: str, what: str) -> Measured:
        scores: dict[str, float] = found[what]
        each = " ".join(f"{k} {v:.4f}" for k, v in scores.items())
        goal = {"tokens": 0.98, "sentences": 0.85}[what]
        return Measured(name, min(scores.values()), "F1", again, goal, "goal", f"the least of six UD dev sets; {each}")

    sites = " ".join(f"{k} {v:.3f}" for k, v in language["of_site"].items())
    gold = f"{negation['negated']} negated among {negation['mentions']} mentions; rules were chosen on this half of the corpus"
    per = " ".join(f"{k} {v['recall']:.3f}" for k, v in names.items())
    other = " ".join(f"{k} {v['masked_other']:.3f}" for k, v in names.items())
    return [
        Measured(
            "language_document_accuracy",
            language["accuracy"],
            "share",
            again,
            0.99,
            "goal",
            f"{language['documents']:,} documents of names5 test, {language['abstained']} abstentions counted wrong; {sites}",
        ),
        least("token_f1", "tokens"),
        least("sentence_f1", "sentences"),
        Measured("negation_precision", negation["precision"], "share", again, 0.85, "goal", gold),
        Measured("negation_recall", negation["recall"], "share", again, 0.85, "goal", gold),
        Measured("per_recall_min", min(v["recall"] for v in names.values()), "share", again, 0.93, "goal", per),
        Measured("masked_other_share_max", max(v["masked_other"] for v in names.values()), "share", again, 0.04, "goal", other),
    ]


def text_speed() -> list[Measured]:
    """Notes a second of the whole text pipeline beside Presidio on one core, and memory over a hundred times the notes."""
    found = last_json([sys.executable, "benchmarks/text_speed.py"], OMP_NUM_THREADS="1")
    peaks = last_json([sys.executable, "benchmarks/text_speed.py", "--memory"], OMP_NUM_THREADS="1")
    again = "python benchmarks/run.py --only text_speed"
    peer = "Presidio 2.2.366, blank spaCy, all its recognisers for these languages"

    def beside(name: str, kind: str) -> Measured:
        speed = found[kind]
        steps = ", ".join(f"{step} {ms:.3f}" for step, ms in speed["milliseconds"].items())
        note = f"{kind}: {speed['notes']:,} notes of {speed['characters']:.0f} characters, all seven steps, goal ten times; "
        note += f"Presidio found {speed['presidio_found']} identifiers in them; milliseconds a note: {steps}"
        ours, theirs = float(speed["notes_per_second"]), float(speed["presidio_notes_per_second"])
        return Measured(name, ours, "notes/s", again, theirs, peer, note)

    return [
        beside("pipeline_vs_presidio", "samples"),
        beside("pipeline_vs_presidio_records", "records"),
        *([beside("pipeline_vs_presidio_prose", "prose")] if "prose" in found else []),
        Measured(
            "pipeline_peak_mb",
            float(peaks["100000"]),
            "MB",
            again,
            float(peaks["1000"]),
            "the same over 1,000 notes",
            "fedkit notes process over 100,000 notes in one process",
        ),
    ]


def note_imports() -> list[Measured]:
    """`fedkit notes import` of 100,000 notes, a broken one in the middle: notes a second and peak memory, beside `datasets`."""
    found = last_json([sys.executable, "benchmarks/note_imports.py"], OMP_NUM_THREADS="1")
    again = "python benchmarks/run.py --only note_imports"
    count, rate = int(found["notes"]), "1/s"
    ours, theirs = count / found["many_seconds"], count / found["peer_seconds"]
    size = f"{count:,} notes of data_samples: {found['source_mb']:.0f} MB of JSON Lines, {found['store_mb']:.0f} MB as a store"
    few = f"peak of the whole process; the peer is the same for 1,000 notes; `datasets` takes {found['peer_mb']:.0f} MB"
    return [
        Measured("import_notes_per_second", ours, rate, again, theirs, "datasets, which checks no offset", size),
        Measured("import_peak_mb", found["many_mb"], "MB", again, found["few_mb"], "1,000 notes", few),
    ]


def ledger_acts() -> list[Measured]:
    """CPU of acts on the embedded chain: in batches, beside eth-tester on 300 acts, over 10,000 blocks; and opening those."""
    settings = {"OMP_NUM_THREADS": "1"}
    batched = last_json([sys.executable, "benchmarks/ledger_acts.py", "batched", "--acts", "1000"], **settings)
    theirs = last_json([peer_python("eth-tester"), "benchmarks/eth_tester_acts.py", "--acts", "300"], **settings)
    ours = last_json([sys.executable, "benchmarks/ledger_acts.py", "against", "--acts", "300"], **settings)
    long = last_json([sys.executable, "benchmarks/ledger_acts.py", "long", "--acts", "10000"], **settings)
    opened, again = long["opened"], "python benchmarks/run.py --only ledger_acts"
    return [
        Measured(
            "ledger_event_ms",
            batched["ms"],
            "ms CPU",
            again,
            5.0,
            "limit",
            "an anchor, signed by its site, sent and its receipt read; 1,000 of them, 100 to a block, each block flushed to "
            f"the disk; reading them back as records {batched['read_ms']:.2f} ms each",
        ),
        Measured(
            "ledger_vs_eth_tester",
            ours["batched"],
            "s CPU",
            again,
            theirs["seconds"],
            "eth-tester 0.14 with py-evm",
            f"300 roles granted and their logs read back; fedkit on disk, in blocks of 100, and {ours['single']:.2f} s with a "
            f"block for each; eth-tester in memory, a block for each; {theirs['logs']:.2f} s of its time are the logs",
        ),
        Measured(
            "ledger_10k_act_ms",
            long["ms"],
            "ms CPU",
            again,
            long["first_ms"],
            "the same over the first 1,000",
            f"10,000 acts, a block for each; the last 1,000 {long['last_ms']:.2f} ms; peak {long['mb']:.0f} MB, "
            f"{long['disk_mb']:.0f} MB on disk",
        ),
        Measured(
            "chain_open_10k_seconds",
            opened["open"],
            "s",
            again,
            1.0,
            "limit",
            f"open_ledger on {opened['blocks']:,} blocks in a new process, imports done; reading all {opened['events']:,} "
            f"records {opened['read']:.1f} s more",
        ),
    ]


def private_training(corpus: str = "../shared/corpora/names5") -> list[Measured]:
    """A step with noise beside a plain one on the same notes; and the F1 that epsilon 8 costs at the same number of steps."""
    command = [sys.executable, "benchmarks/private_training.py"]
    took = last_json([*command, "step"], OMP_NUM_THREADS="1")
    found = last_json([*command, "f1", "--corpus", corpus], OMP_NUM_THREADS="1")
    again = "python benchmarks/run.py --only private_training"
    said = (
        f"names5, epsilon {found['epsilon']:.2f} at delta 1e-5 for each note at the smallest site, sigma {found['sigma']:.2f}, "
        f"{found['steps']} steps a site: F1 {found['private_f1']:.1f} with noise, {found['plain_f1']:.1f} without, one seed"
    )
    return [
        Measured("dp_step_ratio", took["private"], "s CPU", again, took["plain"], "a plain step", "64 notes, recipe's model"),
        Measured("dp_f1_loss", found["plain_f1"] - found["private_f1"], "F1", again, 3.0, "limit", said),
    ]
