"""The tagger seam: what training, sites and people need of a model, whatever is inside.

Every implementation passes `tests/ner/tagger_suite.py`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from fedkit.errors import TrainingError
from fedkit.ner.encoding import best_tags, spans_of, tag_names
from fedkit.notes.note import Note, Span


class TaggerModel(ABC):
    """A named-entity tagger over a fixed set of labels.

    labels: entity labels in class order.   module: the torch module that holds the weights.
    config: plain JSON from which `build` makes the same architecture again.
    """

    labels: tuple[str, ...]
    config: dict[str, Any]
    module: torch.nn.Module

    @abstractmethod
    def encode(self, notes: Sequence[Note]) -> list[Any]:
        """Each note in the model's own form, with its tags; made once, used in every epoch. Items have `words: Words`."""

    @abstractmethod
    def scores(self, items: Sequence[Any]) -> list[torch.Tensor]:
        """For each encoded note float32 (words, classes): a score for every IOB2 class of every word."""

    @abstractmethod
    def loss(self, items: Sequence[Any]) -> torch.Tensor:
        """Mean cross-entropy over the words of these encoded notes, a scalar with gradient."""

    def clipped_gradients(
        self, items: Sequence[Any], clip: float, groups: Sequence[int] | None = None
    ) -> tuple[dict[torch.nn.Parameter, torch.Tensor], torch.Tensor]:
        """(parameter → sum over the groups of their gradients, each cut to norm `clip`; the norms before, one for each group).

        groups: of each note the number of its group, 0 … n - 1, none left out; None: every note is its own. A group's gradient
            is the sum of those of its notes' losses `loss([note])`; a note without words adds nothing.
        This goes through the notes one by one and holds of every model; a model may do it faster.
        """
        weights = [p for p in self.module.parameters() if p.requires_grad]
        sums = {p: torch.zeros_like(p) for p in weights}
        norms = torch.zeros(len(items) if groups is None else len(set(groups)))
        for number in range(len(norms)):
            whole = {p: torch.zeros_like(p) for p in weights}
            for place in [number] if groups is None else [i for i, group in enumerate(groups) if group == number]:
                if not len(items[place].words):
                    continue
                found = torch.autograd.grad(self.loss([items[place]]), weights, allow_unused=True)
                for weight, gradient in zip(weights, found, strict=True):
                    if gradient is not None:
                        whole[weight] += gradient
            norms[number] = norm = torch.stack([gradient.norm() for gradient in whole.values()]).norm()
            factor = min(1.0, clip / max(float(norm), 1e-12))
            for weight, gradient in whole.items():
                sums[weight] += factor * gradient
        return sums, norms

    @abstractmethod
    def save_pretrained(self, folder: Path) -> None:
        """Write the Hugging Face layout: `config.json` with `label2id`, `model.safetensors`, and a tokenizer if any."""

    @property
    def encoding_key(self) -> str:
        """Encoded notes may be shared by models that have the same key."""
        return repr((type(self).__name__, sorted(self.config.items(), key=str), self.labels))

    def parameters(self) -> dict[str, np.ndarray]:
        """The weights as float32 arrays, names sorted; copies."""
        state = self.module.state_dict()
        return {
            name: state[name].detach().to(torch.float32).cpu().numpy().copy()
            for name in sorted(state)
            if state[name].is_floating_point()
        }

    def load_parameters(self, parameters: Mapping[str, np.ndarray]) -> None:
        """Take over weights. Raises TrainingError if names or shapes are those of another model."""
        state = {name: tensor for name, tensor in self.module.state_dict().items() if tensor.is_floating_point()}
        if set(state) != set(parameters):
            raise TrainingError(
                "these are the weights of another model",
                expected=f"{len(state)} tensors, among them {sorted(state)[:3]}",
                got=f"{len(parameters)} tensors, {len(set(parameters) - set(state))} of them unknown here",
                help="use the weights with the settings they were made with",
            )
        for name, tensor in state.items():
            array = parameters[name]
            if tuple(array.shape) != tuple(tensor.shape):
                raise TrainingError(
                    f"tensor {name} is of another model", expected=str(tuple(tensor.shape)), got=str(tuple(array.shape))
                )
        with torch.no_grad():
            for name, tensor in state.items():
                tensor.copy_(torch.from_numpy(np.ascontiguousarray(parameters[name])))

    def predict(self, notes: Sequence[Note]) -> list[tuple[Span, ...]]:
        """The spans found in each note, in order, not overlapping."""
        return self.predict_encoded(self.encode(notes))

    def predict_encoded(self, items: Sequence[Any], batch_words: int = 4096) -> list[tuple[Span, ...]]:
        """As `predict`, for notes that are encoded already. batch_words: words that go through the model together."""
        found: list[tuple[Span, ...]] = []
        self.module.eval()
        with torch.inference_mode():
            for batch in batches_by_words(items, batch_words):
                tags = best_tags([s.float().numpy() for s in self.scores(batch)])
                found += [spans_of(item.words, t, self.labels) for item, t in zip(batch, tags, strict=True)]
        return found


def batches_by_words(items: Sequence[Any], batch_words: int) -> list[list[Any]]:
    """Consecutive runs of encoded notes of about `batch_words` words each (one note at least)."""
    batches: list[list[Any]] = []
    count = batch_words
    for item in items:
        if count >= batch_words:
            batches.append([])
            count = 0
        batches[-1].append(item)
        count += max(1, len(item.words))
    return batches


def label_maps(labels: Sequence[str]) -> dict[str, dict[str, Any]]:
    """`id2label` and `label2id` of a Hugging Face configuration."""
    names = tag_names(labels)
    return {"id2label": {str(i): n for i, n in enumerate(names)}, "label2id": {n: i for i, n in enumerate(names)}}


def labels_from(id2label: Mapping[Any, str], where: str) -> tuple[str, ...]:
    """The entity labels of an IOB2 label map in class order. Raises TrainingError if it is not O, B-x, I-x, B-y, …"""
    names = tuple(id2label[key] for key in sorted(id2label, key=int))
    labels = tuple(name[2:] for name in names if name.startswith("B-"))
    if names != tag_names(labels) or not labels:
        raise TrainingError(
            f"{where}: not the label map of a tagger of fedkit",
            expected="O, then B-x and I-x of each label",
            got=f"{len(names)} classes in another order",
            help="build it anew with your labels: build({'kind': 'huggingface', 'name': …}, labels)",
        )
    return labels
