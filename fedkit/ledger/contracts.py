"""The compiled contracts, and their calls, events and errors as bytes and back. Pure: eth-abi and the committed build files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from eth_abi import decode, encode
from eth_abi.exceptions import DecodingError, EncodingError
from eth_utils import keccak

from fedkit.errors import ConfigurationError, LedgerError

#: In the order in which they are deployed; each is given the addresses of those before it.
NAMES = ("Registry", "Requests", "Rounds")


@dataclass(frozen=True)
class Part:
    """A function, event or error of a contract. key: 4-byte selector, or 32-byte topic of an event."""

    name: str
    key: bytes
    names: tuple[str, ...]
    types: tuple[str, ...]
    indexed: tuple[bool, ...] = ()
    outputs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Contract:
    """One compiled contract. bytecode: what creates it, without the arguments of its constructor.

    meanings: error → what it means, in a sentence; none for those of the library.
    """

    name: str
    bytecode: bytes
    abi: list[dict[str, Any]] = field(repr=False)
    constructor: tuple[str, ...]
    functions: Mapping[str, Part] = field(repr=False)
    events: Mapping[bytes, Part] = field(repr=False)
    errors: Mapping[bytes, Part] = field(repr=False)
    meanings: Mapping[str, str] = field(repr=False)

    def creation(self, *arguments: Any) -> bytes:
        """The data of the transaction that creates the contract."""
        return self.bytecode + encode(self.constructor, arguments)

    def call(self, function: str, *arguments: Any) -> bytes:
        """The data of a call. Raises LedgerError if the arguments do not fit, before anything is sent."""
        part = self.functions[function]
        try:
            return part.key + encode(part.types, arguments)
        except (EncodingError, TypeError, ValueError) as error:
            raise LedgerError(
                f"{function}: the arguments do not fit the contract", expected=", ".join(part.types), got=type(error).__name__
            ) from None

    def output(self, function: str, data: bytes) -> Any:
        """What a call gave back (its one value, or a tuple)."""
        values = decode(self.functions[function].outputs, data)
        return values[0] if len(values) == 1 else values

    def read_call(self, data: bytes) -> tuple[str, dict[str, Any]]:
        """Name and arguments of a call. Raises ValueError if it is none of this contract."""
        for part in self.functions.values():
            if part.key == data[:4]:
                return part.name, _named(part.names, part.types, data[4:])
        raise ValueError(f"no function of {self.name}")

    def read_log(self, topics: Sequence[bytes], data: bytes) -> tuple[str, dict[str, Any]]:
        """Name and values of an event. Raises ValueError if it is none of this contract."""
        part = self.events.get(topics[0]) if topics else None
        if part is None:
            raise ValueError(f"no event of {self.name}")
        rows = list(zip(part.names, part.types, part.indexed, strict=True))
        inside = [(name, kind) for name, kind, indexed in rows if not indexed]
        values = _named([n for n, _ in inside], [k for _, k in inside], data)
        for (name, kind), topic in zip([(n, k) for n, k, indexed in rows if indexed], topics[1:], strict=True):
            values[name] = decode([kind], topic)[0]
        return part.name, values


@cache
def contract(name: str) -> Contract:
    """A compiled contract by name. Raises ConfigurationError if its build file is missing."""
    file = _folder() / f"{name}.json"
    try:
        row = json.loads(file.read_bytes())
        return _contract(name, row["abi"], bytes.fromhex(row["bytecode"][2:]), row["errors"])
    except (OSError, ValueError, KeyError):
        raise ConfigurationError(
            f"the compiled contract {name} is missing", expected=f"contracts/build/{name}.json", help="run: make contracts"
        ) from None


def read_error(data: bytes) -> str:
    """What a contract said when it refused, `Name(argument=…, …)`, and what that means; web3 leaves it as bytes."""
    for name in NAMES:
        if part := contract(name).errors.get(data[:4]):
            shown = (f"{key}={_shown(value)}" for key, value in _named(part.names, part.types, data[4:]).items())
            meaning = contract(name).meanings.get(part.name, "").rstrip(".")
            return f"{part.name}({', '.join(shown)})" + (f": {meaning[0].lower()}{meaning[1:]}" if meaning else "")
    if data[:4] == keccak(text="Error(string)")[:4]:
        return str(decode(["string"], data[4:])[0])
    return f"an unknown error 0x{data[:4].hex()}" if data else "no reason"


def _contract(name: str, abi: list[dict[str, Any]], bytecode: bytes, meanings: Mapping[str, str]) -> Contract:
    functions: dict[str, Part] = {}
    events: dict[bytes, Part] = {}
    errors: dict[bytes, Part] = {}
    constructor: tuple[str, ...] = ()
    for row in abi:
        types = tuple(_type(i) for i in row.get("inputs", []))
        if row["type"] == "constructor":
            constructor = types
            continue
        hashed = keccak(text=f"{row['name']}({','.join(types)})")
        names = tuple(i["name"] for i in row["inputs"])
        if row["type"] == "event":
            events[hashed] = Part(row["name"], hashed, names, types, indexed=tuple(i["indexed"] for i in row["inputs"]))
        elif row["type"] == "error":
            errors[hashed[:4]] = Part(row["name"], hashed[:4], names, types)
        elif row["type"] == "function":
            outputs = tuple(_type(o) for o in row["outputs"])
            functions[row["name"]] = Part(row["name"], hashed[:4], names, types, outputs=outputs)
    return Contract(name, bytecode, abi, constructor, functions, events, errors, meanings)


def _type(row: Mapping[str, Any]) -> str:
    """The canonical type of an ABI parameter; a struct becomes the tuple of its members."""
    if not row["type"].startswith("tuple"):
        return str(row["type"])
    return f"({','.join(_type(c) for c in row['components'])}){row['type'][5:]}"


def _named(names: Sequence[str], types: Sequence[str], data: bytes) -> dict[str, Any]:
    try:
        return dict(zip(names, decode(types, data), strict=True))
    except (DecodingError, ValueError, OverflowError) as error:
        raise ValueError(f"malformed data: {type(error).__name__}") from None


def _shown(value: Any) -> str:
    return f"0x{value.hex()}" if isinstance(value, bytes) else str(value)


def _folder() -> Path:
    package = Path(__file__).resolve().parent.parent
    installed = package / "_contracts"  # in a wheel; in a checkout they stand beside their source
    return installed if installed.is_dir() else package.parent / "contracts" / "build"
