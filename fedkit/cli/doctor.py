"""`fedkit doctor`: looks at this machine and says how to mend what is missing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from fedkit.doctor import Check

STYLES = {"ok": "green", "warn": "yellow", "fail": "red"}


@click.command()
@click.option(
    "--home",
    type=click.Path(path_type=Path),
    help="Folder of the sites' storage to look at.  [default: the user's data folder]",
)
@click.option("--json", "as_json", is_flag=True, help="Print the checks as JSON, for a bug report or another program.")
def doctor(home: Path | None, as_json: bool) -> None:
    """Check Python, packages, memory, disk, confinement, Jupyter and contracts.

    Exit status 1 if something will not work.
    """
    from fedkit.doctor import examine, healthy

    checks = examine(home)
    if as_json:
        click.echo(json.dumps([check.to_json() for check in checks], indent=1, ensure_ascii=False))
    else:
        show(checks)
    if not healthy(checks):
        raise SystemExit(1)


def show(checks: list[Check]) -> None:
    """The checks as a table, and a line that says what follows from them."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    table = Table.grid(padding=(0, 2, 0, 0))
    for check in checks:
        found = Text(check.found)
        if check.help:
            found.append(f"\nto do: {check.help}", style=STYLES[check.status])
        table.add_row(Text(check.status, style=STYLES[check.status]), check.name, found)
    console.print(table)
    failed, warned = (sum(c.status == s for c in checks) for s in ("fail", "warn"))
    if failed:
        console.print(f"\n[red]{failed} of {len(checks)} failed: mend them from the top, then run `fedkit doctor` again[/red]")
    else:
        rest = f"; {warned} with less than everything" if warned else ""
        console.print(f"\n[green]fedkit can run here{rest}[/green]")
