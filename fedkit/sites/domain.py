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
from typing import Any

import syft as sy
from nacl.signing import SigningKey
from syft.client.api import ServerIdentity
from syft.server.credentials import SyftVerifyKey, UserLoginCredentials
from syft.service.context import AuthedServiceContext
from syft.service.policy.policy import Matches, UserOwned
from syft.service.response import SyftError
from syft.service.service import ServiceConfigRegistry
from syft.service.user.user import User, UserCreate
from syft.service.user.user_roles import ServiceRole
from syft.store.blob_storage.on_disk import OnDiskBlobStorageClientConfig, OnDiskBlobStorageConfig
from syft.store.db.sqlite import SQLiteDBConfig
from syft.types.errors import SyftException

from fedkit.errors import AccessRefused, NotApproved, SiteError, StorageError
from fedkit.governance.request import CodeRequest
from fedkit.sites import exposure, pysyft, syft_code
from fedkit.sites.syft_policy import FedkitOutputPolicy
from fedkit.storage import write_whole


class GuardedDatasite(sy.Datasite):
    """A PySyft domain that looks at a call before PySyft does: some calls never reach the check of roles.

    serves_others: calls come from other processes, so PySyft's administration is closed: it is done at the site.
    """

    serves_others = False

    def handle_api_call_with_unsigned_result(self, api_call: Any, job_id: Any = None, check_call_location: bool = True) -> Any:
        with pysyft.one_call():
            return self._guarded(api_call, job_id, check_call_location)

    def _guarded(self, api_call: Any, job_id: Any, check_call_location: bool) -> Any:
        if not api_call.is_valid:
            return SyftError(message="the signature does not fit")
        message = api_call.message
        path = str(message.path)
        # A call that does not block goes to a queue, and one for another server to that server, without a look at the role.
        if not message.blocking or message.server_uid != self.id or path == "queue":
            return SyftError(message="this site answers direct calls only")
        if self.serves_others or api_call.credentials != self.verify_key:
            config = ServiceConfigRegistry.get_registered_configs().get(path)
            role = self.get_role_for_credentials(api_call.credentials)
            if config is None or not config.has_permission(role) or (self.serves_others and role == ServiceRole.ADMIN):
                return SyftError(message=f"you have no access to {path}" if config else "there is no such call")
            largest = exposure.LARGEST.get(path, exposure.LARGEST_OTHER)
            if len(api_call.serialized_message) > largest:
                return SyftError(message=f"{path} takes at most {largest} bytes; weights travel beside PySyft")
            if path == "action.set" and not self._is_new_argument(message):
                return SyftError(message="an argument is a new object with a plain value")
        return super().handle_api_call_with_unsigned_result(api_call, job_id, check_call_location)

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
    def add_account(self, user: str, level: str, password: str) -> None:
        """Make an account with the PySyft role of its level; an account that is there already stays as it is."""
        if self._users.stash.email_exists(email=email(user, self.site)).unwrap():
            return
        made = UserCreate(
            email=email(user, self.site),
            name=user,
            password=password,
            password_verify=password,
            role=ServiceRole[exposure.ROLES[level]],
        )
        self._users._add_user(self.server.verify_key, made.to(User)).unwrap()

    def login(self, user: str, password: str) -> bytes:
        """The seed (32 bytes) of the user's signing key, for the right password. Raises AccessRefused."""
        context = self.server.get_unauthed_context(UserLoginCredentials(email=email(user, self.site), password=password))
        try:
            return bytes(self._users.exchange_credentials(context).value.signing_key.signing_key)
        except SyftException:
            raise AccessRefused(
                "user or password is wrong", expected="an account of this site", help="look into the accounts file"
            ) from None

    def user_of(self, verify_key: str) -> str | None:
        """The account with this verify key (64 hex characters) in PySyft's user table, or None."""
        try:
            user = self._users.stash.get_by_verify_key(
                credentials=self.server.verify_key, verify_key=SyftVerifyKey.from_string(verify_key)
            ).unwrap()
        except (SyftException, ValueError):
            return None
        return str(user.name)

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
