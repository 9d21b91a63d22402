"""`fedkit verify`: check an evidence bundle, offline, anywhere."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Also write the report as a page.")
@click.option(
    "--pin",
    metavar="HEAD",
    help="A head of the chain that you wrote down before (NUMBER:0xHASH, as printed at the end): the chain must contain it.",
)
@click.option(
    "--key",
    "keys",
    metavar="SITE=0xADDRESS",
    multiple=True,
    help="The address of a site's key, as the site told you itself: nothing else may have signed for it. May be given often.",
)
@click.pass_context
def verify(
    context: click.Context, bundle: Path, as_json: bool, html: Path | None, pin: str | None, keys: tuple[str, ...]
) -> None:
    """Check an evidence BUNDLE: the folder evidence/ of a run, or a zip file of one.

    Needs no network, no site and no secret. Exit status: 0 clean, 1 something was found, 2 the bundle cannot be read.
    """
    import json
    import re

    from fedkit.audit.evidence import read
    from fedkit.audit.verify import verify as check
    from fedkit.errors import EvidenceError
    from fedkit.storage import write_whole

    known = dict(key.partition("=")[::2] for key in keys)
    if strays := [key for key in keys if not re.fullmatch(r"[^=]+=0x[0-9a-fA-F]{40}", key)]:
        raise click.UsageError(f"--key {strays[0][:60]}: give SITE=0x and 40 hex characters")
    try:
        report = check(bundle, pin=pin, keys=known)
    except EvidenceError as error:
        click.secho(error.diagnostics(), fg="red", err=True)
        context.exit(2)
    if as_json:
        click.echo(json.dumps(report.to_json(), indent=1, ensure_ascii=False))
    else:
        from rich.console import Console

        console = Console(highlight=False)
        console.print(report.to_rich())
        console.print(f"head {report.head}: write it down, and give it as --pin the next time", soft_wrap=True)
    if html is not None:
        write_whole(html, report.to_page(read(bundle)).encode(), mode=0o666)
    context.exit(0 if report.ok else 1)
