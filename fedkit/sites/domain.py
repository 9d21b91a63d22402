"""One PySyft domain: a site's accounts, its data set as a pair of handles, and the code requests with their approval.

The private asset of the data set is a handle, never notes: a random string that only PySyft's own call of an approved
function can present to the gate. Import it after `pysyft.load()`, and only where a site is launched.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import syft as sy
from nacl.signing import SigningKey
from syft.client.api import ServerIdentity, SignedSyftAPICall
from syft.server.credentials import SyftSigningKey
from syft.service.context import AuthedServiceContext
from syft.service.policy.policy import Matches, UserOwned
from syft.service.response import SyftError
from syft.service.service import ServiceConfigRegistry
from syft.service.user.user import User, UserCreate
from syft.service.user.user_roles import ServiceRole
from syft.store.blob_storage.on_disk import OnDiskBlobStorageClientConfig, OnDiskBlobStorageConfig
from syft.store.db.sqlite import SQLiteDBConfig
from syft.types.errors import SyftException

from fedkit.errors import AccessRefused, FedkitError, NotApproved, Refused, SiteError, StorageError
from fedkit.governance.request import CodeRequest
from fedkit.sites import exposure, pysyft, syft_code, syft_leftovers, syft_wire
from fedkit.sites.journal import written
from fedkit.sites.syft_policy import FedkitOutputPolicy
from fedkit.storage import write_whole

if TYPE_CHECKING:
    from fedkit.sites.access import Access


class GuardedDatasite(sy.Datasite):
    """A PySyft domain that looks at a call before PySyft does: most never reach it.

    Calls are signed by the key of a session. The account behind it has a key of its own in PySyft, which never leaves the site:
    the call goes on under that one, so that what a person made in PySyft stays theirs from login to login.

    access:   who may come in; None while the domain is being set up, when it serves itself only.
    serves_others: calls come from other processes, so that even the domain's own key, its root, may call nothing.
    """

    access: Access | None = None
    serves_others = False

    def __init__(self, *args: Any, **named: Any) -> None:
        self._keys: dict[str, SyftSigningKey] = {}
        super().__init__(*args, **named)

    def handle_api_call_with_unsigned_result(self, api_call: Any, job_id: Any = None, check_call_location: bool = True) -> Any:
        if not self.serves_others and api_call.credentials == self.verify_key:
            with pysyft.one_call():
                return super().handle_api_call_with_unsigned_result(api_call, job_id, check_call_location)
        if not api_call.is_valid:
            self.no_call()
            return SyftError(message=exposure.REFUSAL)
        return self.obey(syft_wire.SignedMessage(str(api_call.credentials), bytes(api_call.serialized_message)))

    def obey(self, signed: syft_wire.SignedMessage) -> Any:
        """What PySyft answers to a message whose signature fits; one refusal, whatever the reason, where it is not asked."""
        try:
            user, call = self._let_in(signed)
        except FedkitError:
            return SyftError(message=exposure.REFUSAL)
        with pysyft.one_call(), written() as acts:
            refused = True
            try:
                reply = super().handle_api_call_with_unsigned_result(call)
                refused = isinstance(reply, SyftError)
            finally:
                if refused and self.access is not None and not any(act.endswith((".refused", ".failed")) for act in acts):
                    self.access.refuse(str(call.message.path), Refused.code, user)  # PySyft's own no, or its policies'
                if call.message.path == syft_leftovers.PATH:
                    syft_leftovers.clear(self, str(call.credentials), call.message.kwargs)
        return reply

    def no_call(self) -> None:
        """Write down that somebody sent what is no signed call."""
        if self.access is not None:
            self.access.refuse(None, "bad-signature")

    def _let_in(self, signed: syft_wire.SignedMessage) -> tuple[str, SignedSyftAPICall]:
        """Whose call it is, and as PySyft may have it. Raises the refusal, which is in the journal by then."""
        if self.access is None:
            raise AccessRefused("the domain is not open yet")
        caller = self.access.caller(signed.key)
        path = ""
        try:
            path = syft_wire.called(signed.message)
            most = exposure.LARGEST.get(path, exposure.LARGEST_OTHER)
            if caller.once or not exposure.is_open(caller.level, path) or len(signed.message) > most:
                raise AccessRefused(exposure.REFUSAL)
            syft_wire.check(signed.message)
            return caller.user, self._as_the_account(caller.user, path, signed.message)
        except FedkitError as error:
            known = path if path in ServiceConfigRegistry.get_registered_configs() else None
            self.access.refuse(known, error.code, caller.user)
            raise

    def _as_the_account(self, user: str, path: str, message: bytes) -> SignedSyftAPICall:
        """The same call, signed by the account's own key, which answers directly: not through a queue, and not elsewhere."""
        key = self.key_of(user)
        call = SignedSyftAPICall(
            credentials=key.verify_key, signature=key.signing_key.sign(message).signature, serialized_message=message
        )
        asked = call.message
        if not asked.blocking or asked.server_uid != self.id or (path == "action.set" and not self._is_new_argument(asked)):
            raise AccessRefused(exposure.REFUSAL)
        return call

    def key_of(self, user: str) -> SyftSigningKey:
        """The key of an account in PySyft, which never changes. Raises AccessRefused if it has none."""
        if user not in self._keys:
            try:
                found = self.services.user.stash.get_by_email(self.verify_key, email(user, self.name)).unwrap()
            except SyftException:
                raise AccessRefused("no such account in the domain") from None
            self._keys[user] = found.signing_key
        return self._keys[user]

    def get_api(self, for_user: Any = None, communication_protocol: Any = None) -> Any:
        """PySyft's list of what a key may call, for the account whose session the key is; for others, what a guest has."""
        if self.access is not None and for_user is not None and for_user != self.verify_key:
            user = self.access.sessions.user(str(for_user), calls=False)
            for_user = self.key_of(user).verify_key if user is not None else for_user
        return super().get_api(for_user, communication_protocol)

    def _is_new_argument(self, message: Any) -> bool:
        """Stock PySyft overwrites whatever object has the id that a caller chose, the mock of a data set included."""
        found = [*message.args, *message.kwargs.values()]
        objects = [x for x in found if isinstance(x, sy.ActionObject | sy.TwinObject)]
        if len(objects) != 1 or isinstance(objects[0], sy.TwinObject) or objects[0].syft_blob_storage_entry_id is not None:
            return False
        return not self.services.action.stash.exists(credentials=self.verify_key, uid=objects[0].id.id)


