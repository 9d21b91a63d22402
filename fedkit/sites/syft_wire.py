"""A message of PySyft's, read with care before PySyft opens it.

PySyft 0.9.5 makes objects of whatever a message names, and only then asks who signed it. So anybody who reaches the port of a
stock domain has its process: a typing alias calls any function of any loaded module, an array or a table unpacks to any size,
pointers that overlap make gigabytes of a kilobyte, and a signed message may carry another one that is obeyed in its stead.

Here a message is read as bytes, in this order: who signed it (`signed`), what it calls (`called`), and what is in it (`check`).
Nothing is made of it until all three are known. The types are those that a client sends that submits and runs a request;
everything else is refused, whatever PySyft would do with it. Import it after `pysyft.load()`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey
from syft.serde.recursive import recursive_scheme
from syft.serde.recursive_primitives import iterable_schema, kv_iterable_schema
from syft.types.syft_object_registry import SyftObjectRegistry

from fedkit.errors import AccessRefused

#: Values without parts → the most bytes one may have; None leaves it to the size of the message.
PLAIN: Mapping[str, int | None] = {
    "NoneType": 1,
    "bool": 1,
    "int": 32,
    "float": 64,
    "nacl_verify_key": 32,
    "type": 64,
    "str": None,
    "bytes": None,
}

#: What a value of type "type" may name: PySyft makes objects of a class that a request names as its policy.
CLASSES = frozenset({b"str:1", b"MixedInputPolicy:1", b"FedkitOutputPolicy:1", b"inspect_empty:1"})

#: Values of parts: PySyft's schema for them.
SEQUENCES = frozenset({"list", "tuple", "set"})
MAPPINGS = frozenset({"dict"})
#: A value that is another one, serialised.
WRAPPED = frozenset({"inspect_Signature"})

#: Objects with named fields, and why a client sends them.
OBJECTS: Mapping[str, str] = {
    "SyftAPICall": "the call",
    "UID": "every id",
    "SyftVerifyKey": "who made an object",
    "ServerIdentity": "whose inputs a policy speaks of",
    "SubmitUserCode": "the code request",
    "Matches": "its policy: the private asset",
    "UserOwned": "its policy: an argument of the caller's",
    "inspect_Parameter": "its signature",
    "inspect_ParameterKind": "its signature",
    "AnyActionObject": "the argument of a call",
    "TwinMode": "whether an argument is one of a pair",
    "Asset": "the private asset, as the catalogue gave it",
    "Contributor": "who uploaded the asset",
    "DateTime": "when",
}

#: Bounds on what reading may cost: values in values, values in all, and bytes looked at for each byte of the message.
DEPTH, VALUES, EFFORT = 24, 20_000, 32

_SIGNED = frozenset({"credentials", "signature", "serialized_message"})


@dataclass(frozen=True)
class SignedMessage:
    """A message whose signature fits. key: the signer's verify key (64 hex); message: the bytes that were signed."""

    key: str
    message: bytes


def signed(body: bytes) -> SignedMessage:
    """The signed message in the body of a request. Raises AccessRefused unless it is one, whole, with a signature that fits.

    A stock client sends three fields. PySyft would take a fourth, the message "as it was opened", and obey that one.
    """
    try:
        fields = dict(_fields(_read(body, "SignedSyftAPICall"), _SIGNED))
        key = _plain(dict(_fields(_read(fields["credentials"], "SyftVerifyKey")))["verify_key"], "nacl_verify_key")
        message = _plain(fields["serialized_message"], "bytes")
        VerifyKey(key).verify(message, _plain(fields["signature"], "bytes"))
    except BadSignatureError:
        raise AccessRefused("the signature does not fit the call", expected="a call signed by who makes it") from None
    except Exception:  # of the reader's many, none of whose texts is for the caller
        raise _malformed() from None
    return SignedMessage(key.hex(), message)


def called(message: bytes) -> str:
    """The path that the message of an API call names. Raises AccessRefused."""
    try:
        return _plain(dict(_fields(_read(message, "SyftAPICall")))["path"], "str").decode()
    except Exception:
        raise _malformed() from None


def check(message: bytes) -> None:
    """Raises AccessRefused unless PySyft would make nothing of the message but values of the types above, and in bounds."""
    try:
        _Walk(EFFORT * len(message)).through(message, 0, "SyftAPICall")
    except AccessRefused:
        raise
    except Exception:
        raise _malformed() from None


class _Walk:
    """One walk through a message, with what is left to spend on it."""

    def __init__(self, effort: int) -> None:
        self._effort, self._values = effort, VALUES

    def through(self, blob: bytes, depth: int, wanted: str | None = None) -> None:
        self._effort -= len(blob)
        self._values -= 1
        if depth > DEPTH or self._values < 0 or self._effort < 0:
            raise AccessRefused("the message holds more than a call does", expected=f"at most {VALUES} values")
        value = _read(blob, wanted)
        for part in _parts(value):
            self.through(part, depth + 1)


def _parts(value: Any) -> Iterator[bytes]:
    """The serialised values that PySyft would make next. Raises AccessRefused for a type that no client sends."""
    kind = str(value.canonicalName)
    if kind in PLAIN:
        data = _blob(value)
        most = PLAIN[kind]
        if (most is not None and len(data) > most) or (kind == "type" and data not in CLASSES):
            raise ValueError
    elif kind in WRAPPED:
        yield _blob(value)
    elif kind in SEQUENCES:
        for item in _capnp(iterable_schema, _blob(value)).values:
            yield _one(item)
    elif kind in MAPPINGS:
        pairs = _capnp(kv_iterable_schema, _blob(value))
        if len(pairs.keys) != len(pairs.values):
            raise ValueError
        for key, item in zip(pairs.keys, pairs.values, strict=True):
            yield bytes(key)
            yield _one(item)
    elif kind in OBJECTS:
        for _, data in _fields(value):
            yield data
    else:
        raise AccessRefused("the message holds a type that no call needs", expected="text, numbers, and PySyft's own ids")


def _fields(value: Any, of: frozenset[str] | None = None) -> Iterator[tuple[str, bytes]]:
    """The named fields of an object, each once: those given, or those that its class declares. KeyError for others."""
    known = set(of or SyftObjectRegistry.get_serde_properties(str(value.canonicalName), 1)[3] or ())
    if len(value.fieldsName) != len(value.fieldsData):
        raise ValueError
    for name, data in zip(value.fieldsName, value.fieldsData, strict=True):
        known.remove(str(name))
        yield str(name), _one(data)


def _read(blob: bytes, wanted: str | None = None) -> Any:
    value = _capnp(recursive_scheme, blob)
    if value.version != 1 or (wanted is not None and str(value.canonicalName) != wanted):
        raise ValueError
    return value


def _plain(blob: bytes, kind: str) -> bytes:
    return _blob(_read(blob, kind))


def _blob(value: Any) -> bytes:
    return _one(value.nonrecursiveBlob)


def _one(chunks: Any) -> bytes:
    """PySyft writes one chunk up to half a gigabyte. It would add many together one by one, in quadratic time."""
    (chunk,) = chunks
    return bytes(chunk)


def _capnp(schema: Any, blob: bytes) -> Any:
    """Read a message; the limit is on words followed, so that pointers to the same bytes are found out."""
    words = len(blob) // 8
    with schema.from_bytes(blob, traversal_limit_in_words=2 * words + 64) as value:
        return value


def _malformed() -> AccessRefused:
    return AccessRefused("this is no call that a site takes", expected="a call as PySyft's client makes it")
