"""A bundle as one file: the same bytes for the same evidence, and a named error for whatever a stranger sends."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path

import pytest
from audit.conftest import Told, failed
from click.testing import CliRunner

from fedkit.audit import bundle as module
from fedkit.audit.bundle import pack
from fedkit.audit.verify import verify
from fedkit.cli.evidence import evidence as command
from fedkit.digests import digest_file
from fedkit.errors import ConfigurationError, EvidenceError, StorageError


def test_the_same_evidence_is_the_same_file(bundle: Path, tmp_path: Path) -> None:
    first = pack(bundle, tmp_path / "one.zip")
    os.utime(bundle / "chain.json", (1, 1))
    assert pack(bundle, tmp_path / "two.zip") == first == digest_file(tmp_path / "one.zip")
    assert failed(tmp_path / "two.zip") == set()
    assert pack(tmp_path / "two.zip", tmp_path / "three.zip") == first  # a file can be packed again


def test_packing_onto_a_full_disk_leaves_the_old_file(told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pack(told.bundle, tmp_path / "e.zip")
    before = (tmp_path / "e.zip").read_bytes()

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="cannot be written"):
        pack(told.bundle, tmp_path / "e.zip")
    assert [p.name for p in tmp_path.iterdir()] == ["e.zip"]
    assert (tmp_path / "e.zip").read_bytes() == before


def test_what_is_no_bundle_is_not_packed(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(EvidenceError, match="no evidence bundle"):
        pack(tmp_path / "folder", tmp_path / "e.zip")
    assert not (tmp_path / "e.zip").exists()


@pytest.mark.parametrize("name", ["request.json", "more.txt", "heads.json"])
def test_what_was_changed_since_is_not_packed(name: str, bundle: Path, tmp_path: Path) -> None:
    """It would be found anyway; better before it is sent."""
    (bundle / name).write_text("{}")
    with pytest.raises(EvidenceError, match="not as it was exported") as caught:
        pack(bundle, tmp_path / "e.zip")
    assert name in caught.value.got
    assert not (tmp_path / "e.zip").exists()


def test_a_stranger_cannot_write_on_the_terminal(bundle: Path) -> None:
    """File names, names of sites and whatever a finding repeats: none of it moves a cursor."""
    (bundle / "\x1b[2Jnothing to see here").write_text("x")
    shown = str(verify(bundle))
    assert "nothing to see here" in shown
    assert "\x1b" not in shown


@pytest.mark.parametrize("keep", [0, 10, 0.1, 0.5, 0.99])
def test_a_file_that_was_cut_off_is_named(keep: float, told: Told, tmp_path: Path) -> None:
    pack(told.bundle, tmp_path / "e.zip")
    data = (tmp_path / "e.zip").read_bytes()
    (tmp_path / "e.zip").write_bytes(data[: int(keep * len(data)) if isinstance(keep, float) else keep])
    with pytest.raises(EvidenceError, match="cannot be read as a bundle") as caught:
        verify(tmp_path / "e.zip")
    assert "damaged or cut off" in caught.value.got


def test_a_file_with_a_flipped_byte_is_named_or_found(told: Told, tmp_path: Path) -> None:
    pack(told.bundle, tmp_path / "e.zip")
    data = bytearray((tmp_path / "e.zip").read_bytes())
    for at in range(40, len(data), len(data) // 40):
        changed = bytes([*data[:at], data[at] ^ 1, *data[at + 1 :]])
        (tmp_path / "e.zip").write_bytes(changed)
        try:
            report = verify(tmp_path / "e.zip")
        except EvidenceError:
            continue
        assert not report.ok or changed == data or _only_attributes(changed, data)


def _only_attributes(one: bytes, other: bytes | bytearray) -> bool:
    """Whether two zip files hold the same files: a flipped bit in a date or a mode changes nothing that is read."""
    import io

    with zipfile.ZipFile(io.BytesIO(one)) as first, zipfile.ZipFile(io.BytesIO(bytes(other))) as second:
        return {n: first.read(n) for n in first.namelist()} == {n: second.read(n) for n in second.namelist()}


def test_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(tmp_path / "e.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", bytes(1_000_000))
    monkeypatch.setattr(module, "LARGEST", 100_000)
    with pytest.raises(EvidenceError) as caught:
        verify(tmp_path / "e.zip")
    assert caught.value.got == "1,000,000 bytes, of at most 100,000"


def test_a_file_that_holds_a_name_twice_is_refused(told: Told, tmp_path: Path) -> None:
    """Two readers could see two files."""
    pack(told.bundle, tmp_path / "e.zip")
    with zipfile.ZipFile(tmp_path / "e.zip", "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("request.json", "{}")
    with pytest.raises(EvidenceError) as caught:
        verify(tmp_path / "e.zip")
    assert caught.value.got == "a name that stands in it twice"


def test_a_link_in_a_folder_is_not_followed(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("not of the bundle")
    (bundle / "more.txt").symlink_to(tmp_path / "secret")
    with pytest.raises(EvidenceError) as caught:
        verify(bundle)
    assert caught.value.got == "more.txt, which is no file"


# -- the command


def test_the_command_packs_what_step_10_wrote(told: Told, tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "evidence").symlink_to(told.bundle)
    done = CliRunner().invoke(command, ["export", str(run), "--to", str(tmp_path / "e.zip")])
    assert done.exit_code == 0, done.output
    assert digest_file(tmp_path / "e.zip") in done.output
    assert failed(tmp_path / "e.zip") == set()


def test_the_command_says_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    for run, got in (("run", "none"), ("nowhere", "no such folder")):
        packing = CliRunner().invoke(command, ["export", str(tmp_path / run), "--to", str(tmp_path / "e.zip")])
        assert isinstance(packing.exception, EvidenceError)
        assert packing.exception.got == got
        assert "--home" in packing.exception.help
    updates = CliRunner().invoke(command, ["export", str(tmp_path / "run"), "--to", str(tmp_path / "e.zip"), "--updates"])
    assert updates.exit_code == 2
    assert "--updates needs --home" in updates.output
    anew = ["export", str(tmp_path / "run"), "--to", str(tmp_path / "e.zip"), "--home", str(tmp_path)]
    assert isinstance(CliRunner().invoke(command, anew).exception, ConfigurationError)
    assert json.dumps([p.name for p in tmp_path.iterdir()]) == '["run"]'
