"""Roles are asked once for a call, so that a call is fast; never for longer, so that a change counts at the next one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fedkit.sites import pysyft

pysyft.load()

from syft.server.credentials import SyftVerifyKey  # noqa: E402
from syft.service.user.user_roles import ServiceRole  # noqa: E402

from fedkit.sites.domain import Domain, email  # noqa: E402


@pytest.fixture
def domain(tmp_path: Path) -> Iterator[Domain]:
    made = Domain(tmp_path / "domain", "north")
    made.set_account("rita", "researcher")
    yield made
    made.close()


@pytest.fixture
def rita(domain: Domain) -> SyftVerifyKey:
    return user(domain).verify_key


def user(domain: Domain) -> Any:
    return domain._users.stash.get_by_email(domain.server.verify_key, email("rita", "north")).unwrap()


def role(domain: Domain, key: SyftVerifyKey) -> ServiceRole:
    return domain.server.get_role_for_credentials(key)


def demote(domain: Domain) -> None:
    found = user(domain)
    found.role = ServiceRole.GUEST
    domain._users.stash.update(credentials=domain.server.verify_key, obj=found).unwrap()


def demote_from_another_process(domain: Domain) -> None:
    """The database changes, and nothing in this process hears of it."""
    known, pysyft._asked = pysyft._asked, type(pysyft._asked)("another", default=None)
    try:
        demote(domain)
    finally:
        pysyft._asked = known


def test_a_role_that_changed_counts_at_the_next_call(domain: Domain, rita: SyftVerifyKey) -> None:
    with pysyft.one_call():
        assert role(domain, rita) == ServiceRole.DATA_SCIENTIST
    demote_from_another_process(domain)
    with pysyft.one_call():
        assert role(domain, rita) == ServiceRole.GUEST


def test_a_call_that_changes_a_role_sees_the_new_one(domain: Domain, rita: SyftVerifyKey) -> None:
    with pysyft.one_call():
        assert role(domain, rita) == ServiceRole.DATA_SCIENTIST
        demote(domain)
        assert role(domain, rita) == ServiceRole.GUEST


def test_one_call_reads_a_role_once_and_a_call_within_it_as_well(domain: Domain, rita: SyftVerifyKey) -> None:
    with pysyft.one_call():
        assert role(domain, rita) == ServiceRole.DATA_SCIENTIST
        demote_from_another_process(domain)
        with pysyft.one_call():
            assert role(domain, rita) == ServiceRole.DATA_SCIENTIST
    assert role(domain, rita) == ServiceRole.GUEST


def test_what_one_server_knows_of_a_key_is_nothing_to_another(domain: Domain, rita: SyftVerifyKey, tmp_path: Path) -> None:
    other = Domain(tmp_path / "other", "south")
    try:
        with pysyft.one_call():
            assert role(domain, rita) == ServiceRole.DATA_SCIENTIST
            assert role(other, rita) == ServiceRole.GUEST
    finally:
        other.close()


def test_outside_of_a_call_nothing_is_remembered(domain: Domain, rita: SyftVerifyKey) -> None:
    assert role(domain, rita) == ServiceRole.DATA_SCIENTIST
    demote_from_another_process(domain)
    assert role(domain, rita) == ServiceRole.GUEST
