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

    [access]                    # of accounts; see fedkit.sites.access.AccessLimits
    calls_per_minute = 6000.0

    [policy]                    # of all sites; see fedkit.governance.policies.PolicySettings and `fedkit policy list`
    preset = "standard"
    approvals = 2

    [waiting]                   # for a decision; see fedkit.governance.waiting.Patience
    remind = [7, 21]            # days
    lapse = 30

A site's own is a line of its `[[sites]]`: `policy = { hours = "07:00-19:00", time_zone = "Europe/Oslo" }`. The file is written
at the first start; `[limits]`, `[access]`, `[waiting]` and policies may be changed while the federation is down.
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
    from fedkit.governance.waiting import Patience
    from fedkit.sites.confinement import Limits

FILE = "federation.toml"


@dataclass(frozen=True)
class SiteEntry:
    """A site of a federation. language: ISO 639-1.   policy: what it asks for beyond, or instead of, the federation's."""

    name: str
    title: str
    language: str
    policy: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class FederationConfig:
    """See the module. limits: name → value, only those that differ from the worker's own; access: the same of accounts.

    waiting: days of `fedkit.governance.waiting.Patience`, where they differ.
    policy: preset and settings of all sites; {} for `fedkit.governance.policies.settings.DEFAULT_PRESET`.
    chain: URL of the JSON-RPC node that keeps the ledger; "" for the embedded chain in the federation's folder.
    """

    name: str
    dataset: str
    corpus: str
    sites: tuple[SiteEntry, ...]
    limits: Mapping[str, float] = field(default_factory=dict)
    chain: str = ""
    access: Mapping[str, float] = field(default_factory=dict)
    policy: Mapping[str, Any] = field(default_factory=dict)
    waiting: Mapping[str, Any] = field(default_factory=dict)

    def policy_of(self, site: str) -> dict[str, Any]:
        """The policy of one site: its own settings over the federation's. Raises ConfigurationError for an unknown site."""
        from fedkit.governance.policies.configured import merged

        for entry in self.sites:
            if entry.name == site:
                return merged(self.policy, entry.policy)
        known = [entry.name for entry in self.sites]
        raise ConfigurationError(f"no site {site[:40]!r} in {FILE}", expected=f"one of {known}", got="another name")


def read_config(folder: Path) -> FederationConfig | None:
    """The configuration in a folder, or None if there is none. Raises ConfigurationError for a malformed one."""
    path = folder / FILE
    try:
        row = tomllib.loads(path.read_text(encoding="utf-8"))
        sites = tuple(
            SiteEntry(str(s["name"]), str(s["title"]), str(s["language"]), _table(s.get("policy", {}))) for s in row["sites"]
        )
        chain = str(row.get("chain", ""))
        config = FederationConfig(
            row["name"],
            row["dataset"],
            row["corpus"],
            sites,
            row.get("limits", {}),
            chain,
            row.get("access", {}),
            _table(row.get("policy", {})),
            _table(row.get("waiting", {})),
        )
    except FileNotFoundError:
        return None
    except (tomllib.TOMLDecodeError, KeyError, TypeError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"{FILE} is malformed",
            expected="name, dataset, corpus, [[sites]] with name, title and language; chain, [limits], [access], [policy] "
            "and [waiting] if wanted",
            got=type(error).__name__,
            help=f"mend {path}, or restore it from a backup",
        ) from None
    _check_limits(config.limits)
    _check_access(config.access)
    check_policies(config)
    patience_of(config.waiting)
    return config


def write_config(folder: Path, config: FederationConfig) -> None:
    """Write the file whole, or not at all. Raises StorageError."""
    lines = [
        f"{key} = {_text(getattr(config, key))}"
        for key in ("name", "dataset", "corpus", "chain")
        if getattr(config, key) or key != "chain"
    ]
    for site in config.sites:
        lines += ["", "[[sites]]", *(f"{name} = {_text(getattr(site, name))}" for name in ("name", "title", "language"))]
        if site.policy:
            lines += [f"policy = {{ {', '.join(f'{name} = {_value(value)}' for name, value in site.policy.items())} }}"]
    lines += ["", "[limits]", *(f"{name} = {value!r}" for name, value in config.limits.items())]
    if config.access:
        lines += ["", "[access]", *(f"{name} = {value!r}" for name, value in config.access.items())]
    if config.policy:
        lines += ["", "[policy]", *(f"{name} = {_value(value)}" for name, value in config.policy.items())]
    if config.waiting:
        lines += ["", "[waiting]", *(f"{name} = {_value(value)}" for name, value in config.waiting.items())]
    write_whole(folder / FILE, ("\n".join(lines) + "\n").encode())


def limits_of(limits: Mapping[str, Any]) -> Limits:
    """The worker's limits with those of the configuration in place. Raises ConfigurationError for what is no limit."""
    from fedkit.sites.confinement import Limits

    _check_limits(limits)
    usual = Limits()
    return replace(usual, **{name: type(getattr(usual, name))(value) for name, value in limits.items()})


def patience_of(waiting: Mapping[str, Any]) -> Patience:
    """How long requests wait, with what the configuration says in place. Raises ConfigurationError for what is no such days."""
    from fedkit.governance.waiting import Patience

    try:
        given: dict[str, Any] = {name: tuple(value) if name == "remind" else value for name, value in waiting.items()}
        patience = Patience(**given)
    except (TypeError, ConfigurationError):
        raise ConfigurationError(
            f"[waiting] of {FILE} says no days",
            expected="remind = [7, 21] and lapse = 30, or other days that rise",
            got=f"{sorted(waiting)}"[:80],
        ) from None
    return patience


def check_policies(config: FederationConfig) -> None:
    """Raises ConfigurationError that names the first setting of a policy, and its site, that cannot be so."""
    from fedkit.governance.policies.configured import settings_of

    settings_of(config.policy)
    for site in config.sites:
        try:
            settings_of(config.policy_of(site.name))
        except ConfigurationError as error:
            message = f"policy of site {site.name}: {error.message.removeprefix('[policy]: ')}"
            raise ConfigurationError(message, expected=error.expected, got=error.got, help=error.help) from None


def _check_limits(limits: Mapping[str, Any]) -> None:
    from fedkit.sites.confinement import Limits

    known = {f.name for f in fields(Limits)}
    bad = [k for k, v in limits.items() if k not in known or isinstance(v, bool) or not isinstance(v, int | float) or v <= 0]
    if bad:
        raise ConfigurationError(
            f"[limits] of {FILE}: not a limit, or no number above zero", expected=f"some of {sorted(known)}", got=f"{bad}"
        )


def _check_access(access: Mapping[str, Any]) -> None:
    from fedkit.sites.access import AccessLimits

    AccessLimits.of(access)


def _table(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError("not a table")
    return value


def _value(value: Any) -> str:
    """A setting as TOML: text, a number, or a list of them."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    return _text(value) if isinstance(value, str) else repr(value)


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")  # with that, a JSON string is one of TOML's
