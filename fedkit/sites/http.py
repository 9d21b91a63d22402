"""A site by URL: the transport of a session over HTTP."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import urllib3
from nacl.signing import SigningKey

from fedkit.errors import FedkitError, SiteError
from fedkit.sites.session import login_envelope

#: To connect, and to wait for a reply: a round may take as long as the site's worker may.
TIMEOUT = urllib3.Timeout(connect=10.0, read=3600.0)


class OverHttp:
    """Envelopes to the site at `url`. Raises SiteError if it is not reached or is no site of fedkit's."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._http = urllib3.PoolManager(retries=False, timeout=TIMEOUT)  # it knows no proxy and no .netrc
        if urlsplit(self._url).hostname in ("127.0.0.1", "localhost"):
            _no_proxy("127.0.0.1", "localhost")
        row = self._json("GET", "/fedkit/v1/site")
        self.site = str(row.get("site", ""))

    def catalogue(self) -> dict[str, Any]:
        return self._json("GET", "/fedkit/v1/catalogue")

    def login(self, user: str, password: str) -> bytes:
        key = SigningKey.generate()
        body = json.dumps(login_envelope(key, self.site, user, password)).encode()
        row = self._json("POST", "/fedkit/v1/login", body)
        if "error" in row:
            raise FedkitError.from_json(row["error"]) from None
        return bytes(key)

    def send(self, envelope: Mapping[str, Any], data: bytes = b"") -> tuple[dict[str, Any], bytes]:
        body = self._request("POST", "/fedkit/v1/call", json.dumps(envelope).encode() + b"\n" + data)
        head, _, blob = body.partition(b"\n")
        return self._row(head), blob

    def pysyft(self) -> Any:
        from fedkit.sites import pysyft

        pysyft.load()
        from syft.client.client import HTTPConnection

        return HTTPConnection(url=self._url)

    def close(self) -> None:
        self._http.clear()

    def _json(self, method: str, path: str, body: bytes | None = None) -> dict[str, Any]:
        return self._row(self._request(method, path, body))

    def _row(self, data: bytes) -> dict[str, Any]:
        try:
            row = json.loads(data)
        except ValueError:
            row = None
        if not isinstance(row, dict):
            raise SiteError(f"what answers at {self._url} is no site", expected="a reply of fedkit's", got=f"{len(data)} bytes")
        return row

    def _request(self, method: str, path: str, body: bytes | None = None) -> bytes:
        try:
            reply = self._http.request(method, self._url + path, body=body)
        except urllib3.exceptions.HTTPError as error:
            raise SiteError(
                f"the site at {self._url} is not reached",
                expected="a running site",
                got=type(error).__name__,
                help="start it, or check the address",
            ) from None
        if reply.status != 200:
            raise SiteError(f"the site at {self._url} refused the call", expected="200", got=str(reply.status))
        return reply.data


def _no_proxy(*hosts: str) -> None:
    """PySyft's own client reads the proxies of the environment; loopback must not go through one."""
    for name in ("no_proxy", "NO_PROXY"):
        known = [h for h in os.environ.get(name, "").split(",") if h]
        os.environ[name] = ",".join([*known, *(h for h in hosts if h not in known)])