class Domain:
    """A site's PySyft domain in `folder`: made at the first start, opened again after that.

    folder holds `node.key` (the domain's Ed25519 key, 0600), `site.db` (SQLite) and `blob/`.
    Raises StorageError if the folder cannot be used.
    """

    def __init__(self, folder: Path, site: str) -> None:
        self.site, self.folder = site, folder
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            key = SigningKey(_key(folder / "node.key"))
            with _umask():
                self.server = pysyft.keep_root_level(lambda: self._open(key))
        except OSError as error:
            raise StorageError(
                f"{site}: the PySyft domain cannot be opened",
                expected="a writable folder",
                got=type(error).__name__,
                help="check free space and rights of the federation's folder",
            ) from None
        except Exception as error:  # SQLAlchemy's and PySyft's own, whose text may hold stored values
            raise StorageError(
                f"{site}: the PySyft domain cannot be opened",
                expected="a database that PySyft 0.9.5 wrote",
                got=type(error).__name__,
                help="check free space; if the file is damaged, restore the site's folder from a backup",
            ) from None
        exposure.close_the_rest()
        self._users = self.server.services.user
        self._root = AuthedServiceContext(server=self.server, credentials=self.server.verify_key, role=ServiceRole.ADMIN)

    def _open(self, key: SigningKey) -> GuardedDatasite:
        blobs = OnDiskBlobStorageClientConfig(base_directory=self.folder / "blob")
        return GuardedDatasite(
            name=self.site,
            id=sy.UID.with_seed(key.verify_key.encode().hex()),
            signing_key=key,
            root_email=email("root", self.site),
            root_password=f"{secrets.token_urlsafe(24)}aA1",  # nobody logs in as root: its key is the domain's own
            db_config=SQLiteDBConfig(path=self.folder, filename="site.db"),
            blob_storage_config=OnDiskBlobStorageConfig(client_config=blobs, min_blob_size=1),
            deployment_type="python",
        )

    @property
    def id(self) -> str:
        return str(self.server.id)

    # -- accounts
    def set_account(self, user: str, level: str) -> None:
        """Give an account its user in PySyft, with the role of its level; made if it is missing.

        Nobody logs in to PySyft: its password is random and forgotten. Its key is what the account's calls go on under.
        """
        role = ServiceRole[exposure.ROLES[level]]
        address = email(user, self.site)
        if not self._users.stash.email_exists(email=address).unwrap():
            password = f"{secrets.token_urlsafe(24)}aA1"
            made = UserCreate(email=address, name=user, password=password, password_verify=password, role=role)
            self._users._add_user(self.server.verify_key, made.to(User)).unwrap()
            return
        found = self._users.stash.get_by_email(self.server.verify_key, address).unwrap()
        if found.role != role:
            found.role = role
            self._users.stash.update(credentials=self.server.verify_key, obj=found).unwrap()

    # -- the data set
    def add_dataset(self, name: str) -> str:
        """The private handle of the data set; made, with its mock twin's, at the first call."""
        path = self.folder / f"{name}.handle"
        if not path.exists():
            write_whole(path, f"fedkit:{self.site}:{name}:{secrets.token_hex(16)}".encode())
        handle = path.read_text()
        if name not in {dataset.name for dataset in self.server.services.dataset.get_all(self._root)}:
            dataset = sy.Dataset(name=name)
            dataset.add_asset(sy.Asset(name=name, data=handle, mock=syft_code.mock_handle(self.site, name)))
            self.server.root_client.upload_dataset(dataset)
        return handle

    # -- code requests
    def has_request(self, request: CodeRequest) -> bool:
        """Whether PySyft holds a code request for exactly this request."""
        return self._code(request) is not None

    def decide(self, request: CodeRequest, *, approved: bool, reason: str) -> None:
        """Approve or deny the PySyft request whose code is exactly what this request generates. Raises NotApproved if the
        researcher's client has not handed one in."""
        code = self._code(request)
        if code is None:
            raise NotApproved(
                "the code is not in the site's domain",
                expected="a PySyft request for exactly this code",
                help="the researcher submits again; nothing is lost",
            )
        try:
            found = self.server.services.request.get_by_usercode_id(self._root, code.id)[0]
            if approved:
                self.server.services.request.apply(self._root, found.id)
            else:
                self.server.services.request.undo(self._root, found.id, reason)
        except (SyftException, IndexError):
            raise SiteError(f"{self.site}: PySyft did not record the decision", help="decide again") from None

    def _code(self, request: CodeRequest) -> Any:
        """The PySyft code of a request: the same text, the same policies, and nothing else under its name."""
        name = syft_code.function_name(request.digest)
        stash = self.server.services.user_code.stash
        wanted = syft_code.source(request, self.site)
        for code in stash.get_by_service_func_name(self.server.verify_key, service_func_name=name).unwrap():
            policies = code.input_policy_type is sy.MixedInputPolicy and code.output_policy_type is FedkitOutputPolicy
            if code.raw_code == wanted and policies and self._inputs_fit(code, request.dataset):
                requests = self.server.services.request.get_by_usercode_id(self._root, code.id)
                if requests and code.output_policy_init_kwargs.get("request") == request.digest:
                    return code
        return None

    def _inputs_fit(self, code: Any, dataset: str) -> bool:
        """The handle must come from the data set's asset, and everything else be a plain value of the declared type."""
        identity = ServerIdentity(server_name=self.site, server_id=self.server.id, verify_key=self.server.verify_key)
        rules = code.input_policy_init_kwargs.get(identity, {})
        if len(code.input_policy_init_kwargs) != 1 or set(rules) != set(syft_code.ARGUMENTS):
            return False
        asset = self.server.services.dataset.get_all(self._root)[dataset].assets[0]
        if type(rules["notes"]) is not Matches or rules["notes"].val != asset.action_id:
            return False
        return all(type(rules[k]) is UserOwned and rules[k].type is t for k, t in syft_code.ARGUMENTS.items() if k != "notes")

    def close(self) -> None:
        self.server.close()
        self.server.db.engine.dispose()


def email(user: str, site: str) -> str:
    """PySyft knows users by e-mail address; this one leads nowhere."""
    return f"{user}.{site}@fedkit.example"


def _key(path: Path) -> bytes:
    if not path.exists():
        write_whole(path, secrets.token_bytes(32))
    return path.read_bytes()


@contextmanager
def _umask() -> Iterator[None]:
    """PySyft creates its database readable by all; with this its files are the owner's."""
    old = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(old)
