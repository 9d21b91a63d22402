"""`fedkit doctor`: what it looks at, and what it says on machines that lack something."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from fedkit import doctor
from fedkit.cli import fedkit as cli


def by_name(checks: list[doctor.Check]) -> dict[str, doctor.Check]:
    return {check.name: check for check in checks}


def test_every_check_names_itself_and_says_how_to_mend(tmp_path: Path) -> None:
    checks = doctor.examine(tmp_path)
    assert len(by_name(checks)) == len(checks) >= 14
    for check in checks:
        assert check.status in ("ok", "warn", "fail")
        assert check.found, check.name
        assert bool(check.help) == (check.status != "ok"), check


def test_an_environment_made_from_the_lock_is_found_right(tmp_path: Path) -> None:
    checks = by_name(doctor.examine(tmp_path))
    for name in ("Python 3.11", "locked versions", "PySyft 0.9", "data folder", "Jupyter kernel", "smart contracts"):
        assert checks[name].status == "ok", checks[name]


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    doctor.examine(tmp_path / "not" / "there")
    assert list(tmp_path.iterdir()) == []


def test_a_version_other_than_locked_fails_and_names_it(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text("# comment\nclick==0.0.1\nno-such-package-anywhere==3\n")
    check = doctor.packages(lock)
    assert check.status == "fail"
    assert "click" in check.found
    assert "not 0.0.1" in check.found
    assert "no-such-package-anywhere absent" in check.found
    assert "make setup" in check.help


def test_a_long_list_of_differences_is_cut(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text("".join(f"absent-package-{i}==1\n" for i in range(30)))
    assert doctor.packages(lock).found.endswith("and 26 more")


def test_without_a_lock_it_says_so(tmp_path: Path) -> None:
    assert doctor.packages(tmp_path / "requirements.lock").status == "warn"


def test_another_python_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.sys, "version_info", (3, 13, 0))
    assert doctor.python().status == "fail"


@pytest.mark.parametrize(("total", "free", "status"), [(8, 6, "ok"), (8, 2, "warn"), (3.5, 3, "warn"), (2, 2, "fail")])
def test_memory(monkeypatch: pytest.MonkeyPatch, total: float, free: float, status: str) -> None:
    import psutil

    sizes = SimpleNamespace(total=int(total * doctor.GB), available=int(free * doctor.GB))
    monkeypatch.setattr(psutil, "virtual_memory", lambda: sizes)
    assert doctor.memory().status == status


@pytest.mark.parametrize(("free", "status"), [(50, "ok"), (2, "warn"), (0.5, "fail")])
def test_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, free: float, status: str) -> None:
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda path: SimpleNamespace(free=int(free * doctor.GB)))
    assert doctor.disk(tmp_path).status == status


def test_a_data_folder_below_a_file_fails(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert doctor.storage(tmp_path / "file" / "sites").status == "fail"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_data_folder_that_may_not_be_written_fails(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert doctor.storage(tmp_path).status == "fail"


def test_no_confinement_is_said_plainly(monkeypatch: pytest.MonkeyPatch) -> None:
    from fedkit.sites import confinement

    monkeypatch.setattr(confinement, "available", lambda: ("rlimits",))
    check = doctor.confinement()
    assert check.status == "warn"
    assert "Landlock" in check.help
    assert "not real" in check.help


def test_a_program_that_is_missing_warns_and_says_what_it_is_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    for check in (doctor.node(), doctor.browser()):
        assert (check.status, check.found) == ("warn", "not found")
        assert check.help.startswith("only needed")


def test_a_wrong_kernel_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "version", lambda name: "7.0.1")
    check = doctor.kernel()
    assert check.status == "fail"
    assert "ipykernel<7" in check.help


def test_a_kernel_whose_python_is_gone_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    spec = tmp_path / "share" / "jupyter" / "kernels" / "python3" / "kernel.json"
    spec.parent.mkdir(parents=True)
    monkeypatch.setattr(doctor.sys, "prefix", str(tmp_path))
    assert doctor.kernel().status == "fail"
    spec.write_text(json.dumps({"argv": ["/nowhere/python", "-m", "ipykernel_launcher"]}))
    assert "/nowhere/python" in doctor.kernel().found


# -- the command


def test_the_table_ends_with_a_verdict_and_the_status_follows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [doctor.Check("one", "ok", "here"), doctor.Check("two", "warn", "half", "bring the other half")]
    monkeypatch.setattr(doctor, "examine", lambda home: rows)
    answer = CliRunner().invoke(cli, ["doctor"])
    assert answer.exit_code == 0
    assert "bring the other half" in answer.output
    assert "fedkit can run here; 1 with less than everything" in answer.output

    rows.append(doctor.Check("three", "fail", "nothing", "mend it"))
    answer = CliRunner().invoke(cli, ["doctor"])
    assert answer.exit_code == 1
    assert "1 of 3 failed" in answer.output


def test_json_is_the_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [doctor.Check("one", "fail", "[red]nothing[/red]", "mend it")]
    monkeypatch.setattr(doctor, "examine", lambda home: rows)
    answer = CliRunner().invoke(cli, ["doctor", "--json"])
    assert answer.exit_code == 1
    assert json.loads(answer.output) == [{"name": "one", "status": "fail", "found": "[red]nothing[/red]", "help": "mend it"}]
