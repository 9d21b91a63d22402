"""`fedkit warehouse`: build a site's tables of its notes, see what they are, publish their catalogue, and ask."""

from __future__ import annotations

import click

from fedkit.cli._warehouse_ask import ask
from fedkit.cli._warehouse_catalogue import catalogue
from fedkit.cli._warehouse_tables import build, status, synthesise


@click.group()
def warehouse() -> None:
    """The virtual data warehouse: the sites' tables, their catalogue, and questions to them."""


warehouse.add_command(ask)
warehouse.add_command(build)
warehouse.add_command(status)
warehouse.add_command(synthesise)
warehouse.add_command(catalogue)
