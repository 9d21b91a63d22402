"""`fedkit demo`: the whole idea in one command, with live progress and a table at the end."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console

    from fedkit.demo import DemoOutcome
    from fedkit.study.runs import StudyEvent


@click.command()
@click.option(
    "--notes",
    type=click.Path(path_type=Path),
    help="Your own corpus: one folder per site with train.jsonl, dev.jsonl and test.jsonl.  [default: fedkit's samples]",
)
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs"), show_default=True, help="Folder for the results.")
@click.option("--resume", metavar="RUN", help='Go on with a run that was stopped: its id, or "last".')
@click.option(
    "--isolation",
    type=click.Choice(["in-process", "process"]),
    default="in-process",
    show_default=True,
    help="All sites in this process (lessons only: no boundary), or one process per site on loopback.",
)
@click.option("--rounds", type=click.IntRange(1, 200), help="Federated rounds.  [default: the recipe's]")
@click.option(
    "--sequential",
    "sequential_rounds",
    type=click.IntRange(0, 200),
    help="How many of the first rounds pass the weights from site to site before averaging starts. It trains better, and "
    "shows one site's weights to the next; 0 for none.  [default: a third, since here one person holds all the notes]",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Same seed, same machine: same result, bit for bit.")
@click.option("--compare/--no-compare", default=True, show_default=True, help="Also train local and pooled models.")
@click.option(
    "--home",
    type=click.Path(path_type=Path),
    help="Where the sites keep their storage.  [default: the user's data folder]",
)
@click.option("--chain", metavar="URL", help="A JSON-RPC node that keeps the ledger.  [default: an embedded chain, on disk]")
def demo(**options: Any) -> None:
    """Five hospitals, a code request, signed decisions, federated NER, a ledger, and an audit that catches a forgery.

    Leaves everything in runs/<id>/: the model, scores, curves, evidence and report.html.
    """
    from rich.console import Console

    from fedkit.demo import DemoOptions, run_demo

    console = Console(highlight=False)
    display = Display(console)
    try:
        outcome = run_demo(DemoOptions(**options), display.show)
    finally:
        display.close()
    show_outcome(console, outcome)
    if not outcome.ok:
        raise SystemExit(1)


class Display:
    """Study events as lines, and rounds as a bar where there is a terminal."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._step = -1
        self._bar: Any = None
        self._task: Any = None

    def show(self, event: StudyEvent) -> None:
        """Print one event; may be called from any thread."""
        rounds = event.data.get("rounds")
        if event.step != self._step:
            self._step = event.step
            self.console.print(f"[bold]{event.step or '·':>2}  {event.name}[/bold]")
        where = f"{event.site}: " if event.site else ""
        self.console.print(f"      {where}{event.message}", markup=False, soft_wrap=True)
        if rounds and self.console.is_terminal:
            self._advance(int(event.data["round"]), int(rounds))

    def _advance(self, done: int, total: int) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        if self._bar is None:
            columns = (TextColumn("      rounds"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
            self._bar = Progress(*columns, console=self.console, transient=True)
            self._task = self._bar.add_task("rounds", total=total)
            self._bar.start()
        self._bar.update(self._task, completed=done)
        if done >= total:
            self.close()

    def close(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def show_outcome(console: Console, outcome: DemoOutcome) -> None:
    """The table, the verdict and where things are."""
    from rich.table import Table

    from fedkit.study.report import gap, percent

    metrics = outcome.metrics
    table = Table(title="Entity F1 on each site's own test set, percent", title_justify="left")
    for name in ("site", "language"):
        table.add_column(name)
    for name in ("training notes", "local", "pooled", "federated", "federated − local"):
        table.add_column(name, justify="right")
    for row in metrics["sites"]:
        scores = (percent(row[k]) for k in ("local", "pooled", "federated"))
        table.add_row(row["site"], row["language"], str(row["notes"]), *scores, gap(row))
    mean = metrics["mean"]
    table.add_section()
    table.add_row("mean", "", "", *(percent(mean[k]) for k in ("local", "pooled", "federated")), gap(mean))
    console.print()
    console.print(table)
    verdict = outcome.report.verdict
    console.print(f"[{'green' if outcome.report.ok else 'red'}]audit: {verdict}[/]")
    forgery = outcome.forgery
    found = ", ".join(map(str, forgery["found_by"]))
    if found:
        console.print(f"[green]forgery: {forgery['what']}; the verification found it (check {found})[/]", soft_wrap=True)
    else:
        console.print(f"[red]forgery: {forgery['what']}; the verification did NOT find it[/]")
    console.print(f"\n{outcome.folder}/ in {outcome.seconds:.0f} s:", markup=False)
    for name, what in (
        ("report.html", "everything on one page, open it in a browser"),
        ("model/", "the model in Hugging Face layout, with its card"),
        ("metrics.json, curves.png", "the scores and the learning curves"),
        ("evidence/", "check it anywhere: fedkit verify " + str(outcome.folder / "evidence")),
    ):
        console.print(f"  {name:<26}{what}", markup=False, soft_wrap=True)
