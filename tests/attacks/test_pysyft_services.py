"""PySyft's own services.

A researcher's account, or a key of no account, with PySyft's own client instead of fedkit's.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from attackers import PySyftClient
from attempts import Attempt, Trial, tries
from site_suite import World

CLOSED = "access.refused refused.access"
STRANGER = "access.refused unknown-user"


def stock(name: str, *paths: str, by: str = "researcher") -> Attempt:
    return Attempt(name, by, "closed", CLOSED if by == "researcher" else STRANGER, stock=True, given=paths)


@tries(
    stock("reads the private asset by its id", "action.get", "action.get_pointer", "action.get_mock", "blob_storage.read"),
    stock("reads what others printed and the tracebacks of the server", "log.get", "log.get_stdout", "log.get_stderr"),
    stock("reads the log of everybody", "log.get_all"),
    stock("lists and looks up other users", "user.view", "user.get_all", "user.search"),
    stock("forges an entry of the output history", "output.create"),
    stock("reads others' output history by code id", "output.get_by_user_code_id", "output.get_all", "output.get"),
    stock("lists the code of everybody", "code.get_all", "code.get_by_id"),
    stock("submits code past the request", "code.submit"),
    stock("stores an output in another's name", "code.store_execution_output"),
    stock("lists the requests of everybody", "request.get_all", "request.filter_request_info"),
    stock("approves a request in PySyft", "request.apply", "request.add_changes"),
    stock("sets the status of code", "code_status.update", "code_status.create"),
    stock("opens a place in the blob store", "blob_storage.allocate", "blob_storage.write_to_disk", "blob_storage.get_all"),
    stock("calls an endpoint", "api.call", "api.call_in_jobs", "api.add"),
    stock("adds a peer and routes to other servers", "network.add_peer", "network.exchange_credentials_with"),
    stock("takes the whole database as migration data", "migration.get_migration_data", "migration.apply_migration_data"),
    stock("changes the server's settings", "settings.update", "settings.enable_notifications"),
    stock("opens sign-up for everybody", "settings.allow_guest_signup"),
    stock("gives itself another role", "user.update"),
    stock("makes an administrator", "user.create"),
    stock("reads jobs of others and starts one", "job.get_all", "job.get", "job.restart"),
    stock("starts workers and images", "worker.start_workers", "worker_pool.launch", "worker_image.submit"),
    stock("puts a policy of its own making", "policy.add"),
    stock("deletes an object", "action.delete", "dataset.delete"),
    stock("calls paths that do not exist", "nothing.at_all", "action", "__class__", "", "action.execute\0", "ACTION.GET"),
)
def test_a_researcher_finds_every_other_service_closed(trial: Trial, researcher: PySyftClient) -> None:
    some = researcher.asset.action_id
    with trial() as said:
        for path in trial.given:
            said(researcher.call(path, some))


@tries(
    stock("a stranger reads the private asset", "action.get", by="anybody"),
    stock("a stranger uploads an object", "action.set", by="anybody"),
    stock("a stranger asks for code to be run", "code.call", "code.request_code_execution", by="anybody"),
    stock("a stranger reads logs, users and data sets", "log.get_all", "user.get_all", "dataset.get_all", by="anybody"),
)
def test_a_stranger_finds_all_of_them_closed(trial: Trial, anybody: PySyftClient, researcher: PySyftClient) -> None:
    some = researcher.asset.action_id
    with trial() as said:
        for path in trial.given:
            said(anybody.call(path, some))


@tries(Attempt("executes an operation on the private object", "researcher", "closed", CLOSED, stock=True))
def test_an_action_on_the_private_object(trial: Trial, researcher: PySyftClient) -> None:
    from syft.service.action.action_object import Action, ActionType
    from syft.types.uid import LineageID

    asset = researcher.asset
    with trial() as said:
        for op, kind in (("upper", "METHOD"), ("__str__", "METHOD"), ("syft_action_data", "GETATTRIBUTE")):
            action = Action(
                path="str",
                op=op,
                remote_self=LineageID(asset.action_id, 1),
                args=[],
                kwargs={},
                action_type=ActionType[kind],
                result_id=LineageID(researcher.sy.UID(), 1),
            )
            said(researcher.call("action.execute", action))


@tries(Attempt("shows harmless code in a request that unlocks another function", "researcher", "closed", CLOSED, stock=True))
def test_a_raw_request(trial: Trial, researcher: PySyftClient) -> None:
    from syft.service.request.request import SubmitRequest

    with trial() as said:
        said(researcher.call("request.submit", SubmitRequest(changes=[])))


@tries(
    Attempt("overwrites the mock of the data set", "researcher", "closed", CLOSED, stock=True, given="researcher"),
    Attempt("a stranger overwrites the mock of the data set", "anybody", "closed", STRANGER, stock=True, given="anybody"),
)
def test_the_mock_stays(trial: Trial, researcher: PySyftClient, anybody: PySyftClient, request: pytest.FixtureRequest) -> None:
    attacker: PySyftClient = request.getfixturevalue(trial.given)
    asset = researcher.asset
    with trial() as said:
        for uid in (asset.action_id, asset.id):
            said(attacker.call("action.set", attacker.sy.ActionObject.from_obj("mine", id=uid)))


@tries(
    Attempt(
        "gives an argument that is a pair, private and mock",
        "researcher",
        "closed",
        CLOSED,
        given=lambda sy: sy.TwinObject(private_obj=sy.ActionObject.from_obj("a"), mock_obj=sy.ActionObject.from_obj("b")),
    ),
    Attempt(
        "gives an array of numbers, which arrow unpacks",
        "researcher",
        "closed",
        CLOSED,
        given=lambda sy: sy.ActionObject.from_obj(__import__("numpy").zeros(4)),
    ),
    Attempt(
        "gives a table, which parquet unpacks",
        "researcher",
        "closed",
        CLOSED,
        given=lambda sy: sy.ActionObject.from_obj(__import__("pandas").DataFrame({"a": [1]})),
    ),
    Attempt(
        "gives an argument of a megabyte",
        "researcher",
        "closed",
        CLOSED,
        stock=True,
        given=lambda sy: sy.ActionObject.from_obj("x" * 1_000_000),
    ),
)
def test_an_argument_is_a_short_plain_value(trial: Trial, researcher: PySyftClient) -> None:
    with trial() as said:
        said(researcher.call("action.set", trial.given(researcher.sy)))


@tries(
    Attempt("sends a call to the job queue", "researcher", "closed", CLOSED, stock=True, given={"blocking": False}),
    Attempt("has the site call another server", "researcher", "closed", CLOSED, stock=True, given={"server_uid": None}),
)
def test_a_site_answers_directly_and_for_itself(trial: Trial, researcher: PySyftClient) -> None:
    changes = {k: researcher.sy.UID() if v is None else v for k, v in trial.given.items()}
    with trial() as said:
        said(researcher.call("dataset.get_all", **changes))


@tries(
    Attempt("administers PySyft over the network with the site admin's session", "admin", "closed", CLOSED),
    Attempt("reads data sets over PySyft as a steward", "steward", "closed", CLOSED),
    Attempt("reads data sets over PySyft as an auditor", "auditor", "closed", CLOSED),
)
def test_who_is_no_researcher_has_nothing_in_pysyft(trial: Trial, world: World) -> None:
    other = PySyftClient(world, trial.attempt.by)
    with trial() as said:
        for path in ("user.get_all", "dataset.get_all", "request.apply", "settings.get", "log.get_all", "action.get"):
            said(other.call(path))


def test_the_private_asset_is_a_handle_that_nobody_sees(world: World, researcher: PySyftClient) -> None:
    asset = researcher.asset
    seen = None
    with contextlib.suppress(Exception):
        seen = asset.data
    handle = (Path(world.federation.folder) / "sites" / "north" / "domain" / "notes.handle").read_text()
    assert handle not in f"{seen} {asset.__dict__}"


def test_what_a_researcher_may_call_does_work(researcher: PySyftClient) -> None:
    """Or all of the above would be refused for a wrong reason."""
    assert researcher.asset.name == "notes"
    found = researcher.call("action.set", researcher.sy.ActionObject.from_obj("[]"))
    assert "not yet in the blob storage" in str(found)  # PySyft's own words: it was opened
