"""`fedkit warehouse build`, `status` and `synthesise`: the tables of the sites whose folder is on this machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from fedkit.sites.warehouse.building import BuildReport
    from fedkit.sites.warehouse.site_tables import SiteTables

_HOME = click.option(
    "--home",
    type=click.Path(path_type=Path),
    help="Folder of the federation that the site belongs to.  [default: the workshop's]",
)
_SITES = click.option(
    "--site", "sites", multiple=True, help="Site, by its name; may be repeated.  [default: all that are here]"
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")


@click.command()
@_HOME
@_SITES
@click.option(
    "--notes",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="File of notes that `fedkit notes import` wrote.  [default: the site's own notes]",
)
@click.option(
    "--model",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder of a released model; what it finds comes beside what the text pipeline finds.",
)
@click.option(
    "--database", help="postgresql:// address of the site's own Postgres for the tables; the password in PGPASSWORD or a file."
)
@click.option("--ask-as", help="Address by which questions are asked there: of a user that reads the views and nothing else.")
@click.option("--workers", type=click.IntRange(min=1), help="Processes.  [default: one a core]")
@_JSON
def build(
    home: Path | None,
    sites: tuple[str, ...],
    notes: Path | None,
    model: Path | None,
    database: str | None,
    ask_as: str | None,
    workers: int | None,
    as_json: bool,
) -> None:
    """Make a site's tables of its notes: OMOP CDM 5.4, what the notes mention, and the views that questions are asked of.

    Only what has changed is read again. The same command goes on where it was cut off; questions are answered meanwhile from
    the tables that were there before. Nothing is printed but counts.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from fedkit.sites.warehouse.site_tables import Where
    from fedkit.sites.warehouse.sources import FileSource

    chosen = _chosen(home, sites)
    if (notes or database) and len(chosen) > 1:
        raise click.UsageError("--notes and --database are of one site: say which, with --site.")
    if ask_as and not database:
        raise click.UsageError("--ask-as goes with --database.")
    found: dict[str, BuildReport] = {}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        for name, tables in chosen.items():
            if database:
                Where(database, ask_as or "").keep(tables.folder)
            task = bar.add_task(name, total=None)
            found[name] = tables.build(
                FileSource(notes) if notes else None,
                model=model,
                workers=workers,
                progress=lambda done, total, task=task: bar.update(task, completed=done, total=total),
            )
    if as_json:
        click.echo(json.dumps({name: report.to_json() for name, report in found.items()}, indent=1))
        return
    for name, report in found.items():
        _show(name, report)


@click.command()
@_HOME
@_SITES
@_JSON
def status(home: Path | None, sites: tuple[str, ...], as_json: bool) -> None:
    """Show which build each site's tables are of, and whether they fit this version of fedkit."""
    from dataclasses import asdict

    from fedkit.errors import FedkitError

    rows = {}
    for name, tables in _chosen(home, sites).items():
        try:
            rows[name] = {**asdict(tables.about(building=False)), "fits": True}
        except FedkitError as error:
            rows[name] = {"fits": False, "why": error.diagnostics()}
    if as_json:
        click.echo(json.dumps(rows, indent=1, default=str))
        return
    for name, row in rows.items():
        if not row["fits"]:
            click.secho(f"{name}: {row['why']}", fg="yellow")
            continue
        model = f", model {row['model']}" if row["model"] else ""
        click.echo(
            f"{name}: {row['notes']:,} notes, built {row['finished']:%Y-%m-%d %H:%M} UTC by fedkit {row['fedkit']},"
            f" pipeline {row['pipeline'][:12]}{model}"
        )


@click.command()
@_HOME
@_SITES
@click.option("--notes", type=click.IntRange(min=1), required=True, help="Notes at each site.")
@click.option("--seed", type=int, default=2026, show_default=True, help="The same seed gives the same tables.")
def synthesise(home: Path | None, sites: tuple[str, ...], notes: int, seed: int) -> None:
    """Fill a site's tables with invented notes of invented persons, to try the warehouse at its full size.

    They take the place of what is there. They are made by SQL alone, have no texts, and their model is called "synthetic".
    """
    from fedkit.sites.warehouse.database import DuckDBTables
    from fedkit.sites.warehouse.site_tables import FOLDER
    from fedkit.sites.warehouse.synthetic import fill

    for name, tables in _chosen(home, sites).items():
        with DuckDBTables.open(tables.folder / FOLDER) as database:
            counts = fill(database, name, notes, seed)
        click.echo(f"{name}: " + ", ".join(f"{count:,} {what}" for what, count in counts.items()))


def _chosen(home: Path | None, sites: tuple[str, ...]) -> dict[str, SiteTables]:
    """Site → its tables, of those of a federation that are asked for."""
    from fedkit.config import read_config
    from fedkit.errors import ConfigurationError
    from fedkit.sites.launch import default_folder
    from fedkit.sites.store import DuckDBNoteStore
    from fedkit.sites.warehouse.site_tables import SiteTables

    folder = home or default_folder("workshop")
    config = read_config(folder)
    if config is None:
        raise ConfigurationError(
            f"{folder.name}: no federation there",
            expected="the folder of a federation that was launched once",
            got="no federation.toml",
            help="give --home, or launch it: fedkit demo",
        )
    known = [site.name for site in config.sites]
    if unknown := [name for name in sites if name not in known]:
        raise click.BadParameter(f"{', '.join(unknown)}: choose from {', '.join(known)}", param_hint="--site")
    place = folder / "sites"
    return {
        name: SiteTables(name, place / name, DuckDBNoteStore(place / name / "notes.duckdb"))
        for name in (sites or known)
        if (place / name).is_dir()
    }


def _show(name: str, report: BuildReport) -> None:
    click.echo(
        f"{name}: {report.read:,} notes read, {report.same:,} as they were, {report.gone:,} taken out;"
        f" {report.persons:,} persons, {report.visits:,} visits, {report.notes:,} notes, {report.mentions:,} mentions"
    )
    click.echo(f"  pipeline {report.pipeline[:12]}" + (f", model {report.model}" if report.model else ""))
    if report.unnamed:
        click.secho(f"  {report.unnamed:,} notes say not whose they are, and are in no view", fg="yellow")
    for reason, times in report.failed.items():
        click.secho(f"  not read: {times:,} ({reason})", fg="yellow")
