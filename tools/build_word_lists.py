"""Builds the word lists of fedkit/notes/deidentify/data/words from the dictionaries of simplemma (MIT licence).

    pip install simplemma==2.0.0
    python tools/build_word_lists.py                     all languages; a minute for Finnish
    python tools/build_word_lists.py --language sv

A list holds every word that the dictionary writes in lower case. It is stored as the smallest automaton that accepts exactly
these words (Daciuk, Mihov, Watson & Watson 2000, incremental construction from sorted input): inflections share their ends, so
that the 3.4 million Finnish forms fit into less than a megabyte and are looked up without being unpacked into strings.
fedkit itself does not need simplemma; `fedkit.notes.deidentify.words` documents and reads the file format.
"""

from __future__ import annotations

import argparse
import array
import lzma
import sys
from collections.abc import Iterable
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "fedkit" / "notes" / "deidentify" / "data" / "words"
LANGUAGES = ("nb", "nn", "sv", "da", "fi", "et", "en")

Node = tuple[bool, tuple[tuple[str, int], ...]]


def words_of(language: str) -> list[str]:
    """Sorted, lower case, letters only, two letters and more; forms of names ("obamas", of "Obama") are left out."""
    from simplemma.strategies.dictionaries import DefaultDictionaryFactory

    dictionary = DefaultDictionaryFactory().get_dictionary(language)
    common = ((form, lemma) for form, lemma in dictionary.items() if lemma[0].islower())
    return sorted({w for pair in common for w in pair if len(w) > 1 and w.isalpha() and w.islower()})


def minimal_automaton(words: Iterable[str]) -> tuple[list[Node], int]:
    """Nodes (final?, edges by letter), targets before sources, and the root's place. `words` must be sorted and distinct."""
    nodes: list[Node] = []
    known: dict[Node, int] = {}

    def settle(open_node: list) -> int:
        node: Node = (open_node[0], tuple(open_node[1]))
        place = known.get(node)
        if place is None:
            place = known[node] = len(nodes)
            nodes.append(node)
        return place

    path: list[list] = [[False, []]]  # the nodes along the last word, not yet settled
    last = ""
    for word in words:
        shared = 0
        while shared < len(last) and shared < len(word) and last[shared] == word[shared]:
            shared += 1
        for depth in range(len(last), shared, -1):
            place = settle(path.pop())
            path[-1][1].append((last[depth - 1], place))
        path += [[False, []] for _ in word[shared:]]
        path[-1][0] = True
        last = word
    for depth in range(len(last), 0, -1):
        place = settle(path.pop())
        path[-1][1].append((last[depth - 1], place))
    return nodes, settle(path.pop())


def packed(nodes: list[Node], root: int) -> bytes:
    """The format of `fedkit.notes.deidentify.words`: see there."""
    first, edges = [], 0
    for _, links in nodes:
        first.append(edges)
        edges += len(links)
    letters = sorted({letter for _, links in nodes for letter, _ in links})
    code = {letter: number for number, letter in enumerate(letters)}
    if len(letters) > 255 or len(nodes) >= 1 << 31:
        raise SystemExit("too many letters or nodes for the format")
    starts = array.array("I", [*first, edges])
    finals = bytes(final for final, _ in nodes)
    labels = bytes(code[letter] for _, links in nodes for letter, _ in links)
    targets = array.array("I", (target for _, links in nodes for _, target in links))
    if sys.byteorder == "big":
        starts.byteswap()
        targets.byteswap()
    header = array.array("I", [len(nodes), edges, root, len("".join(letters).encode())])
    return header.tobytes() + "".join(letters).encode() + starts.tobytes() + finals + labels + targets.tobytes()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--language", action="append", choices=LANGUAGES, help="this one; may be given several times")
    FOLDER.mkdir(parents=True, exist_ok=True)
    for language in parser.parse_args().language or LANGUAGES:
        words = words_of(language)
        nodes, root = minimal_automaton(words)
        data = lzma.compress(packed(nodes, root), preset=9)
        (FOLDER / f"{language}.xz").write_bytes(data)
        print(f"{language}: {len(words):,} words, {len(nodes):,} nodes, {len(data):,} bytes", flush=True)


if __name__ == "__main__":
    main()
