"""The command line as a whole: quick, documented, and one place where errors become text."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import fedkit.cli as cli
from fedkit.errors import ConfigurationError, FedkitError


def every_command() -> Iterator[tuple[str, click.Command]]:
    todo: list[tuple[str, click.Command]] = [("fedkit", cli.fedkit)]
    while todo:
        path, command = todo.pop()
        yield path, command
        if isinstance(command, click.Group):
            context = click.Context(command)
            for name in command.list_commands(context):
                child = command.get_command(context, name)
                assert child is not None
                todo.append((f"{path} {name}", child))


COMMANDS = dict(every_command())


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_and_every_option_says_what_it_is_for(path: str) -> None:
    command = COMMANDS[path]
    assert command.help, path
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{path} {parameter.opts[0]}"


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_shows_its_help(path: str) -> None:
    answer = CliRunner().invoke(cli.fedkit, [*path.split()[1:], "--help"])
    assert answer.exit_code == 0
    assert answer.output.startswith("Usage: ")


def test_commands_are_the_modules_of_the_package(root: Path) -> None:
    files = {p.stem.replace("_", "-") for p in (root / "fedkit" / "cli").glob("[a-z]*.py")}
    assert set(cli.fedkit.list_commands(click.Context(cli.fedkit))) == files
    assert {"demo", "doctor"} <= files


def test_help_loads_nothing_heavy(root: Path) -> None:
    code = (
        "import sys, fedkit.cli\n"
        "try: fedkit.cli.main(['--help'])\n"
        "except SystemExit as end: assert end.code == 0\n"
        "print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert "Commands:" in answer.stdout
    assert not set(answer.stderr.split()) & {"torch", "syft", "web3", "eth", "duckdb", "numpy", "pandas", "matplotlib", "rich"}


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as end:
        cli.main(list(arguments))
    code = end.value.code
    shown = capsys.readouterr()
    return int(code or 0), shown.out, shown.err


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[BaseException]]:
    """A command `fails` that raises what the test puts into the list."""
    errors: list[BaseException] = []

    @click.command(help="Raise.")
    def fails() -> None:
        raise errors[0]

    found = cli.CommandFolder.get_command
    monkeypatch.setattr(cli.CommandFolder, "get_command", lambda self, c, n: fails if n == "fails" else found(self, c, n))
    return errors


def test_an_error_of_fedkit_shows_what_to_do_and_ends_with_1(capsys: pytest.CaptureFixture[str], failing: list) -> None:
    failing.append(ConfigurationError("the folder is empty", expected="five sites", got="none", help="fedkit notes synthesise"))
    code, out, err = run(capsys, "fails")
    assert (code, out) == (1, "")
    assert err.splitlines() == [
        "the folder is empty",
        "  expected: five sites",
        "  got: none",
        "  to do: fedkit notes synthesise",
    ]


def test_an_unforeseen_error_keeps_its_text_to_itself(capsys: pytest.CaptureFixture[str], failing: list) -> None:
    """The message of any other exception could hold text of a note (a KeyError does, a JSON error may)."""
    failing.append(KeyError("Pasienten Kari fikk Marevan"))
    code, out, err = run(capsys, "fails")
    assert code == 1
    assert "Kari" not in out + err
    assert "KeyError in test_commands.py" in err
    assert "fedkit doctor" in err


def test_debug_warns_and_then_shows_everything(capsys: pytest.CaptureFixture[str], failing: list) -> None:
    failing.append(FedkitError("no"))
    code, _, err = run(capsys, "--debug", "fails")
    assert code == 1
    assert "private text" in err.splitlines()[0]
    assert "Traceback" in err


def test_debug_lets_an_unforeseen_error_through(failing: list) -> None:
    failing.append(ZeroDivisionError("1/0"))
    with pytest.raises(ZeroDivisionError):
        cli.main(["--debug", "fails"])


def test_wrong_usage_ends_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["no-such-command"], ["doctor", "--no-such-option"], ["--no-such-option"]):
        code, out, err = run(capsys, *arguments)
        assert (code, out) == (2, "")
        assert "Error: " in err


def test_interrupted_ends_with_130_and_one_line(capsys: pytest.CaptureFixture[str], failing: list) -> None:
    failing.append(KeyboardInterrupt())
    code, _, err = run(capsys, "fails")
    assert code == 130
    assert err.split() == ["interrupted"]


def test_ctrl_c_on_a_real_process_leaves_no_traceback(root: Path) -> None:
    """A real SIGINT, while a real command waits."""
    code = (
        "import click, signal, time, fedkit.cli as cli\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a shell's background job starts with it ignored
        "@click.command()\n"
        "def waits():\n"
        "    print('waiting', flush=True)\n"
        "    time.sleep(60)\n"
        "cli.CommandFolder.get_command = lambda self, context, name: waits\n"
        "cli.main(['waits'])\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=root
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "waiting\n"
    time.sleep(0.05)  # into the sleep: a signal before it is as good
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err


def test_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    import fedkit

    assert run(capsys, "--version") == (0, f"fedkit, version {fedkit.__version__}\n", "")


def test_installed_command_starts(root: Path) -> None:
    """The entry point that pip wrote, not the function behind it."""
    command = Path(sys.executable).with_name("fedkit")
    answer = subprocess.run(
        [command, "--version"], capture_output=True, text=True, check=True, env={"PATH": os.environ["PATH"]}
    )
    assert answer.stdout.startswith("fedkit, version ")
