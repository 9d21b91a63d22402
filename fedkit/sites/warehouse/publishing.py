"""The catalogue of a site as everybody sees it: drafted of its tables, published by a steward's signature, kept in one file.

What is shown is what was signed. A site takes no figures from a steward: it drafts its own again, and takes the signature only
if they are the same; words (licence, terms, contact) are the steward's.
"""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

from fedkit.errors import AccessRefused, DigestMismatch, FedkitError, RequestError, SiteError
from fedkit.ledger.catalogues import recover_catalogue
from fedkit.sites.parts import SiteParts
from fedkit.sites.warehouse.catalogue import draft
from fedkit.sites.warehouse.site_tables import FOLDER, SiteTables
from fedkit.storage import write_whole
from fedkit.warehouse.catalogue import Catalogue, Published, Terms

FILE = "catalogue.json"

#: Seconds by which a steward's clock may be ahead of the site's.
AHEAD = 300


class Publishing:
    """Catalogues of one site. threshold, rounding: of its rules."""

    def __init__(self, parts: SiteParts, threshold: int, rounding: int) -> None:
        self.parts, self._threshold, self._rounding = parts, threshold, rounding
        self._lock = threading.Lock()

    def draft(self, said: Terms) -> Catalogue:
        """What would be published now. Raises SiteError if the site has no tables."""
        tables, config = self.parts.warehouse, self.parts.config
        if not isinstance(tables, SiteTables):
            raise SiteError(f"{config.name} has no warehouse yet", expected="tables", got="none", help="fedkit warehouse build")
        connection = tables.connection()
        made = draft(
            connection,
            tables.about(),
            config.name,
            config.dataset,
            threshold=self._threshold,
            rounding=self._rounding,
        )
        return made.with_terms(said)

    def publish(self, published: Published, user: str, address: str) -> Published:
        """Show this catalogue from now on; the same again changes nothing.

        Raises AccessRefused, DigestMismatch, RequestError.
        """
        with self._lock:
            try:
                self._check(published, address)
            except FedkitError as error:
                self.parts.journal.append("catalogue.refused", user, reason=error.code)
                raise
            if published != read(self.parts.config.folder):
                write_whole(self.parts.config.folder / FOLDER / FILE, json.dumps(published.to_json()).encode())
                fields: dict[str, Any] = {"catalogue": published.catalogue.digest, "published": published.published}
                fields |= {"steward": published.steward, "signature": published.signature}
                self.parts.journal.append("catalogue.published", user, **fields)
        return published

    def _check(self, published: Published, address: str) -> None:
        catalogue = published.catalogue
        if not address or published.steward != address:
            raise AccessRefused("a catalogue is signed by who publishes it", expected=address or "an address", got="another")
        signer = recover_catalogue(
            self.parts.config.name,
            catalogue.digest,
            published.published,
            published.steward,
            published.signature,
            self.parts.config.ledger,
        )
        if signer != published.steward:
            raise AccessRefused("this is not the steward's signature", expected=published.steward, got="another signer")
        last = read(self.parts.config.folder)
        if published.published > self.parts.clock() + AHEAD or (last and published.published < last.published):
            raise RequestError(
                "a catalogue is published now", expected="a time after the last one, and not in the future", got="another"
            )
        if catalogue.digest != self.draft(catalogue.said).digest:
            raise DigestMismatch(
                "these are not the figures of the site's tables",
                expected="the figures that the site drafts itself",
                got="others",
                help="draft the catalogue again, and sign that: the tables may have been built anew",
            )


def read(folder: Path) -> Published | None:
    """The catalogue that was published at the site of this folder; None if none was. Raises SiteError for a damaged file."""
    path = folder / FOLDER / FILE
    if not path.exists():
        return None
    try:
        return Published.from_json(json.loads(path.read_bytes()))
    except (OSError, ValueError, RequestError):
        raise SiteError(
            "the site's catalogue cannot be read", expected="a published catalogue", help="its steward publishes it again"
        ) from None


def public(folder: Path) -> dict[str, Any] | None:
    """The same as plain JSON: what everybody is shown, with or without an account."""
    published = read(folder)
    return published.to_json() if published else None
