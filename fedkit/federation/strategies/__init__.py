"""How weights of many sites become one: a strategy a file, named after its paper."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fedkit.errors import TrainingError
from fedkit.federation.strategies.base import SiteUpdate, Strategy, SumStrategy
from fedkit.federation.strategies.fedavg import FedAvg
from fedkit.federation.strategies.sequential import SequentialStart

__all__ = ["FedAvg", "SequentialStart", "SiteUpdate", "Strategy", "SumStrategy", "strategy_for"]


def strategy_for(settings: Mapping[str, Any]) -> Strategy:
    """The strategy that the request's settings ask for: `{"strategy": {"kind": "fedavg", …}, "sequential_rounds": k}`.

    Raises TrainingError for another kind or option.
    """
    options = dict(settings.get("strategy", {}))
    kind = options.pop("kind", "fedavg")
    if kind != FedAvg.name or not set(options) <= {"weighting", "server_rate", "rows", "shares"}:
        raise TrainingError(
            "no such strategy",
            expected='{"kind": "fedavg", "weighting", "server_rate", "rows", "shares"}',
            got=f"{str(kind)[:40]} with {len(options)} options",
        )
    strategy: Strategy = FedAvg(**options)
    sequential = int(settings.get("sequential_rounds", 0))
    return SequentialStart(sequential, strategy) if sequential else strategy
