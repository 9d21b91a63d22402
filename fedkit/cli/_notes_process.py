"""`fedkit notes process`: the text pipeline over a file of notes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fedkit.notes.processing import ProcessReport


@click.command()
@click.argument("store", type=click.Path(path_type=Path))
@click.option("--languages", help="Languages of the site, such as fi,sv,en.  [default: all that are known]")
@click.option("--steps", help="Steps to run, with commas between.  [default: all]")
@click.option("--workers", type=click.IntRange(min=1), help="Processes.  [default: one a core]")
@click.option("--report", type=click.Path(path_type=Path), help="Write the report there as JSON.")
def process(store: Path, languages: str | None, steps: str | None, workers: int | None, report: Path | None) -> None:
    """Read every note of a file of notes: language, sections, sentences, concepts, context, abbreviations, identifiers.

    STORE is what `fedkit notes import` has written; the result is its stage "processed", beside the notes as they came. The
    same command goes on where it was cut off; after a change of settings, word lists or rules it begins anew.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from fedkit.notes.language import KNOWN
    from fedkit.notes.pipeline import STEPS, Settings
    from fedkit.notes.processing import process_notes
    from fedkit.notes.store import NoteFile

    settings = Settings(_names(languages, KNOWN, "--languages"), _names(steps, tuple(STEPS), "--steps"))
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with (
        _existing(NoteFile, store) as notes,
        Progress(*columns, console=Console(stderr=True), transient=True) as bar,
    ):
        task = bar.add_task("notes", total=None)
        found = process_notes(
            notes, settings, workers=workers, progress=lambda done, total: bar.update(task, completed=done, total=total)
        )
    _show(found, store)
    if report:
        from fedkit.storage import write_whole

        write_whole(report, json.dumps(found.to_json(), ensure_ascii=False, indent=1).encode() + b"\n")
    if found.failed and not found.notes:
        click.secho("no note could be read", fg="red", err=True)
        raise SystemExit(1)


def _existing(kind, store: Path):  # type: ignore[no-untyped-def]
    """The store, opened for writing; a name that is not there is no new store."""
    if not store.exists():
        kind.open(store).close()  # raises what says so
    return kind.open(store, write=True, megabytes=48)  # a batch is 2 MB, so that pages need not pile up


def _names(given: str | None, known: tuple[str, ...], option: str) -> tuple[str, ...]:
    if given is None:
        return known
    names = tuple(dict.fromkeys(part.strip() for part in given.split(",") if part.strip()))
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        raise click.BadParameter(f"{', '.join(unknown) or 'nothing'}: choose from {','.join(known)}", param_hint=option)
    return names


def _show(report: ProcessReport, store: Path) -> None:
    click.echo(f'{report.added:,} notes read now, {report.notes:,} in all, in the stage "processed" of {store}')
    counts: tuple[tuple[str, Mapping[str, int]], ...] = (
        ("languages", report.languages),
        ("spans", report.labels),
        ("said of them", report.context),
    )
    for title, found in counts:
        if found:
            words = sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))
            click.echo(f"{title}: " + ", ".join(f"{word or 'unclear'} {times:,}" for word, times in words))
    for reason, times in report.failed.items():
        places = ", ".join(map(str, report.places.get(reason, [])))
        click.secho(f"not read: {times:,} ({reason}){f', first at position {places}' if places else ''}", fg="yellow")
