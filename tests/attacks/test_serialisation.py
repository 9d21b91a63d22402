"""Messages that run code, unpack without end, or say one thing and mean another when PySyft opens them.

PySyft 0.9.5 makes objects of a message before it asks who sent it, so most of these need no account there.
"""

from __future__ import annotations

import pickle
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Dict, List, Optional, Union  # noqa: UP035

import psutil
import pytest
from attackers import Http, PySyftClient
from attempts import Attempt, Trial, tries
from site_suite import World

from fedkit.sites import pysyft

UNSIGNED = "access.refused bad-signature"
STRANGER = "access.refused unknown-user"
CLOSED = "access.refused refused.access"


def stranger(name: str, given: Any, stock: bool = True) -> Attempt:
    return Attempt(name, "anybody", "closed", UNSIGNED, stock=stock, given=given)


def insider(name: str, given: Any, stock: bool = True) -> Attempt:
    return Attempt(name, "researcher", "closed", CLOSED, stock=stock, given=given)


def words(name: bytes, chunks: int, blob: bytes, version: int = 1) -> bytes:
    """A message of PySyft's value `name`, of `chunks` pointers that all point to the same bytes.

    Cap'n Proto: a table of segments, a pointer to the root, its data word and four pointers (fieldsName, fieldsData,
    nonrecursiveBlob, canonicalName), and then what they point to. A list pointer is (distance << 2 | 1, length << 3 | size).
    """

    def pointer(at: int, to: int, count: int, size: int) -> bytes:
        return struct.pack("<II", ((to - at - 1) << 2) & 0xFFFFFFFF | 1, count << 3 | size)

    def padded(data: bytes) -> bytes:
        return data + bytes(-len(data) % 8)

    pointers, text = 6, name + b"\0"
    name_at = pointers + chunks
    blob_at = name_at + len(padded(text)) // 8
    body = struct.pack("<IHH", 0, 1, 4) + struct.pack("<iI", version, 0)  # root: one word of data, four pointers
    body += bytes(16) + pointer(4, pointers, chunks, 6) + pointer(5, name_at, len(text), 2)
    body += b"".join(pointer(pointers + n, blob_at, len(blob), 2) for n in range(chunks))
    body += padded(text) + padded(blob)
    return struct.pack("<II", 0, len(body) // 8) + body


def serialised(value: Any) -> bytes:
    pysyft.load()
    from syft.serde.serialize import _serialize

    data: bytes = _serialize(value, to_bytes=True)
    return data


def value(name: str, blob: bytes) -> bytes:
    return words(name.encode(), 1, blob)


def program(marker: Path, kind: str = "_GenericAlias", function: str = "os.system", argument: str = "command") -> bytes:
    """A typing alias that PySyft rebuilds by calling a function of any module."""
    return value(kind, serialised({"path": function, argument: f"touch {marker}"}))


def object_of(name: str, fields: Sequence[tuple[str, bytes]]) -> bytes:
    """A message of an object with these fields, whether or not it has them."""
    pysyft.load()
    from syft.serde.recursive import recursive_scheme

    message = recursive_scheme.new_message(canonicalName=name, version=1)
    message.init("fieldsName", len(fields))
    message.init("fieldsData", len(fields))
    for at, (field, data) in enumerate(fields):
        message.fieldsName[at] = field
        message.fieldsData.init(at, 1)[0] = data
    data: bytes = message.to_bytes()
    return data


def fields_of(message: bytes) -> dict[str, bytes]:
    pysyft.load()
    from syft.serde.recursive import recursive_scheme

    with recursive_scheme.from_bytes(message) as read:
        return {str(name): bytes(data[0]) for name, data in zip(read.fieldsName, read.fieldsData, strict=True)}


def sealed(client: PySyftClient, message: bytes) -> bytes:
    """A message, signed by this client, as PySyft sends it."""
    from syft.client.api import SignedSyftAPICall

    signature = client.key.signing_key.sign(message).signature
    return serialised(SignedSyftAPICall(credentials=client.key.verify_key, signature=signature, serialized_message=message))


def nested(depth: int, inside: bytes) -> bytes:
    """A list in a list in a list …"""
    pysyft.load()
    from syft.serde.recursive_primitives import iterable_schema

    for _ in range(depth):
        message = iterable_schema.new_message()
        message.init("values", 1).init(0, 1)[0] = inside
        inside = value("list", message.to_bytes())
    return inside


def post(http: Http, body: bytes) -> Any:
    """What PySyft's client would make of the reply."""
    reply = http("POST", "/api/v2/api_call", body)
    if reply.status != 200:
        return reply
    pysyft.load()
    from syft.serde.deserialize import _deserialize

    return _deserialize(reply.data, from_bytes=True).message.data


def alive(world: World) -> bool:
    return world.researcher.catalogue()[0].name == "notes"


@tries(
    stranger(
        "runs a program by a typing alias",
        ("_GenericAlias", "os.system", "command"),
    ),
    stranger(
        "starts a process by a union of types",
        ("_UnionGenericAlias", "posix.system", "command"),
    ),
)
def test_nobody_runs_a_program_by_a_message(trial: Trial, http: Http, world: World, tmp_path: Path) -> None:
    marker = tmp_path / "owned"
    alias = program(marker, *trial.given)
    with trial() as said:
        for body in (alias, nested(1, alias), nested(5, alias)):
            said(post(http, body))
    assert not marker.exists()
    assert alive(world)


def signed(client: PySyftClient, path: str, argument: bytes) -> bytes:
    """A call signed by this client whose argument is these bytes, whatever they are."""
    from syft.serde.recursive_primitives import iterable_schema

    values = iterable_schema.new_message()
    values.init("values", 1).init(0, 1)[0] = argument
    fields = fields_of(client.signed(path).serialized_message)
    fields["args"] = value("list", values.to_bytes())
    return sealed(client, object_of("SyftAPICall", list(fields.items())))


@tries(
    Attempt("runs a program by an argument, signed", "researcher", "closed", CLOSED, stock=True, given="researcher"),
    Attempt(
        "runs a program by an argument, signed by a key of no account",
        "anybody",
        "closed",
        STRANGER,
        stock=True,
        given="anybody",
    ),
)
def test_nor_by_an_argument(trial: Trial, world: World, http: Http, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    client: PySyftClient = request.getfixturevalue(trial.given)
    marker = tmp_path / "owned"
    with trial() as said:
        for path in ("action.set", "code.call", "dataset.get_all", "metadata.get_metadata"):
            said(post(http, signed(client, path, program(marker))))
    assert not marker.exists()


def test_the_harness_makes_calls_that_a_site_takes(researcher: PySyftClient, http: Http) -> None:
    """With an argument that is one, the same bytes are no attack."""
    found = post(http, signed(researcher, "action.set", serialised(researcher.sy.ActionObject.from_obj("[]"))))
    assert "not yet in the blob storage" in str(found)  # PySyft's own words: it was opened


@tries(
    Attempt(
        "runs a program at a researcher who asks a rogue site",
        "rogue site",
        "refused",
        "no row: at the researcher's there is no journal",
        stock=True,
    )
)
def test_a_reply_runs_no_program_at_the_researchers(trial: Trial, tmp_path: Path) -> None:
    pysyft.load()
    from syft.serde.deserialize import _deserialize

    marker = tmp_path / "owned"
    with trial() as said:
        for kind, function, argument in (
            ("_GenericAlias", "os.system", "command"),
            ("_UnionGenericAlias", "posix.system", "command"),
            ("_GenericAlias", "typing.sys.modules", "command"),
            ("_GenericAlias", "builtins.exec", "__args__"),
            ("_UnionGenericAlias", "typing.get_type_hints", "__args__"),
        ):
            with pytest.raises((KeyError, TypeError, AttributeError)):
                _deserialize(program(marker, kind, function, argument), from_bytes=True)
            said("refused")
    assert not marker.exists()


def test_aliases_of_types_still_arrive() -> None:
    pysyft.load()
    from syft.serde.deserialize import _deserialize

    for alias in (List[str], Dict[str, int], Optional[str], Union[int, str]):  # noqa: UP006, UP007, UP045
        assert _deserialize(serialised(alias), from_bytes=True) == alias


MEGA = 1 << 20


@tries(
    stranger(
        "makes gigabytes of a megabyte by pointers to the same bytes",
        lambda: words(b"bytes", 65_000, bytes(MEGA)),
    ),
    stranger(
        "lets the server add a million chunks, one by one",
        lambda: words(b"str", 400_000, b"x"),
    ),
    stranger("nests a thousand lists", lambda: nested(1000, value("NoneType", b"1"))),
    stranger(
        "names a type that does not exist, so that all code is loaded anew",
        lambda: value("Nobody", b""),
    ),
    stranger("sends a pickle", stock=False, given=lambda: pickle.dumps({"a": 1})),
    stranger("sends no message at all", stock=False, given=lambda: b""),
    stranger("announces four billion segments", stock=False, given=lambda: struct.pack("<II", 0xFFFFFFFF, 1) * 512),
    stranger("sends a cut message", stock=False, given=lambda: serialised({"a": [1, 2]})[:-24]),
    stranger("sends an unsigned call", stock=False, given=lambda: _call()),
)
def test_what_would_cost_the_server_is_not_opened(trial: Trial, http: Http, world: World) -> None:
    body = trial.given()
    with trial() as said:
        said(post(http, body))
    assert alive(world)


def _call() -> bytes:
    sy = pysyft.load()
    from syft.client.api import SyftAPICall

    return serialised(SyftAPICall(server_uid=sy.UID(), path="dataset.get_all", args=[], kwargs={}))


@tries(
    insider(
        "signs for gigabytes by pointers to the same bytes",
        lambda: words(b"bytes", 900, bytes(8_000)),
    ),
    insider("signs for three hundred lists in each other", lambda: nested(300, value("NoneType", b"1"))),
    insider(
        "gives compressed numbers that claim a terabyte",
        lambda: value("numpy_ndarray", serialised((b"x", 1 << 40, "float64"))),
    ),
    insider("gives a torch tensor", lambda: value("torch_tensor", serialised((b"x", 1 << 40, "O")))),
    insider("gives a parquet file", lambda: value("pandas_dataframe", b"PAR1")),
    insider("gives a path of the site", lambda: value("pathlib_PosixPath", serialised("/etc/passwd"))),
    insider("gives a signing key", lambda: value("nacl_signing_key", bytes(32))),
    insider("gives a whole number of ten thousand bytes", lambda: value("int", b"\x7f" * 10_000)),
    insider("gives a class by its name", lambda: value("type", b"HTTPConnection:1")),
    insider("gives an exception type that imports a module", lambda: value("ExceptionFilter", b"antigravity")),
    insider("gives a value in another version", lambda: words(b"str", 1, b"x", version=2), stock=False),
)
def test_what_is_signed_is_looked_at_too(trial: Trial, researcher: PySyftClient, http: Http, world: World) -> None:
    body = signed(researcher, "action.set", trial.given())
    before = memory(world)
    with trial() as said:
        said(post(http, body))
    assert memory(world) - before < 256 * MEGA
    assert alive(world)


def memory(world: World) -> int:
    """Bytes that the sites hold."""
    sites = [p for p in psutil.Process().children(recursive=True) if "fedkit.sites.serve" in " ".join(p.cmdline())]
    return sum(process.memory_info().rss for process in sites)


@tries(
    Attempt(
        "sends a signed message that carries another one, which PySyft obeys", "researcher", "closed", UNSIGNED, stock=True
    ),
)
def test_the_message_that_counts_is_the_one_that_was_signed(trial: Trial, researcher: PySyftClient, http: Http) -> None:
    fields = fields_of(serialised(researcher.signed("dataset.get_all")))
    fields["cached_deseralized_message"] = serialised(researcher.signed("user.get_all").message)
    with trial() as said:
        said(post(http, object_of("SignedSyftAPICall", list(fields.items()))))


def by_another(client: PySyftClient, other: PySyftClient) -> bytes:
    """A call in the name of one key, signed by another."""
    message = client.signed("dataset.get_all").serialized_message
    fields = fields_of(serialised(client.signed("dataset.get_all")))
    fields["serialized_message"] = serialised(message)
    fields["signature"] = serialised(other.key.signing_key.sign(message).signature)
    return object_of("SignedSyftAPICall", list(fields.items()))


def altered(client: PySyftClient, other: PySyftClient) -> bytes:
    """A signed call with one bit more in its path."""
    return serialised(client.signed("dataset.get_all")).replace(b"dataset.get_all", b"dataset.get_alm")


@tries(
    stranger("calls in a researcher's name with a signature of its own", by_another, stock=False),
    stranger("changes a researcher's call under its signature", altered, stock=False),
    stranger(
        "takes the signature away",
        lambda client, other: serialised(client.signed("dataset.get_all"))[:-64] + bytes(64),
        stock=False,
    ),
)
def test_a_call_is_of_who_signed_it(trial: Trial, researcher: PySyftClient, anybody: PySyftClient, http: Http) -> None:
    with trial() as said:
        said(post(http, trial.given(researcher, anybody)))


@tries(
    Attempt(
        "makes a call as the site's root of what the site has signed: any reply",
        "anybody",
        "closed",
        "access.refused",
        stock=True,
    ),
)
def test_a_reply_is_no_call(trial: Trial, researcher: PySyftClient, http: Http) -> None:
    reply = researcher.connection.make_call(researcher.signed("metadata.get_metadata"))
    assert str(reply.credentials) != str(researcher.key.verify_key)
    with trial() as said:
        said(post(http, serialised(reply)))
        fields = fields_of(serialised(reply))
        fields["cached_deseralized_message"] = serialised(researcher.signed("user.get_all").message)
        said(post(http, object_of("SignedSyftAPICall", list(fields.items()))))


@tries(Attempt("names two paths in one call", "researcher", "closed", CLOSED))
def test_each_field_stands_once(trial: Trial, researcher: PySyftClient, http: Http) -> None:
    fields = fields_of(researcher.signed("user.get_all").serialized_message)
    allowed = fields_of(researcher.signed("dataset.get_all").serialized_message)["path"]
    with trial() as said:
        said(post(http, sealed(researcher, object_of("SyftAPICall", [*fields.items(), ("path", allowed)]))))


@tries(
    Attempt(
        "puts a pickle in the place of weights", "researcher", "training", "execution.failed training", given=pickle.dumps(1)
    ),
    Attempt(
        "puts a zip bomb in the place of weights", "researcher", "training", "execution.failed training", given=b"PK\3\4" * 99
    ),
    Attempt(
        "puts weights whose header lies about its length",
        "researcher",
        "training",
        "execution.failed training",
        given=struct.pack("<Q", 1 << 62) + b"{}",
    ),
)
def test_weights_are_read_as_numbers(trial: Trial, world: World) -> None:
    """A site keeps any bytes; what reads them before a run knows one form, of arrays and nothing else."""
    request = world.approved()
    weights = world.researcher.put(trial.given)
    with trial(request=request.digest):
        world.researcher.execute(request.digest, "count", 1, weights)
