"""Words that are written in lower case: what tells "Finn" the name from "Finn frem" the order only in part, and "Eilertsen"
for sure.

    words_for("nb").holds("kvinne")     # True
    words_for("nb").holds("eilertsen")  # False: capitalised in a note, it is treated as a name

A list is the smallest automaton that accepts its words (`tools/build_word_lists.py` builds it from simplemma, MIT licence), so
that a word is looked up in the packed bytes and memory stays at a few megabytes a language, however many forms Finnish has.

File, xz-compressed, little-endian unsigned 32-bit integers: number of nodes N, number of edges E, root, length of the alphabet
in bytes; the alphabet in UTF-8; N + 1 integers, the first edge of each node; N bytes, 1 where a word ends; E bytes, the
letter of each edge by its place in the alphabet; E integers, the node each edge leads to. The edges of a node are in order
of their letters.
"""

from __future__ import annotations

import array
import lzma
import sys
from functools import cache, lru_cache
from importlib.resources import files

from fedkit.errors import ConfigurationError

#: Which lists a note of each language is read against: its own, close sisters, and English, which all of them borrow from.
LISTS: dict[str, tuple[str, ...]] = {
    "nb": ("nb", "nn", "en"),
    "nn": ("nn", "nb", "en"),
    "sv": ("sv", "en"),
    "da": ("da", "en"),
    "fi": ("fi", "en"),
    "et": ("et", "en"),
    "en": ("en",),
}


class WordList:
    """A set of words in the bytes of one automaton."""

    def __init__(self, data: bytes) -> None:
        head = _integers(data[:16])
        if len(head) != 4:
            raise ConfigurationError("a word list is damaged", expected="16 bytes of header", got=f"{len(head)} integers")
        nodes, edges, self._root, size = head
        at = 16 + size
        self._codes = {letter: number for number, letter in enumerate(data[16:at].decode())}
        self._first = _integers(data[at : at + 4 * (nodes + 1)])
        at += 4 * (nodes + 1)
        self._final = data[at : at + nodes]
        at += nodes
        self._labels = data[at : at + edges]
        self._targets = _integers(data[at + edges :])
        if len(self._targets) != edges:
            raise ConfigurationError("a word list is damaged", expected=f"{edges} edges", got=f"{len(self._targets)}")

    def __contains__(self, word: str) -> bool:
        node = self._root
        for letter in word:
            code = self._codes.get(letter)
            if code is None:
                return False
            edge = self._labels.find(code, self._first[node], self._first[node + 1])
            if edge < 0:
                return False
            node = self._targets[edge]
        return bool(self._final[node])


class Words:
    """The lists of a language together, and words that a site's own notes were seen to write in lower case (`learnt`)."""

    def __init__(self, lists: tuple[WordList, ...], learnt: frozenset[str] = frozenset()) -> None:
        self._lists, self.learnt = lists, learnt
        self.holds = lru_cache(maxsize=20_000)(self._holds)
        self.borrowed = lru_cache(maxsize=20_000)(self._borrowed)

    def own(self, word: str) -> bool:
        """Whether the first list, that of the language itself, holds a word."""
        return word in self._lists[0]

    def _borrowed(self, word: str) -> bool:
        """Whether the last list, English, holds a word and that of the language itself does not."""
        return word in self._lists[-1] and word not in self._lists[0]

    def _holds(self, word: str) -> bool:
        return word in self.learnt or any(word in words for words in self._lists)


@cache
def word_list(language: str) -> WordList:
    """The list that is shipped for one language. Raises ConfigurationError where there is none."""
    path = files("fedkit.notes.deidentify").joinpath("data", "words", f"{language}.xz")
    try:
        return WordList(lzma.decompress(path.read_bytes()))
    except (OSError, lzma.LZMAError):
        raise ConfigurationError(
            f"no usable word list for {language!r}", expected=f"one of {', '.join(LISTS)}", got="none", help="reinstall fedkit"
        ) from None


@cache
def words_for(language: str, learnt: frozenset[str] = frozenset()) -> Words:
    """The words of a note's language (see `LISTS`); of all languages where it is not known."""
    names = LISTS.get(language) or tuple(dict.fromkeys(name for group in LISTS.values() for name in group))
    return Words(tuple(word_list(name) for name in names), learnt)


def _integers(data: bytes) -> array.array[int]:
    numbers = array.array("I")
    numbers.frombytes(data[: len(data) // 4 * 4])
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers
