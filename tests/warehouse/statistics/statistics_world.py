"""Sites as arrays: what each would select of its own tables. Statistics are asked of them as of a federation, without one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from fedkit.errors import FedkitError
from fedkit.governance.noise import gaussian
from fedkit.warehouse.statistics.base import Replies, Statistic
from fedkit.warehouse.statistics.frames import PERSON, Columns, rows_in, taken
from fedkit.warehouse.statistics.limits import NONE, Limits

Frames = Mapping[str, Columns]

SITES = ("no", "sv", "da", "fi", "et")


def divided(frames: Frames, place: np.ndarray, sites: Sequence[str] = SITES) -> dict[str, dict[str, dict[str, np.ndarray]]]:
    """Site → its frames. place: of each person, by person_id from 0, the number of their site."""
    return {
        site: {name: taken(columns, place[columns[PERSON]] == number) for name, columns in frames.items()}
        for number, site in enumerate(sites)
    }


def asking(sites: Mapping[str, Frames], limits: Limits = NONE) -> Callable[[Statistic], Replies]:
    """Asks every site; one that refuses is missing with its reason."""

    def ask(question: Statistic) -> Replies:
        answers, missing = {}, {}
        for site, frames in sites.items():
            try:
                answers[site] = question.answer(frames, limits)
            except FedkitError as error:
                missing[site] = error.message
        return Replies(answers, missing)

    return ask


def pooling(sites: Mapping[str, Frames]) -> Callable[[Statistic], Replies]:
    """Adds up whole numbers, with noise once for all."""

    def ask(question: Statistic) -> Replies:
        total = sum(question.sums(frames) for frames in sites.values())
        noise = [gaussian(question.spread()) for _ in total]
        return Replies(pooled=np.asarray(total) + np.array(noise), pooled_sites=tuple(sites))

    return ask


def patients(n: int, seed: int, **columns: np.ndarray) -> dict[str, np.ndarray]:
    """A frame of n persons with a birth year (some missing), a sex and a flag, and what else is given."""
    draw = np.random.default_rng(seed)
    born = draw.integers(1920, 2010, n).astype(np.float64)
    born[draw.random(n) < 0.05] = np.nan
    frame = {PERSON: np.arange(n), "birth_year": born, "sex": draw.integers(-1, 2, n), "implant": draw.integers(0, 2, n)}
    return {**frame, **columns}


def without(frame: Columns, person: int) -> dict[str, np.ndarray]:
    """The frame as it would be if this person had never come."""
    return taken(frame, frame[PERSON] != person)


def shuffled(frame: Columns, seed: int) -> dict[str, np.ndarray]:
    """The frame with its rows in another order."""
    return taken(frame, np.random.default_rng(seed).permutation(rows_in(frame)))
