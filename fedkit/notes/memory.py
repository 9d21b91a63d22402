"""What was found out about a word, kept for its next time: the words of notes repeat (Zipf), and most rules read a word alone.

    length = Memory(len)
    length["feber"]                # worked out once
    length["feber"]                # 5: a look into a dict

It holds at most `most` words of at most `LONGEST` characters, so memory stays flat over any number of notes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

#: Characters of a word that is kept; a longer one is no word, and is worked out each time.
LONGEST = 64

Found = TypeVar("Found")


class Memory(dict[str, Found]):
    """Word → what `work` makes of it. When it is full all is forgotten: what is frequent is soon there again."""

    __slots__ = ("most", "work")

    def __init__(self, work: Callable[[str], Found], most: int = 50_000) -> None:
        super().__init__()
        self.work, self.most = work, most

    def __missing__(self, word: str) -> Found:
        found = self.work(word)
        if len(word) <= LONGEST:
            if len(self) >= self.most:
                self.clear()
            self[word] = found
        return found
