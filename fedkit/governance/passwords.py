"""What a chosen password must be, and how wrong ones slow down whoever sends them. Pure; `fedkit.sites.passwords` keeps them.

The rules are those of NIST SP 800-63B-4, section 3.1.1: length counts, classes of characters do not, and nothing is changed for
the sake of changing. Waiting grows with each wrong password and never above a quarter of an hour, so that nobody is locked out
for good by somebody else who guesses (see docs/decisions/011-accounts-and-sessions.md).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from fedkit.errors import RequestError

#: Characters of a chosen password: the least, and the most that are looked at.
SHORTEST, LONGEST = 15, 256
#: Different characters in it; fewer are a pattern.
DIFFERENT = 8


@dataclass(frozen=True)
class Waiting:
    """How wrong passwords are answered. free: tries before waiting begins; then 1 s, 2 s, 4 s, … up to `longest` seconds.

    memory: seconds without a wrong password after which the earlier ones are forgotten.
    """

    free: int
    longest: float = 900.0
    memory: float = 86_400.0

    def seconds(self, failures: int) -> float:
        """How long to wait after the last of so many wrong passwords."""
        over = failures - self.free
        return 0.0 if over < 0 else min(2.0 ** min(over, 40), self.longest)


#: Wrong passwords for one account from one address; for one account from anywhere; from one address for any account. The second
#: is left out for who has logged in from that address before, so that strangers elsewhere keep nobody out.
PAIR, ACCOUNT, ADDRESS = Waiting(5), Waiting(20), Waiting(50)


def normal(password: str) -> bytes:
    """The bytes of a password as they are hashed: NFKC, so that the same keys give the same bytes on every keyboard."""
    return unicodedata.normalize("NFKC", password).encode()


def check_password(password: str, known: Iterable[str]) -> None:
    """Raises RequestError, which never repeats it, for a password that can be guessed.

    known: words that stand beside the account (its name, the person's, the site's), which it may not be made of.
    """
    text = unicodedata.normalize("NFKC", password)
    plain = text.casefold()
    for word in sorted({w for w in _words(known) if len(w) > 2}, key=len, reverse=True):
        plain = plain.replace(word, "")
    if not SHORTEST <= len(text) <= LONGEST:
        got = "fewer" if len(text) < SHORTEST else "more"
    elif len(set(plain)) < DIFFERENT or len(plain) < SHORTEST // 2:
        got = "one of few different characters, or mostly the name of the account or site"
    elif _repeats(plain) or _runs(plain):
        got = "one that repeats itself, or runs along the alphabet, the digits or the keyboard"
    else:
        return
    raise RequestError(
        "this password can be guessed",
        expected=f"{SHORTEST} to {LONGEST} characters, such as five words that do not belong together",
        got=got,
        help="let a password manager make one",
    )


def _words(known: Iterable[str]) -> Iterable[str]:
    for text in known:
        yield from "".join(c if c.isalnum() else " " for c in unicodedata.normalize("NFKC", text).casefold()).split()


def _repeats(text: str) -> bool:
    """Whether the text is a shorter one, over and over."""
    return text in (text + text)[1:-1]


_ROWS = ("abcdefghijklmnopqrstuvwxyzæøåäö", "01234567890", "qwertyuiopåasdfghjkløæzxcvbnm", "qwertzuiopüõasdfghjklöäyxcvbnm")


def _runs(text: str) -> bool:
    """Whether more than half of the steps from one character to the next are along a row."""
    steps = list(pairwise(text))
    near = {(a, b) for row in _ROWS for a, b in pairwise(row)}
    return sum(a == b or (a, b) in near or (b, a) in near for a, b in steps) * 2 > len(steps)
