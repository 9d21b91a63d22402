"""Hashed features of words: the same word gives the same table rows in every process, site and year.

A word becomes a row of integers: eight single features (the word twice under independent hashes, so that two words seldom
collide in both; Svenstrup et al. 2017, as in spaCy's bloom embeddings), then its character n-grams (Bojanowski et al. 2017).
CRC-32 names a feature, SplitMix64 spreads it: both are fixed for ever, while Python's own hash changes with every process.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from zlib import crc32

import numpy as np

#: Columns of single features: word, word (second hash), prefixes of 2 and 4, suffixes of 2, 3 and 5, shape.
SINGLE = 8
#: Columns of n-grams; a word with more keeps the first and last ones.
NGRAMS = 16
_RUN = re.compile(r"(.)\1{2,}")
_DIGIT = re.compile(r"\d")


class WordFeatures:
    """Word → table rows, remembered by word.

    rows:   rows of the table of single features; row 0 is kept for "nothing".
    ngrams: rows of the table of n-grams; row 0 is kept for "nothing".
    """

    def __init__(self, rows: int, ngrams: int) -> None:
        self.rows, self.ngrams = rows, ngrams
        self._known: dict[str, int] = {}
        self._table = np.zeros((1024, SINGLE + NGRAMS), dtype=np.int32)

    def __call__(self, words: Sequence[str]) -> np.ndarray:
        """int32 (len(words), SINGLE + NGRAMS)."""
        known = self._known
        if fresh := [word for word in dict.fromkeys(words) if word not in known]:
            self._learn(fresh)
        return self._table[[known[word] for word in words]] if words else self._table[:0]

    def _learn(self, words: list[str]) -> None:
        names = np.zeros((len(words), SINGLE + NGRAMS), dtype=np.uint64)
        for row, word in enumerate(words):
            _name_features(word, names[row])
        salts = np.arange(1, SINGLE + 1, dtype=np.uint64)
        ids = np.empty(names.shape, dtype=np.int32)
        ids[:, :SINGLE] = _spread(names[:, :SINGLE] ^ (salts << np.uint64(40)), self.rows)
        ids[:, SINGLE:] = np.where(names[:, SINGLE:] == 0, 0, _spread(names[:, SINGLE:], self.ngrams))
        first = len(self._known)
        while first + len(words) > len(self._table):
            self._table = np.concatenate([self._table, np.zeros_like(self._table)])
        self._table[first : first + len(words)] = ids
        self._known.update({word: first + i for i, word in enumerate(words)})


def shape_of(word: str) -> str:
    """Upper, lower and digit classes, runs of more than two shortened: `Oslo` → `Xxx`, `V40` → `Xdd`, `H&M:n` → `X&X:x`."""
    classes = "".join("d" if c.isdigit() else "X" if c.isupper() else "x" if c.isalpha() else c for c in word)
    return _RUN.sub(r"\1\1", classes)


def _name_features(word: str, into: np.ndarray) -> None:
    plain = _DIGIT.sub("0", unicodedata.normalize("NFC", word).lower())
    whole = crc32(plain.encode())
    singles = (plain[:2], plain[:4], plain[-2:], plain[-3:], plain[-5:])
    into[0] = into[1] = whole
    into[2:7] = [crc32(part.encode()) for part in singles]
    into[7] = crc32(shape_of(word).encode())
    framed = f"<{plain}>"
    grams = [framed[i : i + 3] for i in range(len(framed) - 2)] + [framed[i : i + 4] for i in range(len(framed) - 3)]
    if len(grams) > NGRAMS:
        grams = [framed[i : i + 3] for i in range(len(framed) - 2)]
        grams = grams[: NGRAMS // 2] + grams[-(NGRAMS // 2) :] if len(grams) > NGRAMS else grams
    into[SINGLE : SINGLE + len(grams)] = [crc32(gram.encode()) or 1 for gram in grams]


def _spread(names: np.ndarray, rows: int) -> np.ndarray:
    """SplitMix64's finaliser (Steele, Lea & Flood 2014), then 1 … rows − 1."""
    z = names + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    return (1 + z % np.uint64(rows - 1)).astype(np.int32)
