"""Taggers: the embedded hashed CNN, and any Hugging Face token-classification checkpoint, behind one interface."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fedkit.errors import TrainingError

if TYPE_CHECKING:
    from fedkit.ner.models.base import TaggerModel

__all__ = ["build", "load"]

#: The kinds of model that `settings["model"]["kind"]` may name.
KINDS = ("hash-cnn", "huggingface")


def build(model: Mapping[str, Any], labels: Sequence[str]) -> TaggerModel:
    """A fresh model for `labels` from the `model` part of the settings; weights come from torch's seeded generator.

    model: `{"kind": "hash-cnn", "d": 64, …}` or `{"kind": "huggingface", "name": name or folder}`; kind defaults to hash-cnn.
    Raises TrainingError for an unknown kind, unknown options or no labels.
    """
    if not labels or len(set(labels)) != len(labels):
        raise TrainingError("a tagger needs labels", expected="one or more different labels", got=f"{len(labels)} labels")
    kind = model.get("kind", "hash-cnn")
    if kind == "hash-cnn":
        from fedkit.ner.models.hash_cnn import HashCNN

        return HashCNN(labels, dict(model))
    if kind == "huggingface":
        from fedkit.ner.models.huggingface import HuggingFaceTagger

        return HuggingFaceTagger(labels, dict(model))
    raise TrainingError("no such kind of model", expected=f"one of {list(KINDS)}", got=str(kind)[:40])


def load(name: str | Path) -> TaggerModel:
    """A trained model from its folder (Hugging Face layout), or a token-classification checkpoint by its hub name.

    Raises TrainingError if the folder holds no model, or its labels are not IOB2.
    """
    config = Path(name) / "config.json"
    if config.is_file() and json.loads(config.read_text(encoding="utf-8")).get("model_type") == "fedkit-hash-cnn":
        from fedkit.ner.models.hash_cnn import HashCNN

        return HashCNN.from_pretrained(Path(name))
    from fedkit.ner.models.huggingface import HuggingFaceTagger

    return HuggingFaceTagger.from_pretrained(str(name))
