"""`fedkit chain`: serves the embedded chain to other processes, and shows how a chain stands."""

from __future__ import annotations

import json
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.table import Table

    from fedkit.ledger.status import ChainStatus


@click.group()
def chain() -> None:
    """The embedded chain: serve it, look at it."""


@chain.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--new", is_flag=True, help="Make a chain in FOLDER, which has none yet.")
@click.option(
    "--port", type=click.IntRange(1, 65535), help="Port on 127.0.0.1.  [default: that of the last time, or any that is free]"
)
def serve(folder: Path, new: bool, port: int | None) -> None:
    """Serve the chain of the federation or ledger in FOLDER, so that several processes of yours share it.

    JSON-RPC over HTTP on 127.0.0.1. The address, with the token that keeps other users out, is written to serve.json, where
    fedkit finds it: start notebooks and studies on the same folder as ever. Ends with Ctrl-C or SIGTERM; acts that were
    acknowledged are on disk at any moment.
    """
    from fedkit.ledger.chain import EmbeddedChain
    from fedkit.ledger.opening import ADDRESS_FILE, CHAIN_FILE
    from fedkit.ledger.serve import ChainServer
    from fedkit.ledger.status import ledger_folder, no_chain

    where = ledger_folder(folder)
    if new and (where / CHAIN_FILE).exists():
        raise click.BadParameter(f"there is a chain in {where} already", param_hint="--new")
    if not new and not (where / CHAIN_FILE).exists():
        error = no_chain(folder)
        error.help += ", or --new to make a chain there"
        raise error
    stop = threading.Event()
    for which in (signal.SIGTERM, signal.SIGINT):
        signal.signal(which, lambda *_: stop.set())
    owned = EmbeddedChain(where / CHAIN_FILE)
    try:
        with ChainServer(owned, where, port=port) as server:
            click.echo(f"chain {owned.chain_id} at block {owned.head().number}, served on port {server.address.port}")
            click.echo(f"its address with the token is in {where / ADDRESS_FILE}, which only you can read")
            stop.wait()
        click.echo(f"stopped at block {owned.head().number}")
    finally:
        owned.close()


@chain.command()
@click.argument("target", metavar="FOLDER|URL")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def status(target: str, as_json: bool) -> None:
    """Show which chain it is, its newest block, its contracts and its clock.

    FOLDER is that of a federation or ledger, URL that of a node's JSON-RPC. Nothing is changed.
    """
    from fedkit.ledger.status import chain_status

    found = chain_status(target)
    if as_json:
        click.echo(json.dumps(found.to_json(), indent=1))
        return
    from rich.console import Console

    Console(highlight=False).print(status_table(found))


def status_table(found: ChainStatus) -> Table:
    """The status, a row for each thing that it says."""
    from datetime import UTC, datetime

    from rich.markup import escape
    from rich.table import Table

    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column()
    table.add_column(overflow="fold")
    ahead = found.clock or 0.0
    table.add_row("chain", f"{found.chain_id}{' [yellow]for tests[/yellow]' if found.for_tests else ''}, {escape(found.how)}")
    table.add_row("software", escape(found.client))
    table.add_row("genesis", found.genesis)
    table.add_row("head", f"{found.number}:{found.hash}")
    table.add_row("block time", f"{datetime.fromtimestamp(found.time, UTC):%Y-%m-%d %H:%M:%S} UTC")
    if found.made is not None:
        late = f" [red]{ahead:,.0f} s from now: a clock is wrong[/red]" if ahead > 1 else ""
        table.add_row("made", f"{datetime.fromtimestamp(found.made, UTC):%Y-%m-%d %H:%M:%S} UTC by its owner's clock{late}")
    for name, address in found.contracts.items():
        table.add_row(escape(name), address + (" [red]not on the chain[/red]" if name in found.missing else ""))
    if found.bytes is not None:
        table.add_row("on disk", f"{found.bytes / 1e6:,.1f} MB")
    return table
