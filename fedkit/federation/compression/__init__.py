"""Smaller updates: what a site sends in a round is how its weights changed, coded in fewer bits, a codec a file.

{"kind": "ternary", "share"}      ternary    the largest changes of each tensor, as plus or minus their mean
{"kind": "int8"}                  integers   a byte for each change
{"kind": "bf16"}                  halves     two bytes for each change

A codec loses something in every round. The site keeps that and adds it to the next round's change (error feedback: Seide et
al., "1-bit stochastic gradient descent", Interspeech 2014; Karimireddy et al., ICML 2019), so that nothing is lost for good.
What was not sent is as private as the notes are: it stays at the site.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fedkit.errors import TrainingError
from fedkit.federation.compression.base import Codec, restored, sent
from fedkit.federation.compression.halves import Halves
from fedkit.federation.compression.integers import Integers
from fedkit.federation.compression.ternary import Ternary

__all__ = ["Codec", "Halves", "Integers", "Ternary", "check_alone", "codec_for", "restored", "sent"]

_KINDS: Mapping[str, Callable[..., Codec]] = {codec.name: codec for codec in (Ternary, Integers, Halves)}


def codec_for(settings: Mapping[str, Any]) -> Codec | None:
    """The codec that a request's settings ask for, `{"compression": {"kind": "ternary", …}}`; None if they ask for none.

    Raises TrainingError for another kind or option.
    """
    asked = settings.get("compression")
    if not asked:
        return None
    options = dict(asked) if isinstance(asked, Mapping) else {}
    kind = options.pop("kind", None)
    try:
        return _KINDS[kind](**options)
    except (KeyError, TypeError):
        raise TrainingError(
            "no such compression",
            expected='{"kind": "ternary", "share": 0.1}, {"kind": "int8"} or {"kind": "bf16"}',
            got=f"kind {str(kind)[:20]!r} with {len(options)} options",
        ) from None


def check_alone(codec: Codec | None) -> None:
    """Raises TrainingError if updates that are added up under masks were to be compressed as well: sums need whole vectors."""
    if codec is not None:
        raise TrainingError(
            "updates under masks cannot be compressed",
            expected="masks or compression",
            got=f"masks and {codec.name}",
            help="leave out masked=True or the setting compression",
        )
