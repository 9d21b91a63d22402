"""How weights of many sites become one: a strategy a file, named after its paper.

{"kind": "fedavg", "weighting", "server_rate", "rows", "shares"}      fedavg
{"kind": "fedprox", "mu", and those of fedavg}                        fedprox
{"kind": "fedadam" | "fedyogi" | "fedadagrad", "rate", "beta1", "beta2", "tau", and those of fedavg}   server_optimizer
{"kind": "trimmed-mean", "trim", "server_rate"}                       trimmed_mean
with `sequential_rounds` beside it                                    sequential
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fedkit.errors import TrainingError
from fedkit.federation.strategies import server_optimizer
from fedkit.federation.strategies.base import SiteUpdate, Strategy, SumStrategy
from fedkit.federation.strategies.fedavg import FedAvg
from fedkit.federation.strategies.fedprox import FedProx
from fedkit.federation.strategies.sequential import SequentialStart
from fedkit.federation.strategies.server_optimizer import ServerOptimizer
from fedkit.federation.strategies.trimmed_mean import TrimmedMean

__all__ = [
    "FedAvg",
    "FedProx",
    "SequentialStart",
    "ServerOptimizer",
    "SiteUpdate",
    "Strategy",
    "SumStrategy",
    "TrimmedMean",
    "strategy_for",
]

_AVERAGE = {"weighting", "server_rate", "rows", "shares"}

#: kind → the options that it may have.
OPTIONS: Mapping[str, set[str]] = {
    FedAvg.name: _AVERAGE,
    FedProx.name: {"mu"} | _AVERAGE,
    TrimmedMean.name: {"trim", "server_rate"},
    **{kind: {"rate", "beta1", "beta2", "tau", "mean"} for kind in server_optimizer.KINDS},
}


def strategy_for(settings: Mapping[str, Any]) -> Strategy:
    """The strategy that the request's settings ask for: `{"strategy": {"kind": "fedavg", …}, "sequential_rounds": k}`.

    Raises TrainingError for another kind or option.
    """
    strategy = _plain(dict(settings.get("strategy", {})))
    sequential = int(settings.get("sequential_rounds", 0))
    return SequentialStart(sequential, strategy) if sequential else strategy


def _plain(options: dict[str, Any]) -> Strategy:
    kind = options.pop("kind", FedAvg.name)
    if not isinstance(kind, str) or not set(options) <= OPTIONS.get(kind, set()) or kind not in OPTIONS:
        raise TrainingError(
            "no such strategy",
            expected="; ".join(f"{name} with {', '.join(sorted(known))}" for name, known in OPTIONS.items()),
            got=f"{str(kind)[:40]} with {len(options)} options",
        )
    if kind == FedAvg.name:
        return FedAvg(**options)
    if kind == FedProx.name:
        return FedProx(**options)
    if kind == TrimmedMean.name:
        return TrimmedMean(**options)
    mean = _plain(dict(options.pop("mean", None) or {}))
    if type(mean) is not FedAvg or mean.server_rate != 1.0:
        raise TrainingError("a server's optimiser works on a plain mean", expected="fedavg with server_rate 1", got=mean.name)
    return ServerOptimizer(mean, kind, **options)
