"""The gradient of each note, clipped, and their sum, in one backward pass and without a gradient per note.

A layer's gradient for a note follows from what went into the layer and from the gradient of what came out, both of which a
backward pass has. So its norm is computed from these (ghost clipping: Goodfellow 2015; Li et al., ICLR 2022), and the clipped
sum by scaling the rows of each note before the product that makes a weight's gradient (book-keeping: Bu et al., ICML 2023).
Rows of all notes lie one below the other, as the embedded model packs them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812  (torch's own custom)


@dataclass(frozen=True, slots=True)
class Tap:
    """What a layer took and gave. kind: which layer.   weights: its parameters.   taken, given: with one row for each word row.

    "linear", "norm": taken is the input, float32 (rows, in).   "lookup": indices (rows, columns), given (rows, columns, d).
    "mean": indices (rows, columns) with 0 for none, given (rows, d), the mean over those that are not 0.
    """

    kind: Literal["linear", "norm", "lookup", "mean"]
    weights: tuple[nn.Parameter, ...]
    taken: torch.Tensor
    given: torch.Tensor


def clipped_sum(
    losses: torch.Tensor, taps: Sequence[Tap], sizes: Sequence[int], clip: float
) -> tuple[dict[nn.Parameter, torch.Tensor], torch.Tensor]:
    """(parameter → sum over the notes of their clipped gradients, norms of the notes' gradients before).

    losses: scalar, the sum of the notes' losses.   taps: of every layer with parameters.   sizes: rows of each note, in order;
        of several notes together, where they are to be cut together.
    clip: greatest norm over all parameters together that one note keeps.
    """
    gradients = torch.autograd.grad(losses, [tap.given for tap in taps])
    note = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
    squares = torch.zeros(len(sizes))
    for tap, gradient in zip(taps, gradients, strict=True):
        squares += _squares(tap, gradient, note, sizes)
    norms = squares.sqrt()
    factors = (clip / norms.clamp(min=1e-12)).clamp(max=1.0)
    sums: dict[nn.Parameter, torch.Tensor] = {}
    for tap, gradient in zip(taps, gradients, strict=True):
        scaled = gradient * factors[note].reshape(-1, *[1] * (gradient.dim() - 1))
        for weight, total in zip(tap.weights, _totals(tap, scaled), strict=True):
            sums[weight] = sums[weight] + total if weight in sums else total
    return sums, norms


def _squares(tap: Tap, gradient: torch.Tensor, note: torch.Tensor, sizes: Sequence[int]) -> torch.Tensor:
    """Of each note, the squared norm of its gradient for the layer's parameters."""
    if tap.kind == "linear":
        inputs, outputs = (_padded(rows, sizes) for rows in (tap.taken, gradient))
        # ‖Σ gᵢxᵢᵀ‖² = Σ (gᵢ·gⱼ)(xᵢ·xⱼ): two small matrices for each note in the place of one of in × out.
        pairs = outputs @ outputs.transpose(1, 2)
        weight = (pairs * (inputs @ inputs.transpose(1, 2))).sum((1, 2))
        return weight + pairs.sum((1, 2)) if len(tap.weights) == 2 else weight
    if tap.kind == "norm":
        normal = F.layer_norm(tap.taken, tap.taken.shape[-1:])
        both = torch.cat([gradient * normal, gradient], dim=1)
        return torch.zeros(len(sizes), both.shape[1]).index_add_(0, note, both).square().sum(1)
    rows, values = _looked_up(tap, gradient)
    table = tap.weights[0].shape[0]
    keys = (note[:, None] * table + tap.taken).reshape(-1)[rows]
    known, place = torch.unique(keys, return_inverse=True)
    found = torch.zeros(len(known), values.shape[1]).index_add_(0, place, values)
    return torch.zeros(len(sizes)).index_add_(0, known // table, found.square().sum(1))


def _totals(tap: Tap, scaled: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """The layer's parameters' gradients, of the scaled gradient of what it gave."""
    if tap.kind == "linear":
        return (scaled.T @ tap.taken, scaled.sum(0))[: len(tap.weights)]
    if tap.kind == "norm":
        return (scaled * F.layer_norm(tap.taken, tap.taken.shape[-1:])).sum(0), scaled.sum(0)
    rows, values = _looked_up(tap, scaled)
    return (torch.zeros_like(tap.weights[0]).index_add_(0, tap.taken.reshape(-1).long()[rows], values),)


def _looked_up(tap: Tap, gradient: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """(which of the indices count, the gradient of what each of them looked up)."""
    indices, width = tap.taken, gradient.shape[-1]
    if tap.kind == "lookup":
        return torch.arange(indices.numel()), gradient.reshape(-1, width)
    present = indices != 0
    each = gradient / present.sum(1, keepdim=True).clamp(min=1)
    rows = torch.nonzero(present.reshape(-1)).squeeze(1)
    return rows, each[rows // indices.shape[1]]


def _padded(rows: torch.Tensor, sizes: Sequence[int]) -> torch.Tensor:
    """(notes, longest, width), zeros where a note is shorter."""
    return nn.utils.rnn.pad_sequence(list(rows.split(list(sizes))), batch_first=True)
