"""A connection on which a request does not begin, or does not end: uvicorn waits for its head for ever, and keeps all of it.

What comes before `routes.Door` can count anything is bounded here: the head of a request (its first line and its headers) comes
whole within `HEAD_SECONDS` and `HEAD_BYTES`, or the connection ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol

#: A head is a few hundred bytes and comes in one piece; a slow line has time to spare.
HEAD_SECONDS, HEAD_BYTES = 5.0, 64 << 10


def impatient(refused: Callable[[], None], *, seconds: float = HEAD_SECONDS, largest: int = HEAD_BYTES) -> type[Any]:
    """uvicorn's protocol with these bounds. refused: called, in a thread, for one that was ended."""

    class Impatient(AutoHTTPProtocol):
        _timer: asyncio.TimerHandle | None = None
        _bytes = 0

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._timer = self.loop.call_later(seconds, self._end)

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self.cycle is None or self.cycle.response_complete:  # between requests, or within a head
                self._bytes += len(data)
                if self._bytes > largest:
                    self._end()
                elif self._timer is None:
                    self._timer = self.loop.call_later(seconds, self._end)
            else:
                self._stop()

        def connection_lost(self, error: Exception | None) -> None:
            self._stop()
            super().connection_lost(error)

        def _stop(self) -> None:
            self._bytes = 0
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

        def _end(self) -> None:
            self._stop()
            if not self.transport.is_closing():
                self.transport.close()
                self.loop.run_in_executor(None, refused)

    return Impatient
