"""Narrative markup to plain text: the blocks of CDA, the XHTML of FHIR and HTML, with the places of elements that have IDs."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

_BLOCKS = frozenset(
    {"p", "div", "paragraph", "section", "article", "title", "pre", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6"}
    | {"list", "item", "ul", "ol", "li", "dl", "dt", "dd", "table", "thead", "tbody", "tfoot", "tr", "caption"}
)
_LEFT_OUT = frozenset({"script", "style", "head"})
_BLANKS = re.compile(r"[ \t\r\n\f]+")


@dataclass
class Narrative:
    """Text in the making. `places`: ID of an element → (start, end) of what it holds."""

    text: str = ""
    places: dict[str, tuple[int, int]] = field(default_factory=dict)

    def line(self) -> None:
        """Begin a new line, if one has been begun."""
        self.text = self.text.rstrip(" \t")
        if self.text and not self.text.endswith("\n"):
            self.text += "\n"

    def add(self, words: str) -> None:
        """Add words; blanks of any number are one, and none stands at the beginning of a line."""
        words = _BLANKS.sub(" ", words)
        if not self.text or self.text[-1] in " \n\t":
            words = words.lstrip(" ")
        self.text += words

    def element(self, element: Any) -> None:
        """Add what an element (of lxml) holds, and what its children hold. Comments and instructions hold nothing."""
        if not isinstance(element.tag, str):
            return
        tag = element.tag.rpartition("}")[2].lower()
        if tag in _LEFT_OUT:
            return
        block = tag in _BLOCKS
        if block or tag == "br":
            self.line()
        if tag in ("li", "item"):
            self.text += "- "
        if tag in ("td", "th") and self.text and not self.text.endswith("\n"):
            self.text = self.text.rstrip(" ") + "\t"
        start = len(self.text)
        if element.text:
            self.add(element.text)
        for child in element:
            self.element(child)
            if child.tail:
                self.add(child.tail)
        name = element.get("ID") or element.get("id")
        if name:
            first, last = _trimmed(self.text, start)
            if first < last:
                self.places[name] = (first, last)
        if block:
            self.line()


def parse_xml(data: bytes) -> Any:
    """The root of an XML document. No entities are resolved, no DTD and nothing of the network is loaded.

    Raises lxml.etree.XMLSyntaxError.
    """
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True)
    return etree.fromstring(data, parser)


def text_of_html(data: bytes, encoding: str | None = None) -> str:
    """The plain text of an HTML page or fragment."""
    from lxml import html

    narrative = Narrative()
    narrative.element(html.fromstring(data, parser=html.HTMLParser(encoding=encoding, no_network=True)))
    return narrative.text.strip()


def known_kind(kind: str) -> str:
    """A media type for a report; a word that is none could be anything, so it is not repeated."""
    return f"type {kind}" if re.fullmatch(r"[\w.+-]{1,40}/[\w.+-]{1,60}", kind, re.ASCII) else "no known type"


def _trimmed(text: str, start: int) -> tuple[int, int]:
    piece = text[start:]
    return start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())
