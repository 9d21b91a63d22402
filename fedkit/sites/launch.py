"""Start a federation: its sites, its ledger, its keys and accounts, in one folder that a later start finds again.

    with launch("workshop") as federation:
        site = federation.login("no", "researcher")

A federation's folder holds `federation.toml`, `accounts.json` (0600), `keys/`, `ledger/` and `sites/<name>/`.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from fedkit.config import FederationConfig, SiteEntry, check_policies, limits_of, patience_of, read_config, write_config
from fedkit.digests import digest_folder
from fedkit.errors import AccessRefused, ConfigurationError, SiteError, StorageError
from fedkit.sites import pysyft
from fedkit.sites.accounts import stored_accounts
from fedkit.sites.base import Site, SiteInfo
from fedkit.sites.lock import FolderLock
from fedkit.sites.members import Members

if TYPE_CHECKING:
    from fedkit.governance.accounts import AccountCard
    from fedkit.ledger.keys import Keyring
    from fedkit.ledger.ledger import Ledger
    from fedkit.notes.corpus import SiteNotes
    from fedkit.sites.accounts import Account
    from fedkit.sites.parts import SiteConfig

Isolation = Literal["in-process", "process"]

#: Said once per federation, where a person sees it: an in-process site has no boundary.
NOTICE = "sites run in this process: no boundary between researcher and notes. For lessons only; isolation='process' has one."


class Federation:
    """A running federation. Made by `launch`; close it, or use it as a context manager.

    sites:  name → SiteInfo, in the federation's order.   ledger: open, with sites, stewards and researcher registered.
    keys:   of researcher, auditor, ledger admin, permit authority and each site's steward (`steward-<site>`); a site's own key
        is at the site.
    researcher: the researcher's address, as requests name it.   notice: what to know of the isolation, or "".
    """

    def __init__(self, folder: Path, config: FederationConfig, isolation: Isolation, lock: FolderLock) -> None:
        self.folder, self.config, self.isolation = folder, config, isolation
        self.notice = NOTICE if isolation == "in-process" else ""
        self.sites: dict[str, SiteInfo] = {}
        self.ledger: Ledger
        self.keys: Keyring
        self._lock = lock
        self._accounts: dict[str, dict[str, Account]] = {}
        self._members = Members(self)
        self._running: dict[str, Any] = {}
        self._pool: Any = None

    def __repr__(self) -> str:
        return f"Federation({self.config.name!r}, {len(self.sites)} sites, {self.isolation})"

    @property
    def name(self) -> str:
        return self.config.name

    @property
    def researcher(self) -> str:
        return self.keys.address("researcher")

    def login(self, site: str, user: str) -> Site:
        """A session at a site as "researcher", "steward", "auditor", "admin" or a user that `add_user` added, with the password
        that the federation keeps.

        Raises SiteError for an unknown or stopped site, AccessRefused for who has no account, or has changed their password.
        """
        from fedkit.sites.session import SiteSession

        running = self.running(site)
        account = self._accounts[site].get(user)
        if account is None:
            known = list(self._accounts[site])
            raise AccessRefused(f"there is no account for {user!r}", expected=f"one of {known}", got="another name")
        return SiteSession(running.transport(), account.user, account.password)

    def running(self, site: str) -> Any:
        """A running site. Raises SiteError."""
        if site not in self._running:
            raise SiteError(f"no site {site!r} is running", expected=f"one of {list(self.sites)}", got="another name")
        return self._running[site]

    # -- people. On one laptop all keys are here; elsewhere each does their own part (docs/accounts.md).
    def add_user(self, site: str | Sequence[str], user: str, level: str, *, name: str = "", expires: int = 0) -> AccountCard:
        """One more person at a site: a key, an account with a password that the federation keeps, and the role on the ledger.

        site: its name; or those of several, where the person has an account at each and one key for all, as who asks all of
            them needs.   name: the person's, for people.   expires: Unix seconds, 0 for no end.
        The key is `keys.find(card.address)`. Raises RequestError, AccessRefused, ContractReverted.
        """
        sites = [site] if isinstance(site, str) else list(site)
        if not sites:
            raise AccessRefused("an account is at a site", expected="a name of a site, or several", got="none")
        return self._members.add(sites, user, level, name=name, expires=expires)

    def address(self, user: str) -> str:
        """The ledger address of who asks, as the sites know it: of "researcher", or of a user that `add_user` added."""
        return self._members.address(user)

    def revoke_user(self, site: str, user: str) -> AccountCard:
        """End an account from the next call on, and take its role from the ledger. What was signed before stays valid."""
        return self._members.revoke(site, user)

    def replace_key(self, site: str, user: str = "steward") -> AccountCard:
        """A successor for a ledger key that was lost or stolen: made here, named to the site, given the role on the ledger."""
        return self._members.replace_key(site, user)

    def reset_password(self, site: str, user: str) -> None:
        """A new password for an account, by the site's admin; the federation keeps it, so that `login` works again."""
        self._members.reset_password(site, user)

    def unlock(self, site: str, user: str) -> None:
        """Let an account log in at once again after too many wrong passwords. It needs no login, only this machine."""
        self._members.unlock(site, user)

    def close(self) -> None:
        """Stop the sites and the ledger and let the folder go. Safe to call twice."""
        with ExitStack() as stack:
            stack.callback(self._lock.release)
            if hasattr(self, "ledger"):
                stack.callback(self.ledger.close)
            if self._pool is not None:
                stack.callback(self._pool.close)
            for running in self._running.values():
                stack.callback(running.close)
            self._running = {}

    def __enter__(self) -> Federation:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def launch(
    name: str = "workshop",
    folder: Path | str | None = None,
    *,
    corpus: Path | str | None = None,
    isolation: Isolation = "in-process",
    chain: str | None = None,
    policy: str | Mapping[str, Any] | None = None,
) -> Federation:
    """Start the federation `name`; the first start makes it, later starts find everything again.

    folder: where it lives; default: the user's data folder (`$XDG_DATA_HOME/fedkit/<name>`).
    corpus: folder with a folder of notes per site; default: the samples that come with fedkit. A federation keeps its corpus.
    isolation: "in-process" (quick, no boundary, for lessons) or "process" (one process per site on 127.0.0.1).
    chain: URL of a JSON-RPC node that keeps the ledger; default: the one that the federation was made with, or else the
        embedded chain in its folder. A node may move to another URL; a federation never moves to another chain.
    policy: what the sites ask of a run: the name of a preset ("teaching", "standard", "strict"), or settings as in `[policy]`
        of federation.toml, where it is written; default: what stands there, or else "teaching". A hospital takes another.
    Raises AlreadyRunning, ConfigurationError (another corpus, a malformed federation.toml or policy), CorpusError,
    StorageError, SiteError, LedgerError (the node does not answer, or is another chain).
    """
    if isolation not in ("in-process", "process"):
        raise ConfigurationError("no such isolation", expected="'in-process' or 'process'", got=str(isolation)[:20])
    place = Path(folder).expanduser() if folder is not None else default_folder(name)
    try:
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise _no_room(place, error) from None
    lock = FolderLock(place)
    federation: Federation | None = None
    before, fresh = set(place.iterdir()), False
    try:
        pysyft.warm()  # the sites need it, or the researcher's client will
        config = read_config(place)
        fresh = config is None
        notes = Path(corpus).expanduser() if corpus is not None else default_corpus()
        read: Mapping[str, SiteNotes] = {}
        if config is None:
            config, read = _first(place, name, notes, chain or "")
        elif corpus is not None:
            _same_corpus(config, notes)
        moved = chain is not None and chain != config.chain
        config = replace(config, chain=chain) if chain is not None else config
        if policy is not None:
            chosen = {"preset": policy} if isinstance(policy, str) else dict(policy)
            config, moved = replace(config, policy=chosen), moved or chosen != config.policy
            check_policies(config)
        federation = Federation(place, config, isolation, lock)
        _open(federation, notes, read)
        if moved:  # to the same chain, or opening would have failed; or under another policy
            write_config(place, config)
    except BaseException as error:
        if federation is not None:
            federation.close()
        if fresh:  # a first start that failed leaves nothing behind
            _clear(place, before)
        lock.release()
        if isinstance(error, OSError):
            raise _no_room(place, error) from None
        raise
    if federation.notice and hasattr(sys, "ps1"):
        print(federation.notice)
    return federation


