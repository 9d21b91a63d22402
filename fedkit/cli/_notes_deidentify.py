"""`fedkit notes deidentify` and `fedkit notes review`: surrogates for identifiers, and how many are found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from fedkit.notes.deidentify.review import Review


@click.command()
@click.argument("store", type=click.Path(path_type=Path))
@click.option("--key", "key_file", type=click.Path(path_type=Path), required=True, help="The project's key file.")
@click.option("--new-key", is_flag=True, help="Make the key file first; refused where there is one.")
@click.option(
    "--mode",
    type=click.Choice(["surrogates", "tags"]),
    default="surrogates",
    show_default=True,
    help="Something of the same kind, or the class in brackets.",
)
@click.option("--stage", help='What to read.  [default: "processed" if all notes are in it, else "source"]')
@click.option("--keep-meta", default="", help="Entries of meta to keep, with commas between.  [default: none]")
@click.option("--no-learning", is_flag=True, help="Use the shipped word lists alone, not the words of these notes.")
@click.option("--report", type=click.Path(path_type=Path), help="Write the counts there as JSON.")
def deidentify(
    store: Path,
    key_file: Path,
    new_key: bool,
    mode: Any,
    stage: str | None,
    keep_meta: str,
    no_learning: bool,
    report: Path | None,
) -> None:
    """Put surrogates where notes name somebody; dates of a patient move together.

    STORE is what `fedkit notes import` has written; the result is its stage "deidentified" (`fedkit notes export --stage
    deidentified`), beside the notes as they came. The same key gives the same person the same surrogate everywhere; another key
    shares nothing with it. The same command goes on where it was cut off.

    Rules miss some identifiers: look at `fedkit notes review` before anything leaves.
    """
    from fedkit.notes.deidentify.keys import ProjectKey
    from fedkit.notes.deidentify.stage import STAGE, deidentify_store
    from fedkit.notes.store import NoteFile

    NoteFile.open(store).close()  # before a key is made for nothing
    if new_key:
        ProjectKey.new().write(key_file)
    key = ProjectKey.read(key_file)
    keep = tuple(name.strip() for name in keep_meta.split(",") if name.strip())
    with NoteFile.open(store, write=True) as notes, _bar() as bar:
        task = bar.add_task("notes", total=None)
        found = deidentify_store(
            notes,
            key,
            source=stage,
            mode=mode,
            learn=not no_learning,
            keep_meta=keep,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    click.echo(f'{found.added:,} notes de-identified now, {found.notes:,} in all, in the stage "{STAGE}" of {store}')
    click.echo(f"project {found.project}, read from the stage {found.source!r}")
    if found.changed:
        click.echo("changed: " + ", ".join(f"{label} {times:,}" for label, times in found.changed.most_common()))
    for reason, times in found.failed.items():
        click.secho(f"left out: {times:,} ({reason})", fg="yellow")
    if report:
        _write(report, found.to_json())
    if found.failed and not found.notes:
        click.secho("no note could be de-identified", fg="red", err=True)
        raise SystemExit(1)


@click.command()
@click.argument("store", type=click.Path(path_type=Path))
@click.option("--stage", default="source", show_default=True, help="What to read.")
@click.option(
    "--truth", multiple=True, metavar="LABEL=CLASS", help="A label that marks identifiers, as PER=NAME; may be repeated."
)
@click.option(
    "--report", type=click.Path(path_type=Path), help="Write everything there as JSON, with places of what was missed."
)
def review(store: Path, stage: str, truth: tuple[str, ...], report: Path | None) -> None:
    """Count identifiers in a file of notes; where some are marked, say how many are found. Changes nothing.

    Recall is of marked spans masked in full, with Wilson's 95 % interval. No text is shown: places are note id and offsets.
    """
    from fedkit.notes.deidentify.review import review as look
    from fedkit.notes.store import NoteFile

    pairs = _truth(truth)
    with NoteFile.open(store) as notes, _bar() as bar:
        task = bar.add_task("notes", total=notes.count(stage))
        found = look(bar.track(notes.notes(stage), task_id=task), pairs or None)
    _show(found)
    if report:
        _write(report, found.to_json())


def _truth(values: tuple[str, ...]) -> dict[str, str]:
    from fedkit.notes.deidentify.model import CLASSES

    pairs = {}
    for value in values:
        label, sign, name = (part.strip() for part in value.partition("="))
        if not sign or not label or name not in CLASSES:
            raise click.BadParameter(f"{value}: LABEL=CLASS, the class one of {', '.join(CLASSES)}", param_hint="--truth")
        pairs[label] = name
    return pairs


def _show(found: Review) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    share = found.masked / found.characters if found.characters else 0.0
    click.echo(f"{found.notes:,} notes, {share:.1%} of their characters are identifiers")
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("class", "found", "marked", "masked in full", "touched", "recall", "95 % interval"):
        table.add_column(heading, justify="left" if heading == "class" else "right")
    for label in sorted({*found.found, *found.gold}):
        gold = found.gold.get(label)
        row = gold.to_json() if gold else None
        table.add_row(
            label,
            f"{found.found[label]:,}",
            *(f"{row[k]:,}" if row else "–" for k in ("marked", "covered", "touched")),
            f"{row['recall']:.3f}" if row else "–",
            f"{row['low']:.3f}–{row['high']:.3f}" if row else "–",
        )
    Console().print(table)
    if not found.gold:
        click.echo("nobody marked the truth in these notes (--truth), so this says what was found, not what was missed")


def _bar() -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True)


def _write(path: Path, found: dict[str, Any]) -> None:
    from fedkit.storage import write_whole

    write_whole(path, json.dumps(found, ensure_ascii=False, indent=1).encode() + b"\n")
