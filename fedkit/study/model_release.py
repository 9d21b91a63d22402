"""Step 9: the model folder that others can load, and the digests that say where it came from."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from fedkit.digests import digest, digest_folder
from fedkit.errors import TrainingError
from fedkit.governance.decision import NOTHING
from fedkit.storage import write_whole
from fedkit.study.report import model_card
from fedkit.study.runs import TRAINING

if TYPE_CHECKING:
    from fedkit.study.study import Study


def release(study: Study) -> Path:
    """Write `model/` in Hugging Face layout and record the release on the ledger; the same model is recorded once.

    The folder holds config.json, model.safetensors, README.md (the model card), metrics.json and provenance.json.
    Raises TrainingError before the last round is complete.
    """
    from fedkit.federation.parameters import decode
    from fedkit.federation.rounds import read_history, read_weights
    from fedkit.ner.models import build

    request = study.requested()
    training = study.folder / TRAINING
    history = read_history(training)
    done = history[-1].round if history else 0
    if done < request.settings["rounds"]:
        raise TrainingError(
            "there is no finished model to release",
            expected=f"{request.settings['rounds']} complete rounds",
            got=f"{done}",
            help="run() goes on from the last complete round",
        )
    weights = history[-1].aggregate
    model = build(request.settings["model"], request.settings["labels"])
    model.load_parameters(decode(read_weights(training, weights)))
    folder, part = study.folder / "model", study.folder / ".model.part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    model.save_pretrained(part)
    digests = {"request": request.digest, "code": request.code_digest, "environment": request.environment, "model": weights}
    metrics = study.run_folder.read("metrics")
    card = model_card(
        plan=study.plan,
        sites=[receipt["site"] for receipt in history[-1].receipts],
        languages=sorted({study.federation.sites[name].language for name in study.sites}),
        rounds=done,
        sequential=request.settings["sequential_rounds"],
        labels=request.settings["labels"],
        metrics=metrics,
        digests=digests,
        folder=folder.name,
        masked=request.secure_sum is not None,
        noise=request.entry("train_round").noise if any(e.name == "train_round" for e in request.entries) else None,
        costs=(study.plan or {}).get("privacy", {}),
    )
    decisions = [decision.to_json() for decision in study.decisions()]
    write_whole(part / "README.md", card.encode(), mode=0o666)
    write_whole(part / "metrics.json", json.dumps(metrics, indent=1, ensure_ascii=False).encode(), mode=0o666)
    write_whole(part / "provenance.json", json.dumps({**digests, "decisions": decisions}, indent=1).encode(), mode=0o666)
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)
    study.run_folder.write("digests", digests)
    of_folder, of_metrics = digest_folder(folder), digest(metrics) if metrics else NOTHING
    study.federation.ledger.release(request.digest, weights, of_folder, of_metrics)
    study.journal.tell("model.released", request=request.digest, weights=weights, folder=of_folder, metrics=of_metrics)
    return folder
