"""What smaller updates cost: bytes from a site in a round, and F1, on the federation of `names5.py`.

    python benchmarks/small_updates.py --corpus ../shared/corpora/names5 --seeds 1 2 3
    python benchmarks/small_updates.py --corpus ../shared/corpora/names5 --every 4 --dev --grid      to choose a share

Both federations are the same but for the codec: seed, rounds, notes, no sequential rounds. JSON in the last line.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from names5 import federated, on_dev, points, subset

from fedkit.ner import tasks
from fedkit.ner.metrics import site_macro
from fedkit.notes.corpus import Corpus, read_corpus

#: The codec that docs/compression.md recommends.
CHOSEN = {"kind": "ternary", "share": 0.1}

#: What `--grid` tries beside none.
GRID: tuple[dict[str, Any], ...] = (
    {"kind": "bf16"},
    {"kind": "int8"},
    *({"kind": "ternary", "share": s} for s in (0.05, 0.1, 0.2)),
)


def one(corpus: Corpus, seed: int, codec: dict[str, Any] | None) -> dict[str, Any]:
    """F1 in points and the bytes of an update, with and without the codec."""
    notes = {name: len(site.train) for name, site in corpus.sites.items()}
    settings = {**tasks.default_settings(corpus.labels, seed=seed, notes=notes), "sequential_rounds": 0}
    scores, _, spent = federated(corpus, {**settings, **({"compression": codec} if codec else {})}, lambda _: None)
    row = {"seed": seed, "codec": codec, "f1": points(site_macro(scores))}
    return {**row, **{key: round(spent[key]) for key in ("bytes", "bytes_whole") if key in spent}}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True, help="a folder of one folder per site")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2], help="one run each, default: 1 2")
    parser.add_argument("--every", type=int, default=1, help="train on every so-manieth note only")
    parser.add_argument("--dev", action="store_true", help="score on the development sets")
    parser.add_argument("--grid", action="store_true", help="try all codecs")
    options = parser.parse_args()
    corpus = subset(read_corpus(options.corpus), options.every)
    if options.dev:
        corpus = on_dev(corpus)
    rows = []
    for seed in options.seeds:
        for codec in (None, *(GRID if options.grid else (CHOSEN,))):
            rows.append(one(corpus, seed, codec))
            print(json.dumps(rows[-1]), flush=True)
    plain, small = ([row for row in rows if (row["codec"] is None) == none] for none in (True, False))
    found = {
        "rows": rows,
        "f1": round(sum(row["f1"] for row in plain) / len(plain), 2),
        "f1_small": round(sum(row["f1"] for row in small) / len(small), 2),
        "bytes": round(sum(row["bytes"] for row in small) / len(small)),
        "bytes_whole": round(sum(row["bytes_whole"] for row in small) / len(small)),
    }
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
