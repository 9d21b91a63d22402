"""The channel: bytes by digest, one's own or granted, whole or not at all."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fedkit.digests import digest_bytes
from fedkit.errors import AccessRefused, DigestMismatch, LimitReached, StorageError
from fedkit.sites.channel import Channel


@pytest.fixture
def channel(tmp_path: Path) -> Channel:
    return Channel(tmp_path / "channel", size_limit=1000, quota=2500)


def blob_files(channel: Channel) -> list[Path]:
    return [p for p in channel.folder.rglob("*") if p.is_file() and not p.name.startswith("index.db")]


@given(data=st.binary(max_size=2000))
@settings(max_examples=30, deadline=None)
def test_bytes_come_back_by_their_digest(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    channel = Channel(tmp_path_factory.mktemp("channel"))
    name = channel.put("alice", data)
    assert name == digest_bytes(data)
    assert channel.get("alice", name) == data
    channel.close()


def test_others_read_only_what_was_granted(channel: Channel) -> None:
    name = channel.put("alice", b"weights")
    with pytest.raises(AccessRefused):
        channel.get("bob", name)
    channel.grant(name, "bob")
    assert channel.get("bob", name) == b"weights"
    with pytest.raises(AccessRefused):
        channel.get("carol", name)


def test_a_refusal_does_not_tell_whether_the_blob_exists(channel: Channel) -> None:
    there = channel.put("alice", b"weights")
    words = []
    for name in (there, "0" * 64):
        with pytest.raises(AccessRefused) as refused:
            channel.get("bob", name)
        words.append((refused.value.message, refused.value.expected, refused.value.help))
    assert words[0] == words[1]


@pytest.mark.parametrize("name", ["../../etc/passwd", "..", "", "A" * 64, "0" * 63 + "/", None, 7, "0" * 64 + "\n"])
def test_what_is_no_digest_finds_nothing(channel: Channel, name: object) -> None:
    with pytest.raises(AccessRefused):
        channel.get("alice", name)  # type: ignore[arg-type]


def test_what_is_not_stored_cannot_be_granted(channel: Channel) -> None:
    with pytest.raises(AccessRefused):
        channel.grant("0" * 64, "bob")
    assert not channel.may_read("bob", "0" * 64)


def test_a_blob_changed_on_disk_is_not_given_out(channel: Channel) -> None:
    name = channel.put("alice", b"weights")
    (file,) = blob_files(channel)
    file.write_bytes(b"weighty")
    with pytest.raises(DigestMismatch) as refused:
        channel.get("alice", name)
    assert refused.value.expected == name
    assert channel.put("alice", b"weights") == name
    assert channel.get("alice", name) == b"weights"


def test_a_lost_file_is_a_named_error(channel: Channel) -> None:
    name = channel.put("alice", b"weights")
    blob_files(channel)[0].unlink()
    with pytest.raises(StorageError, match="lost"):
        channel.get("alice", name)


def test_size_and_quota_hold_and_leave_nothing(channel: Channel) -> None:
    with pytest.raises(LimitReached):
        channel.put("alice", bytes(1001))
    assert blob_files(channel) == []
    for n in range(2):
        channel.put("alice", bytes([n]) * 1000)
    with pytest.raises(LimitReached, match="quota"):
        channel.put("alice", b"x" * 600)
    assert len(blob_files(channel)) == 2
    channel.put("bob", b"x" * 600)
    channel.put("alice", bytes([0]) * 1000)
    assert channel.used("alice") == 2000


def test_a_quota_holds_against_many_threads(channel: Channel) -> None:
    def put(n: int) -> bool:
        try:
            channel.put("alice", bytes([n]) * 1000)
        except LimitReached:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(put, range(16))) == 2


def test_deleting_frees_the_quota_and_keeps_what_another_owns(channel: Channel) -> None:
    name = channel.put("alice", b"weights")
    channel.put("bob", b"weights")
    channel.delete("alice", name)
    assert channel.used("alice") == 0
    assert channel.get("bob", name) == b"weights"
    channel.delete("bob", name)
    assert blob_files(channel) == []
    assert not channel.may_read("bob", name)


def test_a_granted_reader_cannot_delete(channel: Channel) -> None:
    name = channel.put("alice", b"weights")
    channel.grant(name, "bob")
    channel.delete("bob", name)
    assert channel.get("alice", name) == b"weights"


def test_a_full_disk_is_named_and_nothing_half_written_stays(channel: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError) as refused:
        channel.put("alice", b"weights")
    assert refused.value.help
    monkeypatch.undo()
    assert blob_files(channel) == []
    assert not channel.may_read("alice", digest_bytes(b"weights"))
    assert channel.used("alice") == 0


def test_files_are_for_their_owner_alone(channel: Channel) -> None:
    channel.put("alice", b"weights")
    for path in channel.folder.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path.name


def test_everything_is_found_again_and_rests_of_a_killed_process_go(channel: Channel) -> None:
    name = channel.put("alice", b"weights")
    channel.grant(name, "bob")
    channel.close()
    (channel.folder / ".new-0123").write_bytes(b"half")
    again = Channel(channel.folder)
    assert again.get("bob", name) == b"weights"
    assert [p.name for p in blob_files(again)] == [name]
