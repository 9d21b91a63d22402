"""`fedkit notes`: brings notes in, makes synthetic ones, describes a corpus. Counts only: no text of a note is printed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from fedkit.cli._notes_deidentify import deidentify, review
from fedkit.cli._notes_import import export, import_
from fedkit.cli._notes_process import process
from fedkit.cli._notes_records import check_mock, records

if TYPE_CHECKING:
    from rich.table import Table

    from fedkit.notes.corpus import Corpus


@click.group()
def notes() -> None:
    """Notes: bring them in, write them out, make synthetic ones, count them."""


notes.add_command(import_)
notes.add_command(export)
notes.add_command(process)
notes.add_command(records)
notes.add_command(check_mock)
notes.add_command(deidentify)
notes.add_command(review)


@notes.command()
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder to write: one folder per site in it.")
@click.option(
    "--notes",
    "count",
    type=click.IntRange(min=1),
    help="Training notes at every site.  [default: the sample's sizes, 600 (no) to 120 (et)]",
)
@click.option("--dev", type=click.IntRange(min=1), default=60, show_default=True, help="Development notes at every site.")
@click.option("--test", type=click.IntRange(min=1), default=120, show_default=True, help="Test notes at every site.")
@click.option("--seed", type=int, default=2026, show_default=True, help="The same seed gives the same notes.")
@click.option("--sites", default="no,sv,da,fi,et", show_default=True, help="Sites to make, in this order, with commas between.")
@click.option("--force", is_flag=True, help="Replace the corpus that is there; other files in the folder stay.")
def synthesise(out: Path, count: int | None, dev: int, test: int, seed: int, sites: str, force: bool) -> None:
    """Make a corpus of synthetic clinical notes with spans, and a mock twin for every site."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from fedkit.notes.corpus_writer import check_target, write_corpus
    from fedkit.notes.synthetic import SITES
    from fedkit.notes.synthetic import synthesise as make

    names = tuple(dict.fromkeys(name.strip() for name in sites.split(",") if name.strip()))
    sizes = {s.name: count or s.training_notes for s in SITES}
    unknown = [name for name in names if name not in sizes]
    if unknown or not names:
        raise click.BadParameter(f"{', '.join(unknown) or 'nothing'}: choose from {','.join(sizes)}", param_hint="--sites")
    check_target(out, overwrite=force)  # before the work, not after it
    with Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), console=Console(stderr=True), transient=True
    ) as bar:
        tasks = {name: bar.add_task(name, total=sizes[name] + dev + test) for name in names}
        corpus = make(names, sizes, seed, {"dev": dev, "test": test}, lambda site, n: bar.advance(tasks[site], n))
    write_corpus(corpus, out, overwrite=force)
    Console().print(count_table(corpus))
    click.echo(f"digest {corpus.digest}\nwritten to {out}")


@notes.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--allow-empty", is_flag=True, help="Accept a site without training notes: it only evaluates.")
def describe(folder: Path, allow_empty: bool) -> None:
    """Count notes and spans per site, split and label; show what should be looked at."""
    from rich.console import Console

    from fedkit.notes.corpus import read_corpus

    corpus = read_corpus(folder, allow_empty=allow_empty)
    Console().print(count_table(corpus))
    for warning in corpus.warnings:
        click.secho(f"warning: {warning}", fg="yellow")
    click.echo(f"digest {corpus.digest}")


def count_table(corpus: Corpus) -> Table:
    """A row per site and split: notes, patients, spans of each label."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("site")
    table.add_column("split")
    for name in ("notes", "patients", *corpus.labels):
        table.add_column(escape(name), justify="right", overflow="fold")
    for row in corpus.describe():
        first = row["split"] == "train"
        table.add_row(
            escape(row["site"]) if first else "",
            row["split"],
            f"{row['notes']:,}",
            f"{row['patients']:,}" if row["patients"] else "–",
            *(f"{row['labels'][label]:,}" for label in corpus.labels),
            end_section=row["split"] == "mock",
        )
    return table
