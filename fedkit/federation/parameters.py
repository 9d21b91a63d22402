"""Model parameters as named arrays: their bytes on the wire, and the digest that names them.

The wire form is safetensors with sorted names: plain numbers, no code, the same bytes for the same values. Small tables travel
in its metadata, as canonical JSON, so that the one digest of the bytes (`Receipt.outputs`) covers them as well.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from fedkit.digests import canonical, digest_bytes
from fedkit.errors import OutputRefused, TrainingError

Parameters: TypeAlias = Mapping[str, np.ndarray]

#: name → rows; a row is column → text, number or None.
Tables: TypeAlias = Mapping[str, Sequence[Mapping[str, Any]]]

#: Bytes of all tables of one result as canonical JSON.
TABLES_LIMIT = 1 << 20

_TABLES = "tables"  # the key in the metadata


def encode(parameters: Parameters, tables: Tables | None = None) -> bytes:
    """The safetensors bytes of named arrays, names sorted, arrays made contiguous; with `tables` in the metadata, if any.

    tables: plain data (canonical JSON: a whole float becomes an int). Without them the bytes are those of the arrays alone.
    Raises OutputRefused if the tables take more than 1 MB.
    """
    arrays = {name: np.ascontiguousarray(parameters[name]) for name in sorted(parameters)}
    if not tables:
        return save(arrays)
    text = canonical({name: [dict(row) for row in rows] for name, rows in tables.items()})
    if len(text) > TABLES_LIMIT:
        raise OutputRefused(
            "the tables are too large",
            expected=f"at most {TABLES_LIMIT} bytes in all",
            got=f"{len(text)} bytes",
            help="group into fewer rows",
        )
    return save(arrays, metadata={_TABLES: text.decode()})


def decode_tables(data: bytes) -> dict[str, list[dict[str, Any]]]:
    """The tables in safetensors bytes; {} if there are none. Raises TrainingError for anything else than `encode` makes."""
    try:
        (size,) = struct.unpack_from("<Q", data)
        header = json.loads(data[8 : 8 + size])
        text = header.get("__metadata__", {}).get(_TABLES, "{}")
        tables = json.loads(text, parse_int=_whole) if len(text) <= TABLES_LIMIT else {"": None}
        return {name: [dict(row) for row in rows] for name, rows in tables.items()}
    except (struct.error, ValueError, AttributeError, TypeError, RecursionError):
        raise TrainingError("not a result with tables", expected="safetensors bytes", got=f"{len(data)} other bytes") from None


def _whole(digits: str) -> int | float:
    """Canonical JSON writes a large float without a point; an int that large was never written."""
    value = int(digits)
    return value if abs(value) < 2**53 else float(value)


def decode(data: bytes) -> dict[str, np.ndarray]:
    """Named arrays from safetensors bytes, names sorted (safetensors has no order). Raises TrainingError for anything else."""
    try:
        return dict(sorted(load(data).items()))
    except (SafetensorError, KeyError, ValueError) as error:
        raise TrainingError(
            "not a set of parameters",
            expected="safetensors bytes",
            got=f"{len(data)} bytes that are not: {type(error).__name__}",
        ) from None


def digest_parameters(parameters: Parameters) -> str:
    """SHA-256 of the wire form."""
    return digest_bytes(encode(parameters))


def check_finite(parameters: Parameters, what: str) -> None:
    """Raises TrainingError if any value is NaN or infinite."""
    for name, array in parameters.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise TrainingError(
                f"{what}: {name} holds NaN or infinity",
                expected="finite numbers",
                help="lower the learning rate, or look for an empty batch at this site",
            )
