"""The one way from outside to PySyft's services: an API call over HTTP, let in when it is known who makes it and what it is.

    1 the signature fits the message                      `syft_wire.signed`
    2 the key is of an account of this site               the gate
    3 the path is open to the account's level             `exposure.OPEN`
    4 the message holds but what such a call needs        `syft_wire.check`
    5 PySyft opens it and answers, by its own rules       `domain.GuardedDatasite`

What is refused on the way gets one answer, whatever the reason, and a row in the journal that has it. Import it after
`pysyft.load()`.
"""

from __future__ import annotations

from typing import Any

from syft.client.api import SyftAPIData
from syft.serde.deserialize import _deserialize
from syft.serde.serialize import _serialize
from syft.service.response import SyftError
from syft.service.service import ServiceConfigRegistry

from fedkit.errors import AccessRefused, FedkitError
from fedkit.sites import syft_wire
from fedkit.sites.exposure import LARGEST, LARGEST_OTHER, OPEN
from fedkit.sites.gate import Gate

#: What every refused call is told.
REFUSAL = "this site does not take this call"


class SyftDoor:
    """The door of one open site."""

    def __init__(self, gate: Gate) -> None:
        self.gate, self._server = gate, gate.parts.domain.server

    def answer(self, body: bytes) -> bytes:
        """The serialised, signed reply to the body of an API call. Never raises."""
        try:
            self._let_in(body)
        except FedkitError:
            return self._reply(SyftError(message=REFUSAL))
        try:
            reply: bytes = _serialize(self._server.handle_api_call(_deserialize(body, from_bytes=True)), to_bytes=True)
        except Exception:  # PySyft's, whose text may hold what it worked on
            return self._reply(SyftError(message="the site could not answer"))
        return reply

    def _let_in(self, body: bytes) -> None:
        """Raises the refusal, which is in the journal by then."""
        try:
            call = syft_wire.signed(body)  # 1
        except FedkitError:
            self._record(self.gate.parts.config.name, None, "bad-signature")
            raise
        caller = self.gate._caller(call.key, "")  # 2, and its refusals are the gate's to record
        path = None
        try:
            path = syft_wire.called(call.message)
            _check_open(caller.level, path, len(call.message))  # 3
            syft_wire.check(call.message)  # 4
        except FedkitError:
            self._record(caller.name, path, "refused.access")
            raise

    def _record(self, actor: str, path: str | None, word: str) -> None:
        known = path if path in ServiceConfigRegistry.get_registered_configs() else None
        self.gate.parts.journal.append("access.refused", actor, method=known, reason=word)

    def _reply(self, data: Any) -> bytes:
        reply: bytes = _serialize(SyftAPIData(data=data).sign(self._server.signing_key), to_bytes=True)
        return reply


def _check_open(level: str, path: str, size: int) -> None:
    if path not in OPEN.get(level, {}) or size > LARGEST.get(path, LARGEST_OTHER):
        raise AccessRefused(REFUSAL)
