"""`federation.toml`: what a federation is, in the one file that a person may read and edit.

    name = "workshop"
    dataset = "notes"
    corpus = "3f0c…"            # digest of the folder it was made from

    [[sites]]
    name = "no"
    title = "Fjordvik sykehus"
    language = "nb"

    [limits]                    # of the confined worker; see fedkit.sites.confinement.Limits
    seconds = 600.0

It is written at the first start; `[limits]` may be changed while the federation is down.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fedkit.errors import ConfigurationError
from fedkit.storage import write_whole

if TYPE_CHECKING:
    from fedkit.sites.confinement import Limits

FILE = "federation.toml"


@dataclass(frozen=True)
class SiteEntry:
    """A site of a federation. language: ISO 639-1."""

    name: str
    title: str
    language: str


@dataclass(frozen=True)
class FederationConfig:
    """See the module. limits: name → value, only those that differ from the worker's own.

    chain: URL of the JSON-RPC node that keeps the ledger; "" for the embedded chain in the federation's folder.
    """

    name: str
    dataset: str
    corpus: str
    sites: tuple[SiteEntry, ...]
    limits: Mapping[str, float] = field(default_factory=dict)
    chain: str = ""


def read_config(folder: Path) -> FederationConfig | None:
    """The configuration in a folder, or None if there is none. Raises ConfigurationError for a malformed one."""
    path = folder / FILE
    try:
        row = tomllib.loads(path.read_text(encoding="utf-8"))
        sites = tuple(SiteEntry(str(s["name"]), str(s["title"]), str(s["language"])) for s in row["sites"])
        chain = str(row.get("chain", ""))
        config = FederationConfig(row["name"], row["dataset"], row["corpus"], sites, row.get("limits", {}), chain)
    except FileNotFoundError:
        return None
    except (tomllib.TOMLDecodeError, KeyError, TypeError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"{FILE} is malformed",
            expected="name, dataset, corpus, [[sites]] with name, title and language; chain and [limits] if wanted",
            got=type(error).__name__,
            help=f"mend {path}, or restore it from a backup",
        ) from None
    _check_limits(config.limits)
    return config


def write_config(folder: Path, config: FederationConfig) -> None:
    """Write the file whole, or not at all. Raises StorageError."""
    lines = [
        f"{key} = {_text(getattr(config, key))}"
        for key in ("name", "dataset", "corpus", "chain")
        if getattr(config, key) or key != "chain"
    ]
    for site in config.sites:
        lines += ["", "[[sites]]", *(f"{f.name} = {_text(getattr(site, f.name))}" for f in fields(site))]
    lines += ["", "[limits]", *(f"{name} = {value!r}" for name, value in config.limits.items())]
    write_whole(folder / FILE, ("\n".join(lines) + "\n").encode())


def limits_of(limits: Mapping[str, Any]) -> Limits:
    """The worker's limits with those of the configuration in place. Raises ConfigurationError for what is no limit."""
    from fedkit.sites.confinement import Limits

    _check_limits(limits)
    usual = Limits()
    return replace(usual, **{name: type(getattr(usual, name))(value) for name, value in limits.items()})


def _check_limits(limits: Mapping[str, Any]) -> None:
    from fedkit.sites.confinement import Limits

    known = {f.name for f in fields(Limits)}
    bad = [k for k, v in limits.items() if k not in known or isinstance(v, bool) or not isinstance(v, int | float) or v <= 0]
    if bad:
        raise ConfigurationError(
            f"[limits] of {FILE}: not a limit, or no number above zero", expected=f"some of {sorted(known)}", got=f"{bad}"
        )


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")  # with that, a JSON string is one of TOML's
