"""What an approved code request calls at a site: train one round, evaluate, or score a model that is there already.

The request's own source (`SOURCE`) is a page that a steward can read; it calls the two functions here, which are covered by the
environment digest. Only weights, a loss and counts come out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from fedkit.digests import short
from fedkit.errors import DigestMismatch, TrainingError
from fedkit.federation.parameters import digest_parameters
from fedkit.governance.output_contract import OutputContract
from fedkit.ner.metrics import count_spans, to_numbers
from fedkit.notes.note import Note

SOURCE = '''"""Federated training of a named-entity tagger: one round at a time, and one evaluation at the end.

Out of a site come the weights of the model, the mean loss, and how many spans of each label were found, wrong or missed.
No text, no span and no note leaves; the output contract of the request says the same and the site enforces it.
"""

from fedkit.ner import tasks


def train_round(notes, weights, settings):
    """Train the given weights on this site's training notes for one round."""
    return tasks.train_round(notes, weights, settings)


def evaluate(notes, weights, settings):
    """Count the spans that the given weights find in this site's test notes."""
    return tasks.evaluate(notes, weights, settings)
'''


class NoteSet(Protocol):
    """A site's notes as its worker hands them over. cache: lives as long as the worker; encoded notes are kept there."""

    @property
    def train(self) -> Sequence[Note]: ...
    @property
    def dev(self) -> Sequence[Note]: ...
    @property
    def test(self) -> Sequence[Note]: ...
    @property
    def cache(self) -> dict[Any, Any]: ...


def default_settings(labels: Sequence[str], *, seed: int = 1, notes: Mapping[str, int] | None = None) -> dict[str, Any]:
    """The recipe (see `fedkit.ner.recipe`) for these labels: plain JSON that becomes part of the request.

    notes: site → number of training notes, as its catalogue says; where they are many, smaller sites see theirs more often.
    `sequential_rounds` of the `rounds` pass weights from site to site (see `fedkit.federation.strategies.sequential`).
    """
    from fedkit.ner.recipe import BALANCE, BALANCE_FROM, RECIPE, balanced_epochs

    settings = {"labels": sorted(labels), "seed": seed, **{key: _copy(value) for key, value in RECIPE.items()}}
    if notes and sum(notes.values()) >= BALANCE_FROM:
        training = settings["training"]
        training["site_epochs"] = balanced_epochs(notes, training["epochs_per_round"], BALANCE)
    return settings


def initial_parameters(settings: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The weights before round 1: the same for the same settings."""
    import torch

    from fedkit.ner.models import build
    from fedkit.ner.training import stable_seed

    torch.manual_seed(stable_seed(settings["seed"], "initial weights"))
    return build(settings["model"], settings["labels"]).parameters()


def contracts(settings: Mapping[str, Any]) -> dict[str, OutputContract]:
    """What may leave by each entry: the weights with their shapes, a loss, and counts."""
    labels = settings["labels"]
    shapes = {name: tuple(array.shape) for name, array in initial_parameters(settings).items()}
    dev = dict.fromkeys(to_numbers(count_spans([], [], labels), "dev"), (0.0, 1e7))
    test = dict.fromkeys(to_numbers(count_spans([], [], labels), "test"), (0.0, 1e7))
    work = {"loss": (0.0, 1e4), "notes": (0.0, 1e9), "words": (0.0, 1e10)}
    return {
        "train_round": OutputContract(tensors=shapes, numbers={**work, **dev}),
        "evaluate": OutputContract(numbers={**dev, **test}),
    }


def train_round(notes: NoteSet, weights: Mapping[str, np.ndarray], settings: Mapping[str, Any]) -> dict[str, Any]:
    """One local pass. Returns the new weights and `{"loss", "notes", "words", "dev.tp.LABEL", …}`.

    The counts on development notes are those of the weights *as they arrived*: they draw the shared model's learning curve.
    Raises TrainingError if there are no training notes or the weights become NaN.
    """
    from fedkit.ner.private_training import NoisePlan, private_pass
    from fedkit.ner.training import train_pass, training_settings

    model = _model(weights, settings)
    items = _encoded(notes, "train", model)
    if not items:
        raise TrainingError(
            f"site {settings['site']} has no training notes",
            expected="one note at least",
            got="none",
            help="leave this site out of the study, or give it notes in train.jsonl",
        )
    numbers = _counts(model, notes, "dev", training_settings(settings)["dev_notes"])
    if NoisePlan.of(settings) is not None:
        done = private_pass(model, items, settings, [note.patient for note in notes.train])
    else:
        done = train_pass(model, items, settings)
    return {"tensors": model.parameters(), "numbers": {"loss": done.loss, "notes": done.notes, "words": done.words, **numbers}}


def evaluate(notes: NoteSet, weights: Mapping[str, np.ndarray], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Counts of the weights on all test notes, and on the development notes to end the learning curve. No tensors."""
    from fedkit.ner.training import training_settings

    model = _model(weights, settings)
    dev = _counts(model, notes, "dev", training_settings(settings)["dev_notes"])
    return {"tensors": {}, "numbers": {**dev, **_counts(model, notes, "test", None)}}


def score_given(notes: NoteSet, weights: Mapping[str, np.ndarray], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Counts of a model that is there already, on the notes of `settings["split"]`. No tensors.

    settings: "model", "labels" in class order, "split", and "weights": the digest of the weights that the steward approved.
    Raises DigestMismatch for others: with weights of one's own making, one could ask for what is in a single note.
    """
    if (got := digest_parameters(weights)) != settings["weights"]:
        raise DigestMismatch("other weights than were approved", expected=short(settings["weights"]), got=short(got))
    return {"tensors": {}, "numbers": _counts(_model(weights, settings), notes, settings["split"], None)}


def _model(weights: Mapping[str, np.ndarray], settings: Mapping[str, Any]) -> Any:
    from fedkit.ner.models import build

    model = build(settings["model"], settings["labels"])
    model.load_parameters(weights)
    return model


def _encoded(notes: NoteSet, split: str, model: Any) -> list[Any]:
    key = (split, model.encoding_key)
    if key not in notes.cache:
        notes.cache[key] = model.encode(getattr(notes, split))
    found: list[Any] = notes.cache[key]
    return found


def _counts(model: Any, notes: NoteSet, split: str, limit: int | None) -> dict[str, int]:
    predicted = model.predict_encoded(_encoded(notes, split, model)[:limit])
    gold = [note.spans for note in getattr(notes, split)[:limit]]
    return to_numbers(count_spans(gold, predicted, model.labels), split)


def _copy(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else value
