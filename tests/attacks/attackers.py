"""How somebody reaches a site who does not use fedkit's client: bytes on a socket, HTTP, envelopes, PySyft's own client."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import urllib3
from nacl.signing import SigningKey
from site_suite import World

from fedkit.sites import pysyft
from fedkit.sites.base import Site
from fedkit.sites.envelope import seal

#: More people at the site: account → level.
PEOPLE = {"gro": "guest", "ana": "analyst", "ola": "researcher", "siri": "steward"}


class Town(World):
    """A federation with more people at one of its sites; a session for each, by the name of the account."""

    def __getattr__(self, name: str) -> Site:
        if name in PEOPLE:
            if name not in self.sessions:
                if name not in {card.user for card in self.admin.accounts()}:
                    self.federation.add_user(self.site, name, PEOPLE[name], name=f"{name.title()} Nordmann")
                self.sessions[name] = self.federation.login(self.site, name)
            return self.sessions[name]
        return super().__getattr__(name)

    def address(self, name: str) -> str:
        """Of somebody's ledger key."""
        if name in PEOPLE:
            getattr(self, name)
        return next(card.address for card in self.admin.accounts() if card.user == name)


def key_of(world: World, user: str) -> SigningKey:
    """The key of somebody's session, which a hostile client of theirs may use as it likes."""
    key: SigningKey = getattr(world, user)._key
    return key


def envelope(world: World, user: str, method: str, params: Mapping[str, Any] | None = None, **changes: Any) -> dict[str, str]:
    """A call as this user's client would seal it. changes: `site`, `now`."""
    site = changes.pop("site", world.site)
    return seal(key_of(world, user), site, method, params or {}, **changes)


def send(world: World, sealed: Mapping[str, Any], data: bytes = b"") -> dict[str, Any]:
    """The reply to an envelope, whatever it is."""
    reply: dict[str, Any] = world.researcher._transport.send(sealed, data)[0]  # type: ignore[attr-defined]
    return reply


def call(world: World, user: str, method: str, data: bytes = b"", **params: Any) -> dict[str, Any]:
    """The reply to a call, past what the session's methods would send."""
    return send(world, envelope(world, user, method, params), data)


class Http:
    """A site by URL."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._pool = urllib3.PoolManager(retries=False, timeout=30.0)

    def __call__(self, method: str, path: str, body: Any = None, **more: Any) -> urllib3.BaseHTTPResponse:
        return self._pool.request(method, self.url + path, body=body, **more)

    def login(self, user: str, password: str) -> urllib3.BaseHTTPResponse:
        return self("POST", "/api/v2/login", json.dumps({"email": user, "password": password}).encode())

    def raw(self, data: bytes) -> bytes:
        """What a site says to these bytes until it closes the connection; we do not."""
        where = urlsplit(self.url)
        with socket.create_connection((where.hostname, where.port), timeout=20) as connection:
            connection.sendall(data)
            heard = bytearray()
            while chunk := connection.recv(65536):
                heard += chunk
        return bytes(heard)


class PySyftClient:
    """PySyft's client over HTTP with somebody's key, and raw calls where the client would not make them."""

    def __init__(self, world: World, user: str | None) -> None:
        self.sy = pysyft.load()
        from syft.client.client import HTTPConnection
        from syft.client.datasite_client import DatasiteClient
        from syft.server.credentials import SyftSigningKey

        self.key = SyftSigningKey(signing_key=key_of(world, user) if user else SigningKey.generate())
        self.connection = HTTPConnection(url=str(world.researcher.info.url))
        self.client = DatasiteClient(connection=self.connection, credentials=self.key)
        self.id = self.sy.UID.from_string(str(self.client.id))

    @property
    def asset(self) -> Any:
        """The private asset of the data set, as the catalogue gives it."""
        return self.client.api.services.dataset.get_all()[0].assets[0]

    def signed(self, path: str, *args: Any, **changes: Any) -> Any:
        """A signed call. changes: fields of the call, such as `blocking`."""
        from syft.client.api import SyftAPICall

        return SyftAPICall(**{"server_uid": self.id, "path": path, "args": list(args), "kwargs": {}, **changes}).sign(self.key)

    def send(self, signed: Any) -> Any:
        """What the server answers; never what it raises."""
        try:
            return self.connection.make_call(signed).message.data
        except Exception as error:
            return error

    def call(self, path: str, *args: Any, **changes: Any) -> Any:
        return self.send(self.signed(path, *args, **changes))
