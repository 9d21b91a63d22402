"""The key of a project, and everything that follows from it by HMAC-SHA-256 (RFC 2104): surrogates and shifts of dates.

With the key the same person gets the same surrogate in every note of the project; without it nobody can compute one from a
name, and two projects, having different keys, share nothing. The key stays at the site, beside the notes, and is not kept
with what leaves. Whoever has the key and a guess can test the guess, so keep it as you keep the notes.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from fedkit.errors import ConfigurationError
from fedkit.storage import write_whole

#: Bytes of a key, and the fewest that are accepted from elsewhere.
KEY_BYTES = 32
_LEAST = 16

#: Dates of a patient move by whole weeks, so that "Monday the 12th" stays a Monday: 4 to 208 weeks, to and fro.
_WEEKS = (4, 208)

_T = TypeVar("_T")


class ProjectKey:
    """Secret bytes of one project, used only through HMAC. Never printed, compared or hashed into anything that leaves."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) < _LEAST:
            raise ConfigurationError(
                "the project key is too short",
                expected=f"{_LEAST} random bytes or more",
                got=f"{len(secret)} bytes",
                help="make one with ProjectKey.new() or `fedkit notes deidentify --new-key`",
            )
        self._secret = secret

    def __repr__(self) -> str:
        return f"ProjectKey({self.fingerprint})"

    @staticmethod
    def new() -> ProjectKey:
        return ProjectKey(secrets.token_bytes(KEY_BYTES))

    @staticmethod
    def read(path: Path) -> ProjectKey:
        """The key of a file of hexadecimal digits. Raises ConfigurationError, which shows nothing of it."""
        try:
            return ProjectKey(bytes.fromhex(path.read_text("ascii")))
        except OSError as error:
            got = error.strerror or "an error"
        except ValueError:
            got = "something else"
        raise ConfigurationError(
            f"{path.name} cannot be read as a project key",
            expected=f"a file of {2 * KEY_BYTES} hexadecimal digits",
            got=got,
            help="make one with `fedkit notes deidentify --new-key`; a lost key cannot be made again",
        ) from None

    def write(self, path: Path) -> None:
        """Write it where no file is yet, for its owner's eyes alone. Raises ConfigurationError rather than replace a key."""
        if path.exists():
            raise ConfigurationError(
                f"{path.name} is there already",
                expected="a new file",
                got="a file that may hold a project's only key",
                help="choose another name, or leave out --new-key to use the key that is there",
            )
        write_whole(path, self._secret.hex().encode() + b"\n", mode=0o600)

    @property
    def fingerprint(self) -> str:
        """Eight letters that tell two projects apart and lead back to no key."""
        return self._digest("fingerprint", "").hex()[:8]

    def number(self, purpose: str, value: str, below: int) -> int:
        """A number from 0 to `below` − 1 that depends on key, purpose and value, and looks random without the key."""
        return int.from_bytes(self._digest(purpose, value)[:16], "big") % below

    def choice(self, purpose: str, value: str, options: Sequence[_T]) -> _T:
        """One of the options, always the same for this value."""
        return options[self.number(purpose, value, len(options))]

    def shift_days(self, patient: str) -> int:
        """By how many days all dates of a patient move: a multiple of 7, never 0, the same in the whole project."""
        least, most = _WEEKS
        n = self.number("shift", patient, 2 * (most - least + 1))
        weeks = least + n // 2
        return 7 * (weeks if n % 2 else -weeks)

    def _digest(self, purpose: str, value: str) -> bytes:
        return hmac.new(self._secret, f"{purpose}\x00{value}".encode("utf-8", "surrogatepass"), hashlib.sha256).digest()
