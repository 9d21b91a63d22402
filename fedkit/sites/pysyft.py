"""Loading PySyft 0.9.5, with the few changes to it that fedkit cannot do without; each says why.

The import costs seconds and half a gigabyte, so nothing imports PySyft but what launches or connects to a site. `warm()`
starts it in a thread while something else is being done.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from types import ModuleType
from typing import Any

_lock = threading.Lock()
_loaded: ModuleType | None = None

#: Variables that PySyft lets override what its caller passed: the key and id of *every* domain of the process, and the
#: developer mode, which writes into the installation and adds tracebacks to replies.
_OVERRIDES = ("SERVER_PRIVATE_KEY", "SERVER_UID", "DEV_MODE", "SYFT_WORKER", "CONTAINER_HOST", "N_CONSUMERS", "CREATE_PRODUCER")


def load() -> ModuleType:
    """The `syft` module, patched. Safe to call from several threads; after the first call it costs nothing."""
    global _loaded
    with _lock:
        if _loaded is None:
            for name in _OVERRIDES:
                os.environ.pop(name, None)
            os.environ.setdefault("TQDM_DISABLE", "1")
            os.environ.setdefault("SYFT_LOG_LEVEL", "ERROR")
            root_level = logging.getLogger().level
            import syft

            _quiet(root_level)
            _short_cuts()
            _cheap_passwords()
            _roles_once_a_call()
            _aliases_of_types_only()
            _loaded = syft
    return _loaded


def warm() -> threading.Thread:
    """Start the import in the background; `load()` waits for it, and tries again what failed here.

    Two threads that import at one time can meet half of a module in each other's way. Nobody waits for this thread's errors:
    unless they stay here, they are printed into whatever cell of a notebook runs now.
    """

    def early() -> None:
        with suppress(Exception):
            load()

    thread = threading.Thread(target=early, name="fedkit-pysyft", daemon=True)
    thread.start()
    return thread


def keep_root_level(act: Callable[[], Any]) -> Any:
    """Run `act` and put the level of Python's root logger back: starting a PySyft server sets it for the whole process."""
    level = logging.getLogger().level
    try:
        return act()
    finally:
        logging.getLogger().setLevel(level)


def _quiet(root_level: int) -> None:
    """PySyft prints errors, with tracebacks, to stdout and logs the hash of its key as CRITICAL. Neither may reach a log."""
    from syft.server import server
    from syft.service import response
    from syft.service.code import user_code
    from syft.service.policy import policy
    from syft.service.request import request

    logging.getLogger().setLevel(root_level)
    logger = logging.getLogger("syft")
    logger.setLevel(logging.CRITICAL + 1)
    logger.propagate = False
    logger.addHandler(logging.NullHandler())
    for module in (server, response, user_code, policy, request):
        module.print = _nothing


def _nothing(*args: Any, **kwargs: Any) -> None:
    pass


def _short_cuts() -> None:
    """Two walks over every payload: one element at a time to attach attributes, and a `repr` of all arguments for a log."""
    from syft.client.api import SyftAPICall
    from syft.service import service
    from syft.types import syft_object

    attach = syft_object.attach_attribute_to_syft_object

    def attach_to_objects(result: Any, attr_dict: dict[str, Any]) -> None:
        if not isinstance(result, bytes | bytearray | str | int | float | bool | None):
            attach(result, attr_dict)

    syft_object.attach_attribute_to_syft_object = attach_to_objects
    service.attach_attribute_to_syft_object = attach_to_objects
    SyftAPICall.__repr__ = lambda self: f"SyftAPICall(path={self.path})"


def _aliases_of_types_only() -> None:
    """PySyft rebuilds `list[str]` from the name of what to subscript and *calls* what it finds under that name, with arguments
    from the message: `os.system` as well. A site that a researcher asks could so run code at theirs, and the other way round.
    Here the name is of a type in four modules of the standard library, and is subscripted, never called."""
    import importlib
    import typing

    from syft.serde.deserialize import _deserialize
    from syft.types.syft_object_registry import SyftObjectRegistry

    modules = {name: importlib.import_module(name) for name in ("typing", "builtins", "collections", "collections.abc")}

    def alias(blob: bytes) -> Any:
        described = _deserialize(blob, from_bytes=True)
        module, _, name = str(described["path"]).rpartition(".")
        origin = getattr(modules[module], name)
        if not isinstance(origin, type) and type(origin).__module__ != "typing":
            raise TypeError("not a type that has aliases")
        arguments = described["__args__"]
        return origin[arguments[0] if origin is typing.Optional else arguments]

    for versions in SyftObjectRegistry.__object_serialization_registry__.values():
        for version, known in versions.items():
            if known[2] is not None and getattr(known[2], "__name__", "") == "deserialize_generic_alias":
                versions[version] = (*known[:2], alias, *known[3:])


def _cheap_passwords() -> None:
    """PySyft's own passwords are random and forgotten (`fedkit.sites.passwords` keeps those of accounts), so stretching them
    (bcrypt, 2^12) adds a quarter of a second to each account and nothing to its safety."""
    from syft.service.user import user, user_service

    salt_and_hash = user.salt_and_hash_password

    def quick(password: str, rounds: int) -> Any:
        return salt_and_hash(password, 5)

    user.salt_and_hash_password = quick
    user_service.salt_and_hash_password = quick


#: What has been asked of the user table within the API call at hand; None outside of one.
_asked: ContextVar[dict[Any, Any] | None] = ContextVar("_asked", default=None)


@contextmanager
def one_call() -> Iterator[None]:
    """Around the handling of one API call; a call that is made while another is handled belongs to it."""
    if _asked.get() is not None:
        yield
        return
    token = _asked.set({})
    try:
        yield
    finally:
        _asked.reset(token)


def _roles_once_a_call() -> None:
    """PySyft reads and parses the caller's row of the user table before every look at any table: 60 times for one execution.
    A role cannot change in the middle of a call that its holder makes, so once is enough. Changing users ends the memory."""
    from syft.service.user.user_service import UserService
    from syft.service.user.user_stash import UserStash
    from syft.store.db.stash import ObjectStash

    def remembered(ask: Callable[..., Any]) -> Callable[..., Any]:
        def role(self: Any, credentials: Any, *rest: Any, **named: Any) -> Any:
            known = _asked.get()
            if known is None:
                return ask(self, credentials, *rest, **named)
            key = (ask, id(getattr(self, "db", self)), str(credentials))
            if key not in known:
                known[key] = ask(self, credentials, *rest, **named)
            return known[key]

        return role

    def forgetting(change: Callable[..., Any]) -> Callable[..., Any]:
        def act(*args: Any, **named: Any) -> Any:
            known = _asked.get()
            if known is not None:
                known.clear()
            try:
                return change(*args, **named)
            finally:
                if known is not None:
                    known.clear()

        return act

    ObjectStash.get_role = remembered(ObjectStash.get_role)
    UserService.get_role_for_credentials = remembered(UserService.get_role_for_credentials)
    for name in ("set", "update", "delete_by_uid"):
        setattr(UserStash, name, forgetting(getattr(UserStash, name)))
