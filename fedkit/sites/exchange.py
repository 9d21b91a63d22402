"""A site's side of one call to a worker: send, listen until reply or deadline, and read the reply as data from a stranger."""

from __future__ import annotations

import math
import os
import selectors
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from fedkit.errors import ExecutionFailed, FedkitError, OutputRefused
from fedkit.sites import frames
from fedkit.sites.confinement import Limits
from fedkit.sites.inside import KNOWN_ERRORS

_PIECE = 1 << 16
_NAMES = 4096  # tensors, or numbers, in one reply
_NAME_LENGTH = 256


@dataclass(frozen=True)
class WorkerResult:
    """What a call gave, not yet checked against its output contract.

    tensors: float32 arrays.   numbers: finite.   seconds: wall clock of the call, a worker's start included.
    output:  stdout and stderr of the code, cut at `Limits.output` bytes. For the steward only: it may hold private text.
    """

    tensors: dict[str, np.ndarray]
    numbers: dict[str, float]
    seconds: float
    output: str

    def __repr__(self) -> str:
        return f"WorkerResult({len(self.tensors)} tensors, {len(self.numbers)} numbers, {self.seconds:.3f} s)"


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
        self._kept = bytearray()
        self._cut = False

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
        """What the code printed, cut at `Limits.output` bytes."""
        return self._kept.decode(errors="replace") + ("\n… cut here\n" if self._cut else "")

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
        room = self._limits.output - len(self._kept)
        self._kept += piece[:room]
        self._cut = self._cut or len(piece) > room
        return len(piece)


def read_result(
    frame: tuple[dict[str, Any], dict[str, np.ndarray]] | None,
    *,
    call: int,
    entry: str,
    lines: int,
    view: str,
    limits: Limits,
) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """Tensors and numbers of a reply that answers `call`. Raises what it says failed, in our words, or OutputRefused.

    lines: of the request's source; a line number beyond them is not repeated.
    """
    if frame is None or frame[0].get("call") != call:
        raise ExecutionFailed(f"{entry} broke the form in which a worker answers", expected="one reply to one call")
    header, tensors = frame
    if "failed" in header:
        raise _failed(header, entry, lines, view, limits)
    numbers = header.get("numbers")
    if not isinstance(numbers, dict):
        raise ExecutionFailed(f"{entry} broke the form in which a worker answers", expected="one reply to one call")
    for names in (tensors, numbers):
        if len(names) > _NAMES or any(len(name) > _NAME_LENGTH for name in names):
            raise _no_result(entry, got=f"{len(names)} names, or names of more than {_NAME_LENGTH} characters")
    if any(array.dtype != np.float32 for array in tensors.values()):
        raise _no_result(entry, got="a tensor of another type")
    for value in numbers.values():
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or abs(value) >= 1e300:
            raise _no_result(entry, got="something that is no finite number")
    return dict(tensors), {name: float(value) for name, value in numbers.items()}


def _failed(header: Mapping[str, Any], entry: str, lines: int, view: str, limits: Limits) -> FedkitError:
    message = header.get("message") if view == "mock" else None  # made of synthetic notes only
    shown = message[:500] if isinstance(message, str) else ""
    kind, name, line = header.get("failed"), header.get("name"), header.get("line")
    if kind == "result":
        return _no_result(entry, got=shown or "something else")
    known_line = isinstance(line, int) and not isinstance(line, bool) and 1 <= line <= lines
    where = f" in line {line}" if known_line else ""
    if kind == "memory":
        return ExecutionFailed(
            f"{entry} ran out of memory{where}",
            expected=f"at most {limits.memory >> 20} MB beyond the start",
            got="more",
            help="use smaller batches or a smaller model, or ask the site for a higher limit",
        )
    known = name if isinstance(name, str) and name in KNOWN_ERRORS else "Exception"
    if view == "mock":
        says = f": {shown}" if shown else ""
        return ExecutionFailed(f"{entry} raised {known}{where}{says}", help="mend the code and rehearse again")
    return ExecutionFailed(f"{entry} raised {known}{where}", help="its message stays at the site; ask the steward")


def _no_result(entry: str, *, got: str) -> OutputRefused:
    return OutputRefused(
        f"{entry} gave back no result",
        expected='{"tensors": {name: float32 array}, "numbers": {name: finite number}}',
        got=got,
    )
