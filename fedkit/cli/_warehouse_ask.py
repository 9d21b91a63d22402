"""`fedkit warehouse ask`: one question in SQL, its plan at every site, and, if that is what was meant, the answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from fedkit.study.warehouse import Ask, Warehouse


@click.command()
@click.argument("sql")
@click.option(
    "--run",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder of the data request; the first question opens it, later ones are asked under it.",
)
@click.option("--purpose", help="What the answers are for. Needed to open the data request, and read by every steward.")
@click.option("--title", help="Of the data request.  [default: the folder's name]")
@click.option(
    "--questions", type=click.IntRange(1, 1000), default=20, show_default=True, help="How many it may ask, to open it."
)
@click.option("--rho", type=click.FloatRange(0, 10), default=0.0, help="Privacy budget of all its questions, to open it.")
@click.option("--sums", is_flag=True, help="Let it add up over sites under masks, to open it; every site has to approve.")
@click.option(
    "--noise", type=click.FloatRange(0, 10, min_open=True), metavar="RHO", help="Each site adds noise, at this price."
)
@click.option(
    "--pooled",
    type=click.FloatRange(0, 10, min_open=True),
    metavar="RHO",
    help="Sites give sums under masks, noise is added once for all of them, at this price.",
)
@click.option("--user", default="researcher", show_default=True, help="Whose account asks.")
@click.option(
    "--approve", is_flag=True, help="For lessons: sign as every steward, with the keys of this workshop, what is not decided."
)
@click.option("--yes", is_flag=True, help="Ask without asking back.")
@click.option("--plan", "only_plan", is_flag=True, help="Show the plan and stop: nothing runs, and nothing is charged.")
@click.option("--csv", "csv_file", type=click.Path(path_type=Path, dir_okay=False), help="Write the table there as well.")
@click.option("--json", "as_json", is_flag=True, help="Print plan or answer as JSON, and nothing else.")
@click.option("--home", type=click.Path(path_type=Path), help="Folder of the federation.  [default: the workshop's]")
@click.option(
    "--isolation",
    type=click.Choice(["in-process", "process"]),
    default="in-process",
    show_default=True,
    help="All sites in this process (lessons only: no boundary), or one process per site on loopback.",
)
def ask(sql: str, folder: Path, home: Path | None, isolation: Any, user: str, **options: Any) -> None:
    """Ask all sites a question, as if they were one warehouse.

    SQL is one SELECT of counts, sums or means over patients, visits, notes or mentions, with WHERE and GROUP BY. It is read
    here and becomes data: no site is sent a word of it.
    """
    from fedkit.sites.launch import launch
    from fedkit.study.warehouse import Warehouse
    from fedkit.warehouse import sql as reading

    reading.parse(sql)  # what cannot be asked is told before anything starts
    with launch("workshop", home, isolation=isolation) as federation, Warehouse(federation, folder, user=user) as warehouse:
        if federation.notice and not options["as_json"]:
            click.echo(federation.notice, err=True)
        _open(warehouse, options)
        asked = _protected(warehouse.sql(sql), options["noise"], options["pooled"])
        _ask(asked, options)


def _open(warehouse: Warehouse, options: dict[str, Any]) -> None:
    """Open the data request if this is its first question."""
    study = warehouse.study
    if study.code_request is None:
        if not options["purpose"]:
            raise click.UsageError("This folder has no data request yet: say what the answers are for, with --purpose.")
        warehouse.open(
            title=options["title"] or study.folder.name,
            purpose=options["purpose"],
            questions=options["questions"],
            rho=options["rho"],
            pooled=options["sums"],
        )
    if options["approve"]:
        warehouse.approve()


def _protected(asked: Ask, noise: float | None, pooled: float | None) -> Ask:
    if noise is not None and pooled is not None:
        raise click.UsageError("Noise is added at each site, or once for all: give --noise or --pooled, not both.")
    if noise is not None:
        return asked.noise(noise)
    return asked.pooled(pooled) if pooled is not None else asked


def _ask(asked: Ask, options: dict[str, Any]) -> None:
    from fedkit.warehouse.explain import explain
    from fedkit.warehouse.question import Question

    question, planned, quiet = asked.question, asked.plan(), options["as_json"]
    if not quiet and isinstance(question, Question):
        click.echo(f"{explain(question)}\n\n{planned}")
    if options["only_plan"]:
        if quiet:
            click.echo(json.dumps(planned.to_json(), indent=1))
        return
    if not planned.willing:
        raise planned.refusal()
    if not options["yes"] and not click.confirm("Ask it?", err=True):
        raise click.Abort
    answer = asked.run()
    click.echo(json.dumps(answer.to_json(), indent=1, ensure_ascii=False) if quiet else f"\n{answer}")
    if options["csv_file"] is not None:
        from fedkit.storage import write_whole

        write_whole(options["csv_file"], answer.to_csv().encode(), mode=0o666)
