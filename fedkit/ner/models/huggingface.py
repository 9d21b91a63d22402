"""Any Hugging Face token-classification checkpoint, by name or folder, behind the tagger seam.

Words keep their own score: that of their first piece (Devlin et al. 2019, section 5.3). A note longer than the model's window
goes through in overlapping windows, and each word is scored, and learnt from, in the one window that shows most around it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F  # noqa: N812  (torch's own custom)

from fedkit.errors import TrainingError
from fedkit.ner.encoding import Words, tag_names, tags_of, words_of
from fedkit.ner.models.base import TaggerModel, label_maps
from fedkit.notes.note import Note

#: name: hub name or folder.   window: pieces at a time, special ones included.   stride: pieces that two windows share.
DEFAULTS: dict[str, Any] = {"name": "", "window": 256, "stride": 64}
_NEVER = -1e4


@dataclass(frozen=True, slots=True)
class Encoded:
    """One note: its windows of piece ids; for each word the window and the place of its first piece (−1: it has none)."""

    words: Words
    windows: list[torch.Tensor]
    window_of: torch.Tensor
    place_of: torch.Tensor
    tags: torch.Tensor


class HuggingFaceTagger(TaggerModel):
    """labels: entity labels.   config: see DEFAULTS. A checkpoint whose own classes are these labels keeps its head.

    Raises TrainingError if the checkpoint is not to be had, or has no fast tokenizer.
    """

    def __init__(self, labels: Sequence[str], config: Mapping[str, Any], checkpoint: tuple[Any, Any] | None = None) -> None:
        given = {k: v for k, v in config.items() if k != "kind"}
        if unknown := set(given) - set(DEFAULTS):
            raise TrainingError(
                "unknown setting of huggingface", expected=f"some of {sorted(DEFAULTS)}", got=str(sorted(unknown))
            )
        self.labels = tuple(labels)
        self.config = {"kind": "huggingface", **DEFAULTS, **given}
        if checkpoint is None:
            self._tokenizer, module = _open(self.config["name"], self.labels)
        else:
            self._tokenizer, module = checkpoint
        self.module: Any = module
        self._columns = _columns(module.config.id2label, self.labels)
        most = getattr(module.config, "max_position_embeddings", None)
        self._window = min(self.config["window"], most) if most else self.config["window"]
        # RoBERTa and its kin begin counting positions after the padding index.
        if most and "roberta" in str(module.config.model_type):
            self._window = min(self._window, most - 2)
        self._stride = min(self.config["stride"], self._window // 4)

    def encode(self, notes: Sequence[Note]) -> list[Encoded]:
        return [self._encode(note) for note in notes]

    def scores(self, items: Sequence[Encoded]) -> list[torch.Tensor]:
        windows = [window for item in items for window in item.windows]
        if not windows:
            return [torch.zeros((len(item.words), 1 + 2 * len(self.labels))) for item in items]
        longest = max(len(window) for window in windows)
        ids = torch.full((len(windows), longest), self._tokenizer.pad_token_id or 0)
        mask = torch.zeros_like(ids)
        for row, window in enumerate(windows):
            ids[row, : len(window)] = window
            mask[row, : len(window)] = 1
        logits = self.module(input_ids=ids, attention_mask=mask).logits
        never = torch.full((*logits.shape[:2], 1), _NEVER)
        logits = torch.cat([logits, never], dim=2)[:, :, self._columns]
        found, first = [], 0
        for item in items:
            scores = logits[first + item.window_of, item.place_of]
            if (lost := item.place_of < 0).any():  # words that the tokenizer drops, such as lone control signs, are outside
                outside = torch.full_like(scores, _NEVER)
                outside[:, 0] = 0.0
                scores = torch.where(lost[:, None], outside, scores)
            found.append(scores)
            first += len(item.windows)
        return found

    def loss(self, items: Sequence[Encoded]) -> torch.Tensor:
        return F.cross_entropy(torch.cat(self.scores(items)), torch.cat([item.tags for item in items]))

    def save_pretrained(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.module.save_pretrained(folder)
        self._tokenizer.save_pretrained(folder)

    @staticmethod
    def from_pretrained(name: str) -> HuggingFaceTagger:
        """A trained checkpoint with its own labels. Raises TrainingError if its classes name no entities."""
        tokenizer, module = _open(name, None)
        names = [str(module.config.id2label[key]) for key in sorted(module.config.id2label, key=int)]
        labels = tuple(dict.fromkeys(_entity(n) for n in names if n != "O"))
        if "O" not in names or not labels:
            raise TrainingError(
                f"{name}: not a trained tagger",
                expected="a class O and classes B-x, I-x or x",
                got=f"{len(names)} other classes",
                help="train it first: build({'kind': 'huggingface', 'name': …}, labels)",
            )
        return HuggingFaceTagger(labels, {"name": name}, (tokenizer, module))

    def _encode(self, note: Note) -> Encoded:
        words = words_of(note)
        count = len(words)
        window_of, place_of = np.zeros(count, dtype=np.int64), np.full(count, -1, dtype=np.int64)
        windows: list[torch.Tensor] = []
        if count:
            texts = [note.text[a:b] for a, b in zip(words.starts.tolist(), words.ends.tolist(), strict=True)]
            pieces = self._tokenizer(
                texts,
                is_split_into_words=True,
                truncation=True,
                max_length=self._window,
                stride=self._stride,
                return_overflowing_tokens=True,
            )
            room = np.full(count, -1, dtype=np.int64)
            seen = np.full(count, False)
            for row, ids in enumerate(pieces["input_ids"]):
                windows.append(torch.tensor(ids))
                owners = pieces.word_ids(row)
                for place, owner in enumerate(owners):
                    if owner is None or (place and owners[place - 1] == owner):
                        continue
                    begins_here = row == 0 or place > 1 or not seen[owner]  # a window may open in the middle of a word
                    margin = min(place, len(owners) - place)
                    if begins_here and margin > room[owner]:
                        room[owner], window_of[owner], place_of[owner] = margin, row, place
                    seen[owner] = True
        tags = tags_of(words, note.spans, self.labels)
        return Encoded(words, windows, torch.from_numpy(window_of), torch.from_numpy(place_of), torch.from_numpy(tags))


def _open(name: str, labels: tuple[str, ...] | None) -> tuple[Any, Any]:
    """Tokenizer and model. labels: None for the checkpoint's own."""
    from transformers import AutoConfig, AutoModelForTokenClassification, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()
    local = Path(name).is_dir() or os.environ.get("HF_HUB_OFFLINE", "").lower() in ("1", "true", "yes", "on")
    try:
        config = AutoConfig.from_pretrained(name, local_files_only=local)
        if labels is not None and not set(tag_names(labels)) <= {str(v) for v in config.id2label.values()}:
            maps = label_maps(labels)
            config.id2label = {int(k): v for k, v in maps["id2label"].items()}
            config.label2id = maps["label2id"]
        tokenizer = AutoTokenizer.from_pretrained(name, local_files_only=local, use_fast=True, add_prefix_space=True)
        module = AutoModelForTokenClassification.from_pretrained(
            name, config=config, local_files_only=local, ignore_mismatched_sizes=True, dtype=torch.float32
        )
    except (OSError, ValueError, KeyError) as error:
        raise TrainingError(
            f"cannot open the checkpoint {name or '(no name)'}",
            expected="a folder with config.json, model.safetensors and a tokenizer, or a hub name that can be reached",
            got=type(error).__name__,
            help="put the checkpoint in a folder at every site and name the folder: sites open no connection while code runs",
        ) from None
    if not tokenizer.is_fast:
        raise TrainingError(
            f"{name}: its tokenizer cannot say which word a piece belongs to",
            expected="a fast tokenizer (tokenizer.json)",
            got=type(tokenizer).__name__,
        )
    return tokenizer, module


def _entity(name: str) -> str:
    return name[2:] if name[:2] in ("B-", "I-") else name


def _columns(id2label: Mapping[Any, str], labels: Sequence[str]) -> torch.Tensor:
    """For every class of ours the class of the checkpoint; the one past its last where it has none.

    A checkpoint without B- (plain IO tags) begins an entity by its I- or by the bare label.
    """
    where = {str(name): int(key) for key, name in id2label.items()}
    none = len(where)
    columns = [where.get("O", none)]
    for label in labels:
        inside = where.get(f"I-{label}", where.get(label, none))
        columns += [where.get(f"B-{label}", inside), inside]
    return torch.tensor(columns)
