"""What of a result leaves a site: noise where it is paid for, tables protected, all of it within the contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fedkit.governance.noise import noisy
from fedkit.governance.policies.base import Context, Policy
from fedkit.governance.table_contract import Row


def leaving(
    rules: Policy,
    context: Context,
    tensors: Mapping[str, Any],
    numbers: Mapping[str, float],
    tables: Mapping[str, Sequence[Row]],
) -> tuple[dict[str, float], dict[str, list[dict[str, Any]]]]:
    """Numbers and tables as they may leave; tensors leave as they are.

    rules: of the site.   context: of the execution that gave the result.
    Raises OutputRefused for what was not declared, and any refusal of the rules. Called once for a run: noise that is drawn
    twice tells more than it costs.
    """
    entry = context.request.entry(context.entry)
    contract = rules.tightens(context, context.contract)
    if entry.privacy is not None:
        numbers, tables = noisy(contract, entry.privacy, numbers, tables)
    protected = contract.protect(tables)
    contract.check(tensors, numbers, protected)
    rules.releases(context, tensors, numbers, protected)
    return {name: float(value) for name, value in numbers.items()}, protected
