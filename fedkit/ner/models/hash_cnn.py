"""The embedded model: hashed sub-word embeddings under residual convolutions.

Two tables (single features; character n-grams) are looked up, mixed and passed through gated convolutions of width 3, as in
spaCy's HashEmbedCNN (Honnibal & Montani) with gated linear units (Dauphin et al. 2017). It needs no pre-training and no hub,
has half a million weights and learns on one core; from scratch it beats a small transformer many times over per CPU second.

Notes are packed into one long sequence with an empty row between them, so that nothing is spent on padding; the empty row is
reset to zero before every convolution, so that no note sees its neighbour.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812  (torch's own custom)

from fedkit.errors import TrainingError
from fedkit.ner.encoding import IGNORED, Words, tags_of, words_of
from fedkit.ner.features import NGRAMS, SINGLE, WordFeatures
from fedkit.ner.models.base import TaggerModel, label_maps, labels_from
from fedkit.ner.models.per_note import Tap, clipped_sum
from fedkit.notes.note import Note

MODEL_TYPE = "fedkit-hash-cnn"
#: d: width; rows and ngrams: rows of the two tables; layers: convolutions; dropout: of embeddings and layers.
#: masking: share of words of which training shows the shape only, so that the model learns to tell by what stands around.
DEFAULTS: dict[str, Any] = {"d": 64, "rows": 2048, "ngrams": 4096, "layers": 3, "dropout": 0.2, "masking": 0.0}


@dataclass(frozen=True, slots=True)
class Encoded:
    """One note: table rows int32 (words + 1, SINGLE + NGRAMS) and tags int64 (words + 1,); the last row separates notes."""

    words: Words
    features: torch.Tensor
    tags: torch.Tensor


class HashCNN(TaggerModel):
    """labels: entity labels.   config: see DEFAULTS; what is not given is taken from there."""

    def __init__(self, labels: Sequence[str], config: dict[str, Any] | None = None) -> None:
        given = {k: v for k, v in (config or {}).items() if k != "kind"}
        if unknown := set(given) - set(DEFAULTS):
            raise TrainingError("unknown setting of hash-cnn", expected=f"some of {sorted(DEFAULTS)}", got=str(sorted(unknown)))
        self.labels = tuple(labels)
        self.config = {"kind": "hash-cnn", **DEFAULTS, **given}
        self.module = _Network(classes=1 + 2 * len(self.labels), **{k: self.config[k] for k in DEFAULTS})
        self._features = WordFeatures(self.config["rows"], self.config["ngrams"])

    @property
    def encoding_key(self) -> str:
        return repr((MODEL_TYPE, self.config["rows"], self.config["ngrams"], self.labels))

    def encode(self, notes: Sequence[Note]) -> list[Encoded]:
        items = []
        for note in notes:
            words = words_of(note)
            features = torch.zeros((len(words) + 1, SINGLE + NGRAMS), dtype=torch.int32)
            tags = torch.full((len(words) + 1,), IGNORED)
            if len(words):
                texts = [note.text[a:b] for a, b in zip(words.starts.tolist(), words.ends.tolist(), strict=True)]
                features[:-1] = torch.from_numpy(self._features(texts))
                tags[:-1] = torch.from_numpy(tags_of(words, note.spans, self.labels))
            items.append(Encoded(words, features, tags))
        return items

    def scores(self, items: Sequence[Encoded]) -> list[torch.Tensor]:
        if not items:
            return []
        flat = self.module(torch.cat([item.features for item in items]))
        return [piece[:-1] for piece in flat.split([len(item.words) + 1 for item in items])]

    def loss(self, items: Sequence[Encoded]) -> torch.Tensor:
        flat = self.module(torch.cat([item.features for item in items]))
        return F.cross_entropy(flat, torch.cat([item.tags for item in items]), ignore_index=IGNORED)

    def clipped_gradients(
        self, items: Sequence[Encoded], clip: float, groups: Sequence[int] | None = None
    ) -> tuple[dict[nn.Parameter, torch.Tensor], torch.Tensor]:
        taps: list[Tap] = []
        if groups is not None:  # a group's notes lie one below the other, so their rows are those of one long note
            order = sorted(range(len(items)), key=groups.__getitem__)
            items, groups = [items[i] for i in order], sorted(groups)
        sizes = [len(item.features) for item in items]
        flat = self.module(torch.cat([item.features for item in items]), taps)
        each = F.cross_entropy(flat, torch.cat([item.tags for item in items]), ignore_index=IGNORED, reduction="none")
        words = torch.tensor([max(1, size - 1) for size in sizes]).repeat_interleave(torch.tensor(sizes))
        if groups is not None:
            of_notes, sizes = sizes, [0] * len(set(groups))
            for group, size in zip(groups, of_notes, strict=True):
                sizes[group] += size
        return clipped_sum((each / words).sum(), taps, sizes, clip)

    def save_pretrained(self, folder: Path) -> None:
        from safetensors.torch import save_file

        folder.mkdir(parents=True, exist_ok=True)
        config = {"model_type": MODEL_TYPE, "architectures": ["HashCNN"], "fedkit": self.config, **label_maps(self.labels)}
        (folder / "config.json").write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        save_file(self.module.state_dict(), folder / "model.safetensors", metadata={"format": "pt"})

    @staticmethod
    def from_pretrained(folder: Path) -> HashCNN:
        """A model from its folder. Raises TrainingError if the folder holds another kind of model."""
        from safetensors.torch import load_file

        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        if config.get("model_type") != MODEL_TYPE:
            raise TrainingError(
                f"{folder}: not an embedded model", expected=f"model_type {MODEL_TYPE}", got=str(config.get("model_type"))
            )
        model = HashCNN(labels_from(config["id2label"], str(folder)), config["fedkit"])
        model.load_parameters({name: tensor.numpy() for name, tensor in load_file(folder / "model.safetensors").items()})
        return model


class _Network(nn.Module):
    """int32 (rows, SINGLE + NGRAMS) → float32 (rows, classes)."""

    def __init__(self, classes: int, d: int, rows: int, ngrams: int, layers: int, dropout: float, masking: float) -> None:
        super().__init__()
        self.dropout, self.masking = dropout, masking
        self.single = nn.Parameter(torch.empty(rows, d).uniform_(-0.1, 0.1))
        self.ngram = nn.Parameter(torch.empty(ngrams, d).uniform_(-0.1, 0.1))
        # word (both hashes summed), prefixes, suffixes, shape, n-grams: five parts side by side.
        self.mix = nn.Linear(5 * d, d)
        self.norm = nn.LayerNorm(d)
        self.convolutions = nn.ModuleList(nn.Linear(3 * d, 2 * d) for _ in range(layers))
        self.norms = nn.ModuleList(nn.LayerNorm(d) for _ in range(layers))
        self.head = nn.Linear(d, classes)

    def forward(self, features: torch.Tensor, taps: list[Tap] | None = None) -> torch.Tensor:
        """taps: is given what went in and out of every layer with parameters."""

        def through(layer: nn.Module, x: torch.Tensor) -> torch.Tensor:
            given: torch.Tensor = layer(x)
            if taps is not None:
                kind: Any = "norm" if isinstance(layer, nn.LayerNorm) else "linear"
                taps.append(Tap(kind, tuple(layer.parameters()), x.detach(), given))
            return given

        single, ngrams = features[:, :SINGLE], features[:, SINGLE:]
        inside = (single[:, :1] > 0).to(torch.float32)
        if self.training and self.masking:
            shown = torch.rand(len(features), 1) >= self.masking
            single = torch.cat([single[:, :-1] * shown, single[:, -1:]], dim=1)
            ngrams = ngrams * shown
        looked = F.embedding(single, self.single)
        grams = F.embedding_bag(ngrams, self.ngram, mode="mean", padding_idx=0)
        if taps is not None:
            taps += [Tap("lookup", (self.single,), single, looked), Tap("mean", (self.ngram,), ngrams, grams)]
        parts = [
            looked[:, 0] + looked[:, 1],
            looked[:, 2] + looked[:, 3],
            looked[:, 4] + looked[:, 5] + looked[:, 6],
            looked[:, 7],
            grams,
        ]
        x = torch.cat(parts, dim=1)
        if self.training and self.dropout:
            x = F.dropout(x, self.dropout)
        x = through(self.norm, F.gelu(through(self.mix, x))) * inside
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            padded = F.pad(x, (0, 0, 1, 1))
            window = torch.cat([padded[:-2], padded[1:-1], padded[2:]], dim=1)
            step = F.glu(through(convolution, window), dim=1)
            if self.training and self.dropout:
                step = F.dropout(step, self.dropout)
            x = through(norm, x + step) * inside
        return through(self.head, x)
