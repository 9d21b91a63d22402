"""The set-up of the environment: skipped when nothing changed, begun afresh after an interruption, plain about what is wrong.

Only pip and venv are stood in for here; `make setup` in an empty home is what continuous integration does before every run.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import setup_venv


class Commands(list[list[str]]):
    """Every command that would have been run. `venv` makes a folder with a Python; `fails` is a word that makes one fail."""

    fails: str | None = None
    stops: str | None = None

    def run(self, command: list[Any], **options: Any) -> subprocess.CompletedProcess[str]:
        words = [str(word) for word in command]
        self.append(words)
        if self.stops and self.stops in words:
            raise KeyboardInterrupt
        if self.fails and self.fails in words:
            if options.get("check"):
                raise subprocess.CalledProcessError(1, words)
            return subprocess.CompletedProcess(words, 1, "", "")
        if "venv" in words:
            python = Path(words[-1], "bin", "python")
            python.parent.mkdir(parents=True)
            python.touch()
        return subprocess.CompletedProcess(words, 0, '{"install": [{"metadata": {"version": "2.13.0+cpu"}}]}', "")


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> Commands:
    commands = Commands()
    monkeypatch.setattr(setup_venv.subprocess, "run", commands.run)
    return commands


def setup(monkeypatch: pytest.MonkeyPatch, venv: Path, *more: str) -> int:
    monkeypatch.setattr(sys, "argv", ["setup_venv.py", "--venv", str(venv), *more])
    return setup_venv.main()


def test_the_second_time_nothing_is_done(monkeypatch: pytest.MonkeyPatch, commands: Commands, tmp_path: Path) -> None:
    assert setup(monkeypatch, tmp_path / "venv") == 0
    done = len(commands)
    assert done
    assert setup(monkeypatch, tmp_path / "venv") == 0
    assert len(commands) == done


def test_every_version_comes_from_the_lock_and_fedkit_is_built_without_other_packages(
    monkeypatch: pytest.MonkeyPatch, commands: Commands, tmp_path: Path
) -> None:
    setup(monkeypatch, tmp_path / "venv")
    installs = [words for words in commands if "install" in words]
    assert [str(setup_venv.LOCK) in words for words in installs] == [True, False]
    assert {"--no-deps", "--no-build-isolation", "-e"} <= set(installs[1])


def test_a_changed_lock_installs_again(monkeypatch: pytest.MonkeyPatch, commands: Commands, tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text("torch==1.0\n")
    monkeypatch.setattr(setup_venv, "LOCK", lock)
    setup(monkeypatch, tmp_path / "venv")
    done = len(commands)
    lock.write_text("torch==1.1\n")
    assert setup(monkeypatch, tmp_path / "venv") == 0
    assert not any("venv" in words for words in commands[done:]), "the folder is kept, pip changes what differs"
    assert any("-r" in words for words in commands[done:])


def test_an_environment_that_was_moved_is_installed_again(
    monkeypatch: pytest.MonkeyPatch, commands: Commands, tmp_path: Path
) -> None:
    setup(monkeypatch, tmp_path / "venv")
    (tmp_path / "venv").rename(tmp_path / "moved")
    assert not setup_venv.up_to_date(tmp_path / "moved")


@pytest.mark.parametrize("word", ["-r", "-e"])
def test_after_an_interruption_it_starts_from_an_empty_folder(
    monkeypatch: pytest.MonkeyPatch, commands: Commands, tmp_path: Path, capsys: pytest.CaptureFixture[str], word: str
) -> None:
    venv = tmp_path / "venv"
    commands.stops = word
    assert setup(monkeypatch, venv) == 1
    assert "run `make setup` again" in capsys.readouterr().err
    (venv / "half-written").touch()
    commands.stops = None
    assert setup(monkeypatch, venv) == 0
    assert not (venv / "half-written").exists()
    assert setup_venv.up_to_date(venv)


def test_a_failing_pip_says_what_to_do_and_leaves_no_stamp(
    monkeypatch: pytest.MonkeyPatch, commands: Commands, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commands.fails = "-r"
    assert setup(monkeypatch, tmp_path / "venv") == 1
    assert "to do: " in capsys.readouterr().err
    assert not setup_venv.up_to_date(tmp_path / "venv")


def test_a_folder_made_by_hand_is_used_and_not_emptied(
    monkeypatch: pytest.MonkeyPatch, commands: Commands, tmp_path: Path
) -> None:
    python = tmp_path / "venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    (tmp_path / "venv" / "mine").touch()
    assert setup(monkeypatch, tmp_path / "venv") == 0
    assert (tmp_path / "venv" / "mine").exists()


def test_another_python_is_refused_before_anything_is_made(
    monkeypatch: pytest.MonkeyPatch, commands: Commands, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(setup_venv.sys, "version_info", (3, 13, 1))
    assert setup(monkeypatch, tmp_path / "venv") == 1
    assert commands == []
    error = capsys.readouterr().err
    assert "Python 3.11" in error
    assert "PYTHON=" in error
    assert "conda" in error


def test_a_machine_with_its_own_torch_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, commands: Commands, tmp_path: Path
) -> None:
    monkeypatch.setattr(setup_venv.sys, "platform", "linux")
    setup(monkeypatch, tmp_path / "venv", "--torch-index", "https://torch.example/cpu")
    assert not any("--index-url" in words for words in commands)


@pytest.mark.parametrize("fails", [None, "--index-url"])
def test_where_pip_would_take_cuda_the_small_build_is_tried_first(
    monkeypatch: pytest.MonkeyPatch, commands: Commands, tmp_path: Path, fails: str | None
) -> None:
    """And where its index is out of reach, the large one is taken all the same."""
    monkeypatch.setattr(setup_venv.sys, "platform", "linux")

    def run(command: list[Any], **options: Any) -> subprocess.CompletedProcess[str]:
        answer = commands.run(command, **options)
        answer.stdout = answer.stdout.replace("+cpu", "")
        return answer

    commands.fails = fails
    monkeypatch.setattr(setup_venv.subprocess, "run", run)
    assert setup(monkeypatch, tmp_path / "venv", "--torch-index", "https://torch.example/cpu") == 0
    small = next(words for words in commands if "--index-url" in words)
    assert small[small.index("--index-url") + 1] == "https://torch.example/cpu"
    assert small[-1].startswith("torch==")
    assert "--no-deps" in small, "an index of one project must not provide other packages"


def test_a_setting_of_a_tool_is_no_reason_to_install_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def stamp(text: str) -> str:
        (tmp_path / "pyproject.toml").write_text(text, "utf-8")
        return setup_venv.wanted_stamp(tmp_path / "venv")

    text = (setup_venv.ROOT / "pyproject.toml").read_text("utf-8")
    monkeypatch.setattr(setup_venv, "ROOT", tmp_path)
    assert stamp(text) == stamp(text.replace("line-length = 128", "line-length = 100"))
    assert stamp(text) != stamp(text.replace('"sniffio",', ""))
