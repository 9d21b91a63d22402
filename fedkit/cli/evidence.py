"""`fedkit evidence`: what an outsider needs to check a study, as one file that can be sent."""

from __future__ import annotations

from pathlib import Path

import click


@click.group()
def evidence() -> None:
    """Export the evidence of a study, and show what is in it."""


@evidence.command()
@click.argument("run", type=click.Path(path_type=Path, file_okay=False))
@click.option("--to", "file", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The zip file to write.")
@click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Collect it anew from the federation in this folder: its sites are started, close their journals and sign the head "
    "of the chain. Without it, what step 10 of the study wrote is packed as it is.",
)
@click.option(
    "--updates",
    is_flag=True,
    help="Also put in the weights that the sites still have, so that averages can be computed again. A site's weights can "
    "tell something of its notes: not for everybody. Needs --home.",
)
def export(run: Path, file: Path, home: Path | None, updates: bool) -> None:
    """Write the evidence of the study in RUN to one file, which `fedkit verify` checks anywhere."""
    from fedkit.audit.bundle import pack

    if updates and home is None:
        raise click.UsageError("--updates needs --home: the sites' weights are at the sites")
    folder = _collected(run, home, updates) if home is not None else _written(run)
    digest = pack(folder, file)
    click.echo(f"{file} holds the evidence of {run.name}: {file.stat().st_size / 1e6:.1f} MB, SHA-256 {digest}")
    click.echo(f"to check it: fedkit verify {file}")


def _written(run: Path) -> Path:
    """The evidence that a run holds."""
    from fedkit.errors import EvidenceError

    if not (run / "evidence").is_dir():
        raise EvidenceError(
            f"{run.name} holds no evidence yet",
            expected="evidence/, which step 10 of a study writes",
            got="none" if run.is_dir() else "no such folder",
            help="go on with the study to its end, or collect what there is now: --home FOLDER of its federation",
        )
    return run / "evidence"


def _collected(run: Path, home: Path, updates: bool) -> Path:
    """The evidence of a run, written anew with what the federation in `home` says now."""
    from fedkit.config import read_config
    from fedkit.errors import ConfigurationError
    from fedkit.sites.launch import launch
    from fedkit.study import Study

    config = read_config(home)
    if config is None:
        raise ConfigurationError(
            f"{home.name} holds no federation", expected="federation.toml in it", help="give the folder that `launch` was given"
        )
    if not (run / "request.json").exists():
        raise ConfigurationError(
            f"{run.name} holds no study", expected="a folder with request.json", help="give a run's folder"
        )
    with launch(config.name, home) as federation:
        study = Study(federation, run, on_event=lambda event: click.echo(f"{event.site or event.name}: {event.message}"))
        try:
            return study.export_evidence(updates=updates)
        finally:
            study.close()


@evidence.command()
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--to", "file", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The zip file to write.")
@click.option("--name", default="", help="Who asked, by name: the evidence knows an address only.")
@click.option("--orcid", metavar="URL", help="Their ORCID iD, https://orcid.org/…")
@click.option("--organization", default="", help="Who employs them.")
@click.option("--ror", metavar="URL", help="The employer's ROR, https://ror.org/…")
def crate(bundle: Path, file: Path, name: str, orcid: str | None, organization: str, ror: str | None) -> None:
    """Write the study of an evidence BUNDLE as a Five Safes RO-Crate 0.4, for archives and other research environments.

    The bundle is verified first. It must be clean, and hold no weights of sites: a crate is for everybody.
    """
    from fedkit.audit.rocrate import Requester, write_crate

    if ror and not organization:
        raise click.UsageError("--ror needs --organization: a crate names whoever it refers to")
    if strays := [url for url in (orcid, ror) if url and not url.startswith("https://")]:
        raise click.UsageError(f"{strays[0][:40]} is no URL: give it whole, with https://")
    requester = Requester(name, orcid or "#researcher", organization, ror or "#employer")
    digest = write_crate(bundle, file, requester)
    click.echo(f"{file} holds the study as a Five Safes RO-Crate: {file.stat().st_size:,} bytes, SHA-256 {digest}")
