"""Makes .venv as requirements.lock says, or does nothing if it is so already. Standard library only.

    python3.11 tools/setup_venv.py [--venv .venv] [--torch-index URL]

A stamp with the digest of the lock is written last. An installation that was interrupted leaves a mark, and the next run
then starts from an empty folder, since pip cannot tell a half-written package from a whole one.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"
STAMP = "fedkit-installed"
MARK = "fedkit-installing"


def main() -> int:
    parser = argparse.ArgumentParser(description="Makes the virtual environment that requirements.lock describes.")
    parser.add_argument("--venv", type=Path, default=ROOT / ".venv", help="folder of the environment (default: .venv)")
    parser.add_argument("--torch-index", default="", help="index to take torch from where pip would take a CUDA build")
    options = parser.parse_args()
    if sys.version_info[:2] != (3, 11):
        return fail(
            f"fedkit runs on Python 3.11, and {sys.executable} is {platform.python_version()}",
            "install Python 3.11 (apt, brew, pyenv, conda or python.org), then `make setup PYTHON=/path/to/python3.11`,",
            "or let conda bring it: `conda env create -f environment.yml && conda activate fedkit`",
        )
    venv: Path = options.venv.absolute()
    if up_to_date(venv):
        return 0
    began = time.monotonic()
    try:
        create(venv)
        install(venv, options.torch_index)
    except subprocess.CalledProcessError as error:
        return fail(
            f"`{Path(error.cmd[0]).name} {' '.join(map(str, error.cmd[1:4]))} …` ended with status {error.returncode}",
            "read the message above; most often the package index is out of reach or the disk is full",
            "then run `make setup` again",
        )
    except OSError as error:
        return fail(
            f"cannot write {venv}: {error.strerror}", "free some disk (3 GB are needed) or choose another folder with VENV="
        )
    except KeyboardInterrupt:
        return fail("interrupted", "run `make setup` again: it starts afresh")
    print(f"fedkit: ready in {venv} after {time.monotonic() - began:.0f} s", flush=True)
    return 0


def wanted_stamp(venv: Path) -> str:
    """Digest of everything that decides what the environment holds, its own place included: venvs cannot be moved."""
    import tomllib  # not above: an older Python must get as far as the message about its version

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    # Without the settings of ruff, mypy and pytest: they change nothing that is installed.
    installs = [project["project"], project["build-system"], project["tool"]["hatch"]]
    parts = [LOCK.read_text("utf-8"), installs, str(venv), str(ROOT), sys.version]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def up_to_date(venv: Path) -> bool:
    stamp = venv / STAMP
    return python_of(venv).exists() and stamp.exists() and stamp.read_text() == wanted_stamp(venv)


def python_of(venv: Path) -> Path:
    return venv / "bin" / "python"


def create(venv: Path) -> None:
    """An environment with pip in it; emptied first if an earlier installation was cut off or its Python is gone."""
    broken = (venv / MARK).exists() or (venv.exists() and not python_of(venv).exists())
    if broken:
        print(f"fedkit: {venv} was left half-made, starting afresh", flush=True)
        shutil.rmtree(venv)
    if not venv.exists():
        venv.mkdir(parents=True)
        (venv / MARK).touch()
        try:
            subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
        except subprocess.CalledProcessError:
            print("on Debian and Ubuntu, `apt install python3.11-venv` brings what is missing", file=sys.stderr)
            raise


def install(venv: Path, torch_index: str) -> None:
    """Everything of the lock in one pip call, then fedkit itself, editable, built by what the lock just brought."""
    (venv / STAMP).unlink(missing_ok=True)
    (venv / MARK).touch()
    count = sum("==" in line for line in LOCK.read_text("utf-8").splitlines())
    print(f"fedkit: installing {count} packages into {venv}: about 2.5 GB, a minute or two", flush=True)
    if torch_index and sys.platform == "linux":
        small_torch(venv, torch_index)
    # pip compiles on one core and compileall on all of them
    pip(venv, "install", "--no-compile", "-r", str(LOCK))
    pip(venv, "install", "--no-compile", "--no-deps", "--no-build-isolation", "-e", str(ROOT))
    # the status says only that some package ships a template or a test that is no valid Python
    subprocess.run(
        [python_of(venv), "-m", "compileall", "-qq", "-j", "0", venv / "lib"], check=False, stdout=subprocess.DEVNULL
    )
    (venv / STAMP).write_text(wanted_stamp(venv))
    (venv / MARK).unlink()


def small_torch(venv: Path, index: str) -> None:
    """On Linux, PyPI's torch brings CUDA (several GB): take the CPU build from `index` if it can be reached.

    What pip would take by itself is asked first, so that a machine with its own source of torch is left alone.
    """
    pin = next(line.strip() for line in LOCK.read_text("utf-8").splitlines() if line.startswith("torch=="))
    ask = [python_of(venv), "-m", "pip", "install", "-q", "--dry-run", "--ignore-installed", "--no-deps", "--report", "-", pin]
    answer = subprocess.run(ask, check=False, capture_output=True, text=True)
    if answer.returncode == 0 and "+cpu" in json.loads(answer.stdout)["install"][0]["metadata"]["version"]:
        return
    try:
        pip(venv, "install", "--no-compile", "--no-deps", "--retries", "1", "--index-url", index, pin)
    except subprocess.CalledProcessError:
        print(f"fedkit: no CPU build of torch from {index}; taking the one pip finds, which may be large", flush=True)


def pip(venv: Path, *arguments: str) -> None:
    env = os.environ | {"PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    subprocess.run([python_of(venv), "-m", "pip", "-qq", *arguments], check=True, env=env)


def fail(what: str, *todo: str) -> int:
    print(f"fedkit: {what}", *(f"  to do: {row}" for row in todo), sep="\n", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
