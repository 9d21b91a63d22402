"""`fedkit notes import` and `fedkit notes export`: between the formats of the field and a file of notes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from fedkit.notes.importing import ImportReport, Unit
    from fedkit.notes.readers.base import Rules
    from fedkit.notes.store import NoteFile

_POSTGRES = ("postgresql://", "postgres://")


@click.command("import")
@click.argument("source")
@click.option(
    "--to", "target", type=click.Path(path_type=Path), required=True, help="The file of notes; made if it is not there."
)
@click.option("--format", "format", help="The format of the source.  [default: found out]")
@click.option("--language", default="", help="Language of notes whose source names none, such as nb.")
@click.option("--encoding", default="utf-8", show_default=True, help="Of text without a byte order mark.")
@click.option("--labels", help="Labels to keep, with commas between.  [default: all]")
@click.option("--rename", multiple=True, metavar="OLD=NEW", help="Give a label another name; may be repeated.")
@click.option(
    "--column", multiple=True, metavar="FIELD=NAME", help="Column of a table for a field, such as text=NOTAT; repeatable."
)
@click.option("--max-characters", type=click.IntRange(min=1), help="Longest note that is kept.  [default: 2,000,000]")
@click.option("--schema", help="Schema of an OMOP database.  [default: the first that has a NOTE table]")
@click.option("--report", type=click.Path(path_type=Path), help="Write the report there as JSON.")
def import_(
    source: str,
    target: Path,
    format: str | None,
    language: str,
    encoding: str,
    labels: str | None,
    rename: tuple[str, ...],
    column: tuple[str, ...],
    max_characters: int | None,
    schema: str | None,
    report: Path | None,
) -> None:
    """Bring notes of any known format into a file of notes.

    SOURCE is a file, a folder or the address of a Postgres database with an OMOP CDM (its password belongs into PGPASSWORD or a
    password file, not here). One bad record never loses the rest: what was skipped is counted by kind, with its place. The same
    command goes on where it was cut off, and adds nothing if all is there.
    """
    from fedkit.notes.importing import import_notes, units_of
    from fedkit.notes.readers.base import MAX_CHARACTERS, Rules
    from fedkit.notes.store import NoteFile

    rules = Rules(
        language=language,
        encoding=encoding,
        labels=frozenset(part.strip() for part in labels.split(",") if part.strip()) if labels else None,
        rename=_pairs(rename, "--rename"),
        columns=_pairs(column, "--column"),
        max_characters=max_characters or MAX_CHARACTERS,
    )
    if source.startswith(_POSTGRES):
        found = _from_postgres(source, target, rules, schema)
    else:
        units = units_of(Path(source), rules, format)
        with NoteFile.open(target, write=True) as store:
            found = _with_progress(store, units, import_notes)
    _show(found, target)
    if report:
        from fedkit.storage import write_whole

        write_whole(report, json.dumps(found.to_json(), ensure_ascii=False, indent=1).encode() + b"\n")
    if found.records and not found.notes:
        click.secho("no record became a note", fg="red", err=True)
        raise SystemExit(1)


def _from_postgres(address: str, target: Path, rules: Rules, schema: str | None) -> ImportReport:
    from fedkit.notes.importing import database_unit, import_notes
    from fedkit.notes.store import NoteFile
    from fedkit.sites.postgres import Postgres

    with Postgres.connect(address) as database:
        unit = database_unit(database, database.name, rules, schema)
        with NoteFile.open(target, write=True) as store:
            return _with_progress(store, [unit], import_notes)


def _with_progress(store: NoteFile, units: list[Unit], work) -> ImportReport:  # type: ignore[no-untyped-def]
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    done: dict[str, int] = {}
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[records]:,} records"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("files", total=len(units), records=0)

        def tell(unit: Unit, records: int) -> None:
            done[unit.key] = records
            bar.update(task, completed=len(done) - 1, records=sum(done.values()))

        report: ImportReport = work(store, units, tell)
        return report


def _show(report: ImportReport, target: Path) -> None:
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from fedkit.notes.readers.base import PROBLEMS

    click.echo(
        f"{report.added:,} notes added to {target}: {report.notes:,} of {report.records:,} records from {report.units:,} "
        f"{'source' if report.units == 1 else 'sources'} are in it"
    )
    for name, counts in (("languages", report.languages), ("labels", report.labels)):
        if counts:
            click.echo(f"{name}: " + ", ".join(f"{word or 'unknown'} {number:,}" for word, number in counts.items()))
    if not report.problems:
        return
    table = Table(box=box.SIMPLE_HEAD, title="what was wrong", title_justify="left")
    for heading in ("kind", "records skipped", "times"):
        table.add_column(heading, justify="left" if heading == "kind" else "right")
    table.add_column("first at", overflow="fold")
    for kind, times in report.problems.items():
        places = [f"{place}{f' ({detail})' if detail else ''}" for found, place, detail in report.places if found == kind]
        what = f"{kind}: {PROBLEMS.get(kind, '')}"
        table.add_row(escape(what), f"{report.skipped.get(kind, 0):,}", f"{times:,}", escape("; ".join(places[:3])))
    Console().print(table)


def _pairs(values: tuple[str, ...], option: str) -> dict[str, str]:
    for value in values:
        if "=" not in value:
            raise click.BadParameter(f"{value}: one name, '=' and another name", param_hint=option)
    return {old.strip(): new.strip() for old, _, new in (value.partition("=") for value in values)}


@click.command()
@click.argument("store", type=click.Path(path_type=Path))
@click.option("--to", "target", type=click.Path(path_type=Path), required=True, help="The file or folder to write.")
@click.option("--format", "format", required=True, help="The format to write.")
@click.option("--stage", default="source", show_default=True, help="What to write: source, or what a later step made of it.")
@click.option("--force", is_flag=True, help="Replace what is there.")
def export(store: Path, target: Path, format: str, stage: str, force: bool) -> None:
    """Write a file of notes in a format of the field, and say what that format cannot hold."""
    from fedkit.errors import ConfigurationError
    from fedkit.notes.store import SOURCE, NoteFile
    from fedkit.notes.writers import writer_of

    writer = writer_of(format)
    with NoteFile.open(store) as notes:
        known = (SOURCE, *notes.stages())
        if stage not in known:
            raise ConfigurationError(f"no stage {stage!r}", expected=", ".join(known), got="another word")
        losses = writer.write(notes.notes(stage), target, overwrite=force)
        click.echo(f"{notes.count(stage):,} notes written to {target} as {writer.title}")
    for what, times in sorted(losses.items()):
        click.echo(f"not in this format: {what} ({times:,} times)")
