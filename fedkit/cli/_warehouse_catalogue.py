"""`fedkit warehouse catalogue`: what sites hold, as their stewards have published it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from fedkit.warehouse.catalogue import Published


@click.command()
@click.argument("urls", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def catalogue(urls: tuple[str, ...], as_json: bool) -> None:
    """Read what sites have published. URLS are their addresses (http://127.0.0.1:8123); no account is needed.

    Every figure counts persons, is rounded, and is left out where it stands for few.
    """
    from fedkit.sites.public import read_catalogue
    from fedkit.warehouse.catalogue import drift

    found = {url: read_catalogue(url) for url in urls}
    if as_json:
        click.echo(json.dumps({url: p.to_json() if p else None for url, p in found.items()}, ensure_ascii=False, indent=1))
        return
    for url, published in found.items():
        if published is None:
            click.secho(f"{url}: nothing is published there", fg="yellow")
        else:
            _show(published)
    for said in drift({p.catalogue.site: p.catalogue for p in found.values() if p}).values():
        click.secho(said, fg="yellow")


def _show(published: Published) -> None:
    held = published.catalogue
    click.echo(f"{held.site}: {held.persons:,} persons, " + ", ".join(f"{n:,} {view}" for view, n in held.rows.items()))
    click.echo(f"  built {held.made}, signed by {published.steward}; counts below {held.threshold} are left out")
    for title in ("languages", "years", "types", "departments", "labels"):
        if counts := getattr(held, title):
            click.echo(f"  {title}: " + ", ".join(f"{value} {count:,}" for value, count in counts.items()))
    for title, text in held.said.to_json().items():
        if text:
            click.echo(f"  {title}: {text}")
