"""What goes through the pipe between a site and its worker: frames of JSON and safetensors. No pickle, in neither direction.

A frame is two lengths (8 bytes each, big endian), a JSON object and the safetensors bytes of named arrays (or nothing).
The site never trusts a frame: lengths are checked before memory is taken, JSON must be plain, and what it means is checked by
who asked for it.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load

from fedkit.federation.parameters import encode

HEAD = struct.Struct(">QQ")
HEADER_LIMIT = 4 << 20


class BadFrame(Exception):
    """The other side did not keep to the form. Stays inside `fedkit.sites`."""


def pack(header: Mapping[str, Any], arrays: Mapping[str, np.ndarray] | None = None) -> bytes:
    """The bytes of a frame. Raises ValueError if the header is no finite JSON, or an array no plain array."""
    text = json.dumps(header, allow_nan=False, ensure_ascii=False).encode()
    body = encode(arrays) if arrays is not None else b""
    return HEAD.pack(len(text), len(body)) + text + body


def lengths(head: bytes, limit: int) -> tuple[int, int]:
    """The two lengths. Raises BadFrame if they exceed 4 MB for JSON and `limit` for arrays."""
    text, body = HEAD.unpack(head)
    if text > HEADER_LIMIT or body > limit:
        raise BadFrame("too large")
    return text, body


def unpack(text: bytes, body: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Header and arrays (copies; empty if there were none). Raises BadFrame for anything that is not of the form."""
    try:
        header = json.loads(text.decode(), parse_constant=_refuse)
        arrays = {name: np.array(array) for name, array in load(body).items()} if body else {}
    except (ValueError, SafetensorError, KeyError, TypeError, RecursionError, AttributeError):
        raise BadFrame("not JSON and safetensors") from None
    if not isinstance(header, dict):
        raise BadFrame("no object")
    return header, arrays


def read_frame(handle: int, limit: int) -> tuple[dict[str, Any], dict[str, np.ndarray]] | None:
    """The next frame of a blocking pipe, None at its end. Raises BadFrame."""
    head = _read(handle, HEAD.size)
    if not head:
        return None
    text, body = lengths(head, limit)
    return unpack(_read(handle, text), _read(handle, body))


def write_frame(handle: int, data: bytes) -> None:
    """Write all of it to a blocking pipe."""
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view[: 1 << 20]) :]


def _read(handle: int, size: int) -> bytes:
    pieces = bytearray()
    while len(pieces) < size:
        piece = os.read(handle, min(size - len(pieces), 1 << 20))
        if not piece:
            break
        pieces += piece
    return bytes(pieces)


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is no JSON")
