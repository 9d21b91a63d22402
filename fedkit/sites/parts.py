"""What a site is made of, opened together: its PySyft domain, notes, channel, worker pool, journal, gate store and key.

Everything lies in one folder of the site. The first start makes it from the site's part of a corpus; later starts find it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fedkit.config import limits_of
from fedkit.digests import digest
from fedkit.environment import environment_digest
from fedkit.governance.accounts import AccountCard
from fedkit.governance.policies import settings_of
from fedkit.governance.waiting import Patience
from fedkit.ledger.keys import Keyring
from fedkit.ledger.typed import LedgerDomain
from fedkit.sites import pysyft
from fedkit.sites.access import Access, AccessLimits
from fedkit.sites.account_store import AccountStore
from fedkit.sites.accounts import Account
from fedkit.sites.base import SiteInfo
from fedkit.sites.channel import Channel
from fedkit.sites.confinement import available
from fedkit.sites.execution_logs import ExecutionLogs
from fedkit.sites.gate_store import GateStore
from fedkit.sites.journal import Journal
from fedkit.sites.passwords import MADE, hashed
from fedkit.sites.store import DuckDBNoteStore
from fedkit.sites.warehouse.site_tables import About, SiteTables
from fedkit.sites.worker import WorkerPool

if TYPE_CHECKING:
    from fedkit.notes.corpus import SiteNotes
    from fedkit.sites.domain import Domain


@dataclass(frozen=True)
class SiteConfig:
    """What a site is opened with; it holds passwords, so it travels to a site's process by its standard input only.

    folder: the site's own.   corpus: folder of the corpus, read at the first start only.
    ledger: the deployment that decisions and receipts are signed for; a site needs no access to the chain.
    limits: of the confined worker, where they differ from `Limits()`.   patience: how long requests wait for a decision.
    access: how long sessions last and how often accounts may call, where it differs from `AccessLimits()`.
    policy: what the site asks of a run, as in `[policy]` of federation.toml.
    """

    name: str
    title: str
    language: str
    isolation: str
    folder: Path
    corpus: Path | None
    ledger: LedgerDomain
    accounts: tuple[Account, ...] = field(repr=False)
    dataset: str = "notes"
    limits: Mapping[str, Any] = field(default_factory=dict)
    patience: Patience = field(default_factory=Patience)
    access: Mapping[str, Any] = field(default_factory=dict)
    policy: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "title": self.title,
            "language": self.language,
            "isolation": self.isolation,
            "folder": str(self.folder),
            "corpus": str(self.corpus) if self.corpus else None,
            "ledger": self.ledger.to_json(),
            "accounts": [a.to_json() for a in self.accounts],
            "dataset": self.dataset,
            "limits": dict(self.limits),
            "patience": self.patience.to_json(),
            "access": dict(self.access),
            "policy": dict(self.policy),
        }

    @staticmethod
    def from_json(row: Mapping[str, Any]) -> SiteConfig:
        return SiteConfig(
            row["name"],
            row["title"],
            row["language"],
            row["isolation"],
            Path(row["folder"]),
            Path(row["corpus"]) if row["corpus"] else None,
            LedgerDomain.from_json(row["ledger"]),
            tuple(Account.from_json(a) for a in row["accounts"]),
            row["dataset"],
            row["limits"],
            Patience.from_json(row["patience"]),
            row["access"],
            row["policy"],
        )


@dataclass
class SiteParts:
    """An open site. handle: of the private asset, which only PySyft's call of an approved function knows.

    clock: Unix seconds, UTC.   warehouse: what questions are answered from.
    """

    config: SiteConfig
    info: SiteInfo
    domain: Domain
    store: GateStore
    notes: DuckDBNoteStore
    channel: Channel
    pool: WorkerPool
    owns_pool: bool
    journal: Journal
    keys: Keyring
    handle: str
    logs: ExecutionLogs
    access: Access
    clock: Callable[[], float] = time.time
    warehouse: SiteTables | None = None
    _closed: bool = field(default=False, init=False, repr=False)

    @property
    def key_name(self) -> str:
        return f"site-{self.config.name}"

    @property
    def desk_name(self) -> str:
        """The key that signs what stands approved; see `fedkit.sites.approving.desk`."""
        return f"desk-{self.config.name}"

    def close(self) -> None:
        """Close everything, whatever of it fails. Safe to call twice."""
        if self._closed:
            return
        self._closed = True
        with ExitStack() as stack:
            if self.warehouse is not None:
                stack.callback(self.warehouse.close)
            for part in (self.store, self.channel, self.journal, self.domain):
                stack.callback(part.close)
            if self.owns_pool:
                stack.callback(self.pool.close)
            self.access.close()
            self.journal.append("site.closed", self.config.name)


def open_parts(config: SiteConfig, pool: WorkerPool | None = None, first_notes: SiteNotes | None = None) -> SiteParts:
    """Open, or at the first start make, the site of this configuration.

    pool: of confined workers, shared by the sites of one process; a site alone has its own, and closes it.
    first_notes: for the first start, where the caller has read the corpus already.
    Raises StorageError, CorpusError, ConfigurationError.
    """
    pysyft.load()
    from fedkit.sites.domain import Domain

    folder = config.folder
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    keys = Keyring(folder / "keys")
    address, desk = keys.create(f"site-{config.name}"), keys.create(f"desk-{config.name}")
    journal = Journal(folder / "journal.db")
    notes = DuckDBNoteStore(folder / "notes.duckdb")
    if not notes.path.exists():
        notes.load(first_notes or _from_corpus(config))
        journal.append(
            "dataset.loaded",
            config.name,
            dataset=config.dataset,
            commitment=notes.commitment(),
            notes=sum(notes.splits().values()),
        )
    store = GateStore(folder / "gate.db")
    domain = Domain(folder / "domain", config.name)
    handle = domain.add_dataset(config.dataset)
    access = Access(config.name, AccountStore(store.database), journal, AccessLimits.of(config.access))
    _accounts(config, access, domain)
    opened = {"isolation": config.isolation, "key": address, "environment": environment_digest(), "desk": desk}
    opened["policy"] = digest(settings_of(config.policy).to_json())
    journal.append("site.opened", config.name, **opened)
    info = SiteInfo(config.name, config.title, config.language, config.isolation, address, available(), desk=desk)
    own = pool is None
    pool = pool or WorkerPool(limits_of(config.limits))
    pool.start()
    channel = Channel(folder / "channel")
    logs = ExecutionLogs(folder / "logs")
    parts = SiteParts(config, info, domain, store, notes, channel, pool, own, journal, keys, handle, logs, access)
    parts.warehouse = SiteTables(config.name, folder, notes, opened=lambda about: _tell_tables(parts, about))
    return parts


def _tell_tables(parts: SiteParts, about: About) -> None:
    """Journal which build questions are answered from, once for each."""
    fields = {"build": about.build, "pipeline": about.pipeline, "notes": about.notes}
    if about.model_digest:
        fields["model"] = about.model_digest
    if not parts.journal.has("warehouse.opened", **fields):
        parts.journal.append("warehouse.opened", parts.config.name, **fields)


def _accounts(config: SiteConfig, access: Access, domain: Domain) -> None:
    """The accounts that the federation starts the site with, where they are missing; and PySyft's users for all."""
    for account in config.accounts:
        card = AccountCard(account.user, account.level, address=account.address, added_by=config.name)
        if access.accounts.ensure(card, hashed(account.password, MADE)):
            access.journal.append("account.added", config.name, user=card.user, level=card.level, address=card.address or None)
    for card in access.accounts.cards():
        domain.set_account(card.user, "guest" if card.revoked else card.level)
    domain.server.access = access


def _from_corpus(config: SiteConfig) -> SiteNotes:
    from fedkit.errors import CorpusError
    from fedkit.notes.corpus import read_corpus

    site = read_corpus(config.corpus).sites.get(config.name) if config.corpus else None
    if site is None:
        raise CorpusError(
            f"{config.name}: there are no notes", expected="a corpus folder with this site", help="give corpus=DIR"
        )
    return site
