"""A site's side of one call to a worker: send, listen until the reply or the deadline. What a reply means: `replies`."""

from __future__ import annotations

import os
import selectors
import time
from typing import Any, Literal

import numpy as np

from fedkit.sites import frames
from fedkit.sites.confinement import Limits

_PIECE = 1 << 16


class Exchange:
    """One request frame out, one reply frame back, output drained meanwhile; nothing here blocks longer than the deadline.

    handles: our non-blocking ends for requests, replies and output.
    """

    def __init__(self, handles: tuple[int, int, int], request: bytes, limits: Limits) -> None:
        self._requests, self._replies, self._output_end = handles
        self._unsent = memoryview(request)
        self._limits = limits
        self._reply = bytearray()
        self._sizes: tuple[int, int] | None = None
        self._first, self._last = bytearray(), bytearray()  # of the output: a traceback comes at the end
        self._left_out = 0

    def run(self) -> Literal["reply", "deadline", "closed", "form"]:
        """Until the whole reply is here, time is up, the worker closed its pipe, or what it sent is no frame."""
        deadline = time.monotonic() + self._limits.seconds
        with selectors.DefaultSelector() as selector:
            selector.register(self._requests, selectors.EVENT_WRITE)
            selector.register(self._replies, selectors.EVENT_READ)
            selector.register(self._output_end, selectors.EVENT_READ)
            ended = None
            while ended is None:
                left = deadline - time.monotonic()
                if left <= 0:
                    ended = "deadline"
                    break
                for event, _ in selector.select(left):
                    if event.fd == self._requests:
                        if not self._send():
                            selector.unregister(self._requests)
                    elif event.fd == self._output_end:
                        if self._hear() == 0:
                            selector.unregister(self._output_end)
                    else:
                        ended = self._listen()
        for _ in range(self._limits.output // _PIECE + 16):  # bounded: a thread of the code may go on writing
            if not self._hear():
                break
        return ended  # type: ignore[return-value]

    def reply(self) -> tuple[dict[str, Any], dict[str, np.ndarray]] | None:
        """Header and arrays of the reply, None if it is not of the form."""
        assert self._sizes is not None
        start, text = frames.HEAD.size, self._sizes[0]
        try:
            return frames.unpack(bytes(self._reply[start : start + text]), bytes(self._reply[start + text :]))
        except frames.BadFrame:
            return None

    def output(self) -> str:
        """What the code printed; of more than `Limits.output` bytes the first and the last half of them."""
        cut = f"\n… {self._left_out} bytes cut here …\n" if self._left_out else ""
        return self._first.decode(errors="replace") + cut + self._last.decode(errors="replace")

    def _send(self) -> bool:
        """Whether there is more to send."""
        try:
            self._unsent = self._unsent[os.write(self._requests, self._unsent[: 1 << 20]) :]
        except BlockingIOError:
            return True
        except OSError:
            return False  # the worker does not listen; its reply or its end will show why
        return bool(self._unsent)

    def _listen(self) -> Literal["reply", "closed", "form"] | None:
        want = frames.HEAD.size + (sum(self._sizes) if self._sizes else 0)
        try:
            piece = os.read(self._replies, min(want - len(self._reply), 1 << 20))
        except BlockingIOError:
            return None
        if not piece:
            return "closed"
        self._reply += piece
        if self._sizes is None and len(self._reply) == frames.HEAD.size:
            try:
                self._sizes = frames.lengths(bytes(self._reply), self._limits.result)
            except frames.BadFrame:
                return "form"
            want += sum(self._sizes)
        if self._sizes is None or len(self._reply) < want:
            return None
        return "form" if self._unsent else "reply"

    def _hear(self) -> int | None:
        """Bytes read of the code's output; 0 at its end, None if there is nothing now."""
        try:
            piece = os.read(self._output_end, _PIECE)
        except BlockingIOError:
            return None
        half = self._limits.output // 2
        room = half - len(self._first)
        self._first += piece[:room]
        self._last += piece[room:]
        if (surplus := len(self._last) - half) > 0:
            del self._last[:surplus]
            self._left_out += surplus
        return len(piece)
