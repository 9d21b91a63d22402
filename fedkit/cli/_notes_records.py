"""`fedkit notes records` and `fedkit notes check-mock`: synthetic records over time, and what mock notes give away."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click


@click.command()
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder to write: one folder per site in it.")
@click.option(
    "--patients", type=click.IntRange(min=1), default=60, show_default=True, help="Patients to train on at every site."
)
@click.option("--dev", type=click.IntRange(min=1), default=10, show_default=True, help="Patients of the development split.")
@click.option("--test", type=click.IntRange(min=1), default=20, show_default=True, help="Patients of the test split.")
@click.option("--seed", type=int, default=2026, show_default=True, help="The same seed gives the same records.")
@click.option("--sites", default="no,sv,da,fi,et", show_default=True, help="Sites to make, in this order, with commas between.")
@click.option("--force", is_flag=True, help="Replace the corpus that is there; other files in the folder stay.")
def records(out: Path, patients: int, dev: int, test: int, seed: int, sites: str, force: bool) -> None:
    """Make whole records of invented patients over time: eight or nine notes each, with spans and relations.

    Seven kinds of notes tell one story: surgery, outpatient visits, admission, medication list, nursing, radiology referral and
    discharge. Templates, word forms and patients of the test split occur in no other.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from fedkit.cli.notes import count_table
    from fedkit.notes.corpus_writer import check_target, write_corpus
    from fedkit.notes.synthetic import SITES
    from fedkit.notes.synthetic.records import synthesise_records

    known = {s.name for s in SITES}
    names = tuple(dict.fromkeys(name.strip() for name in sites.split(",") if name.strip()))
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        raise click.BadParameter(
            f"{', '.join(unknown) or 'nothing'}: choose from {','.join(s.name for s in SITES)}", param_hint="--sites"
        )
    check_target(out, overwrite=force)  # before the work, not after it
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("patients"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        tasks = {name: bar.add_task(name, total=patients + dev + test) for name in names}
        corpus = synthesise_records(
            names, patients, seed, {"dev": dev, "test": test}, lambda site, _notes: bar.advance(tasks[site])
        )
    write_corpus(corpus, out, overwrite=force)
    Console().print(count_table(corpus))
    click.echo(f"digest {corpus.digest}\nwritten to {out}")


@click.command("check-mock")
@click.argument("folder", type=click.Path(path_type=Path))
def check_mock(folder: Path) -> None:
    """Check what the mock notes of a corpus give away of its private notes. Ends with 1 if anything was found.

    FOLDER is a corpus, a folder per site. Copies are looked for among all private notes. Whether an attacker could tell the
    notes of a site from others is seen by its training notes beside its test notes, which tells something only where both are
    of one kind. Prints counts alone.
    """
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from fedkit.notes.corpus import read_corpus
    from fedkit.notes.privacy import check_mock as check
    from fedkit.notes.privacy import membership

    corpus = read_corpus(folder)
    table = Table(box=box.SIMPLE_HEAD)
    for name in ("site", "mock", "private", "copied notes", "forms", "runs", "AUC"):
        table.add_column(name, justify="left" if name == "site" else "right", no_wrap=True)
    findings: list[str] = []
    differ: list[str] = []
    for site in corpus.sites.values():
        report = check(site.mock, (*site.train, *site.dev, *site.test))
        told = membership(site.mock, site.train, site.test) if site.train and site.test else None
        report = replace(report, membership=told)
        counts = (report.mock, report.private, report.identical, report.forms, report.runs)
        table.add_row(escape(site.name), *(f"{n:,}" for n in counts), f"{told.auc:.2f}" if told else "–")
        findings += [f"{site.name}: {finding}" for finding in report.findings]
        differ += [site.name] if told and told.high < 0.5 else []
    Console().print(table)
    if differ:
        click.echo(f"{', '.join(differ)}: training and test notes are of different kinds, so the AUC there tells nothing")
    for finding in findings:
        click.secho(finding, fg="red")
    if findings:
        raise SystemExit(1)
    click.echo("nothing found; passing is no proof")
