"""What of the warehouse a data request covers: the views that its stewards approved, and no question beyond them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fedkit.errors import AccessRefused
from fedkit.warehouse.question import Asked

#: The fields of a question's JSON whose value is the name of a view; `has` stands in conditions.
_NAMES = ("view", "has")


def views_of(question: Asked) -> frozenset[str]:
    """Every view that a question reads, those in its conditions too, whatever its kind."""
    return frozenset(_named(question.to_json()))


def check_scope(question: Asked, settings: Mapping[str, Any]) -> None:
    """Raises AccessRefused if a question reads a view that its request does not name.   settings: of the request."""
    allowed = settings.get("views", [])
    if beyond := sorted(views_of(question) - set(allowed)):
        raise AccessRefused(
            f"this data request does not cover {', '.join(beyond)}",
            expected=f"questions about {', '.join(map(str, allowed))}",
            got=f"one about {', '.join(sorted(views_of(question)))}",
            help="ask without it, or open a data request that names the view",
        )


def _named(value: Any) -> Iterable[str]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name in _NAMES and isinstance(inner, str):
                yield inner
            else:
                yield from _named(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _named(inner)
