"""What a site shows to whoever asks, without an account: the catalogue of its warehouse.

published = read_catalogue("https://site.example")
signed_by(published, domain) in ledger.stewards("no")          # whether a steward of that site on the ledger has signed it
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fedkit.errors import FedkitError
from fedkit.ledger.catalogues import recover_catalogue
from fedkit.warehouse.catalogue import Published

if TYPE_CHECKING:
    from fedkit.ledger.typed import LedgerDomain
    from fedkit.sites.session import Transport


def read_catalogue(site: str | Transport) -> Published | None:
    """What a site has published; None if nothing. site: its address (`http://127.0.0.1:8123`), or how it is reached.

    Raises SiteError if it is not reached, RequestError if what it shows is no catalogue of this version of fedkit.
    """
    if isinstance(site, str):
        from fedkit.sites.http import OverHttp

        site = OverHttp(site)
    reply = site.catalogue()
    if "error" in reply:
        raise FedkitError.from_json(reply["error"]) from None
    return Published.from_json(reply["ok"]) if reply.get("ok") else None


def signed_by(published: Published, domain: LedgerDomain) -> str:
    """The address that signed a catalogue for this ledger. Raises LedgerError if it is not signed.

    Compare it with `published.steward`, and that with the stewards of the site on the ledger.
    """
    catalogue = published.catalogue
    return recover_catalogue(
        catalogue.site, catalogue.digest, published.published, published.steward, published.signature, domain
    )