def connect(url: str, user: str, password: str) -> Site:
    """A session at a site by URL (`http://127.0.0.1:8123`). Raises SiteError if it is not reached, AccessRefused."""
    from fedkit.sites.http import OverHttp
    from fedkit.sites.session import SiteSession

    return SiteSession(OverHttp(url), user, password)


def default_folder(name: str) -> Path:
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "fedkit" / name


def default_corpus() -> Path:
    """The samples: in the installed package, or in the source tree beside it."""
    package = Path(__file__).parents[1]
    installed = package / "_data_samples"
    return installed if installed.is_dir() else package.parent / "data_samples"


def _first(folder: Path, name: str, notes: Path, chain: str) -> tuple[FederationConfig, Mapping[str, SiteNotes]]:
    """The configuration of a new federation, written, and the notes it is made of."""
    from fedkit.notes.corpus import read_corpus

    corpus = read_corpus(notes)
    for site in corpus.sites:
        if not site.isascii():
            raise ConfigurationError(
                f"the site {site!r} cannot be named so", expected="letters of ASCII, digits and . _ -", help="rename its folder"
            )
    sites = tuple(SiteEntry(s.name, s.title, s.language) for s in corpus.sites.values())
    config = FederationConfig(name, "notes", _corpus_digest(notes), sites, chain=chain)
    write_config(folder, config)
    return config, corpus.sites


