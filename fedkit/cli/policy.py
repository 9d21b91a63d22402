"""`fedkit policy`: what the rules of a site allow, in plain words, and how two choices of rules differ."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.table import Table

    from fedkit.governance.policies import PolicySettings
    from fedkit.governance.policies.explaining import Explanation

_JSON = click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")


@click.group()
def policy() -> None:
    """Rules of a site: what they allow, and why they are so."""


@policy.command("list")
@_JSON
def list_(as_json: bool) -> None:
    """Show the presets with every setting that `[policy]` of federation.toml may hold."""
    from fedkit.governance.policies import PRESETS
    from fedkit.governance.policies.explaining import in_words

    if as_json:
        rows = {n: {"what": p.what, "settings": p.settings.to_json(), "reasons": dict(p.reasons)} for n, p in PRESETS.items()}
        click.echo(json.dumps(rows, indent=1))
        return
    table = _table("setting", *PRESETS)
    for setting in next(iter(PRESETS.values())).reasons:
        table.add_row(setting, *(in_words(p.settings.to_json()[setting]) for p in PRESETS.values()))
    for name, preset in PRESETS.items():
        click.echo(f"{name}: {preset.what}")
    click.echo()
    _show(table)


@policy.command()
@click.argument("preset", required=False)
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Folder of a federation: what its federation.toml says.",
)
@click.option("--site", help="Site of that federation.  [default: what all sites have in common]")
@_JSON
def explain(preset: str | None, folder: Path | None, site: str | None, as_json: bool) -> None:
    """Tell in plain words who may run what at a site, when and how often, and what may leave.

    PRESET is one of those that `fedkit policy list` shows; or give the --folder of a federation.
    """
    from fedkit.governance.policies.explaining import explain as explained

    if (preset is None) == (folder is None):
        raise click.UsageError("give a PRESET, or --folder of a federation")
    if site is not None and folder is None:
        raise click.UsageError("--site is a site of the federation in --folder")
    if folder is not None:
        settings, dataset, name = _of_federation(folder, site)
        found = explained(settings, name=site or name, datasets=(dataset,))
    else:
        found = explained(_preset(preset or ""))
    click.echo(json.dumps(found.to_json(), indent=1) if as_json else _as_text(found), nl=False)
    if not as_json:
        table = _table("setting", "value", "why")
        for value in found.values:
            table.add_row(value.setting, value.value, value.why + (f" (not {value.instead_of})" if value.instead_of else ""))
        _show(table)
    else:
        click.echo()


@policy.command()
@click.argument("left", metavar="A")
@click.argument("right", metavar="B")
@_JSON
def compare(left: str, right: str, as_json: bool) -> None:
    """Show in which settings the presets A and B differ, and why."""
    from dataclasses import asdict

    from fedkit.governance.policies.explaining import compare as compared

    rows = compared(_preset(left), _preset(right))
    if as_json:
        click.echo(json.dumps([asdict(row) for row in rows], indent=1))
        return
    table = _table("setting", left, right, "why")
    for row in rows:
        table.add_row(row.setting, row.left, row.right, f"{left}: {row.why_left}\n{right}: {row.why_right}")
    _show(table)


def _preset(name: str) -> PolicySettings:
    from fedkit.governance.policies import settings_of

    return settings_of(name)


def _of_federation(folder: Path, site: str | None) -> tuple[PolicySettings, str, str]:
    """(settings, data set, name of the federation) of federation.toml in a folder. Raises ConfigurationError."""
    from fedkit.config import FILE, read_config
    from fedkit.errors import ConfigurationError
    from fedkit.governance.policies import settings_of

    config = read_config(folder)
    if config is None:
        raise ConfigurationError(
            f"there is no federation in {folder}", expected=f"a folder with {FILE}", help="give the folder that it was made in"
        )
    return settings_of(config.policy if site is None else config.policy_of(site)), config.dataset, config.name


def _as_text(found: Explanation) -> str:
    lines = [f"{found.name} ({found.what})", ""]
    for question, sentences in found.told():
        lines += [question, *(f"  {sentence}" for sentence in sentences), ""]
    return "\n".join(lines) + "\n"


def _table(*columns: str) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _show(table: Table) -> None:
    from rich.console import Console

    Console(highlight=False, markup=False).print(table)
