"""The one way from outside to PySyft's services: an API call over HTTP, let in when it is known who makes it and what it is.

    1 the signature fits the message                       `syft_wire.signed`
    2 the key is of a session, and its account counts      `access.Access.caller`
    3 the path is open to the account's level              `exposure.OPEN`
    4 the message holds nothing but what such a call needs `syft_wire.check`
    5 PySyft opens it and answers, by its own rules        `domain.GuardedDatasite`

2 to 5 are the domain's, since a call in process takes the same way. What is refused gets one answer, whatever the reason, and a
row in the journal that has it. Import it after `pysyft.load()`.
"""

from __future__ import annotations

from typing import Any

from syft.client.api import SyftAPIData
from syft.serde.serialize import _serialize
from syft.service.response import SyftError

from fedkit.errors import FedkitError
from fedkit.sites import syft_wire
from fedkit.sites.exposure import REFUSAL
from fedkit.sites.gate import Gate


class SyftDoor:
    """The door of one open site."""

    def __init__(self, gate: Gate) -> None:
        self.gate, self._server = gate, gate.parts.domain.server

    def answer(self, body: bytes, address: str = "here") -> bytes:
        """The serialised, signed reply to the body of an API call. address: where from. Never raises."""
        try:
            return self._reply(self._answer(body, address))
        except Exception:  # PySyft's, whose text may hold what it worked on
            return self._reply(SyftError(message="the site could not answer"))

    def _answer(self, body: bytes, address: str) -> Any:
        try:
            call = syft_wire.signed(body)
        except FedkitError:
            call = None
        try:
            self.gate.access.stranger(call.key if call else None, address)
        except FedkitError:
            return SyftError(message=REFUSAL)
        if call is None:
            self._server.no_call()
            return SyftError(message=REFUSAL)
        return self._server.obey(call)

    def _reply(self, data: Any) -> bytes:
        reply: bytes = _serialize(SyftAPIData(data=data).sign(self._server.signing_key), to_bytes=True)
        return reply