def _same_corpus(config: FederationConfig, notes: Path) -> None:
    """A federation keeps the notes it was made with; another corpus needs another federation."""
    if _corpus_digest(notes) != config.corpus:
        raise ConfigurationError(
            f"the federation {config.name!r} was made from another corpus",
            expected=f"the notes with digest {config.corpus[:12]}",
            got=f"{notes.name}, which has another",
            help="give another name or folder=…, or leave corpus out to use the notes that are there",
        )


def _corpus_digest(notes: Path) -> str:
    return digest_folder(notes, "*/*.jsonl")


def _open(federation: Federation, notes: Path, read: Mapping[str, SiteNotes]) -> None:
    from fedkit.ledger.keys import Keyring
    from fedkit.ledger.ledger import open_ledger
    from fedkit.sites.parts import SiteConfig

    folder, config = federation.folder, federation.config
    federation.keys = Keyring(folder / "keys")
    federation.ledger = open_ledger(folder / "ledger", federation.keys, url=config.chain or None)
    known = {site.name for site in config.sites if federation.ledger.is_site(site.name)}
    # A steward's key that was lost is not made anew in silence: nobody knows the new one. See Federation.replace_key.
    for actor in ("researcher", "auditor", *(f"steward-{s.name}" for s in config.sites if s.name not in known)):
        federation.keys.create(actor)
    federation._accounts = stored_accounts(folder, federation.keys, [site.name for site in config.sites])
    configs = [
        SiteConfig(
            name=site.name,
            title=site.title,
            language=site.language,
            isolation=federation.isolation,
            folder=folder / "sites" / site.name,
            corpus=notes if notes.is_dir() else None,
            ledger=federation.ledger.domain,
            accounts=tuple(account for account in federation._accounts[site.name].values() if account.level),
            dataset=config.dataset,
            limits=config.limits,
            access=config.access,
            patience=patience_of(config.waiting),
            policy=config.policy_of(site.name),
        )
        for site in config.sites
    ]
    if federation.isolation == "in-process":
        _start_here(federation, configs, read)
    else:
        _start_processes(federation, configs)
    federation.ledger.register_researcher("researcher")
    federation.ledger.register_auditor("auditor")
    federation.ledger.register_authority("authority")
    for site in config.sites:
        running = federation._running[site.name]
        federation.sites[site.name] = running.info
        federation.ledger.register_site(
            site.name,
            running.info.key,
            "" if site.name in known else federation.keys.address(f"steward-{site.name}"),
            running.commitment,
            dataset=config.dataset,
        )
        # Decisions under a standing approval are signed by the site's desk; a contract knows it as a steward like another.
        federation.ledger.grant(f"steward of {site.name}", running.info.desk)


def _start_here(federation: Federation, configs: list[SiteConfig], read: Mapping[str, SiteNotes]) -> None:
    from fedkit.sites.local import LocalSite
    from fedkit.sites.worker import WorkerPool

    federation._pool = WorkerPool(limits_of(federation.config.limits))
    federation._pool.start()
    for config in configs:
        federation._running[config.name] = LocalSite(config, federation._pool, read.get(config.name))


def _start_processes(federation: Federation, configs: list[SiteConfig]) -> None:
    from fedkit.sites.processes import SiteProcesses

    federation._running.update(SiteProcesses(configs).sites)


def _clear(folder: Path, before: set[Path]) -> None:
    for path in set(folder.iterdir()) - before:
        if path.name == "federation.lock":
            continue
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)


def _no_room(folder: Path, error: OSError) -> StorageError:
    return StorageError(
        f"the federation cannot be kept in {folder.name}",
        expected="a folder with room that can be written",
        got=os.strerror(error.errno or 0),
        help="free some space, or give folder=…; a first start that fails leaves nothing behind",
    )
