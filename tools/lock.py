"""Writes requirements.lock and environment.yml from pyproject.toml, the one source of what fedkit needs.

    python tools/lock.py             resolve again, keeping every version that still fits
    python tools/lock.py --upgrade   resolve again, taking the newest versions
    python tools/lock.py --check     say where the three files or this environment disagree (exit status 1), offline

The lock pins everything that pyproject.toml leads to: dependencies, the test extra, and what builds fedkit itself.
Local version labels (2.13.0+cpu) are cut off, so that the lock says the same on every machine.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
HEADER = "# Every version fedkit runs on. Made by `make lock` from pyproject.toml: change that, not this.\n"
ENVIRONMENT = """\
# conda env create -f environment.yml
# Made by `make lock` from pyproject.toml: change that, not this. The versions stand in requirements.lock.
# On Linux, pip takes a torch with CUDA (several GB). For the small CPU build, set this first:
#   export PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu
name: {name}
channels:
  - conda-forge
dependencies:
  - python={python}
  - pip
  - pip:
      - -r requirements.lock
      - -e .
"""


def wanted(root: Path = ROOT) -> list[Requirement]:
    """What pyproject.toml asks for by name: dependencies, the test extra, the build system (editables for `pip install -e`)."""
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    rows = [
        *project["project"]["dependencies"],
        *project["project"]["optional-dependencies"]["test"],
        *project["build-system"]["requires"],
        "editables",
    ]
    return [Requirement(row) for row in rows]


def read_lock(path: Path) -> dict[str, str]:
    """Normalised name → version. Raises ValueError for a line that pins nothing."""
    pins: dict[str, str] = {}
    for line in path.read_text("utf-8").splitlines():
        row = line.partition("#")[0].strip()
        if not row:
            continue
        name, exact, version = row.partition("==")
        if not exact or not version:
            raise ValueError(f"{path.name}: expected name==version, got {row!r}")
        pins[canonicalize_name(name)] = version
    return pins


def resolve(requirements: list[Requirement], keep: Path | None) -> dict[str, str]:
    """pip's own resolution, nothing installed. keep: a lock whose versions stay where they fit."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        command = [sys.executable, "-m", "pip", "install", "-qq", "--dry-run", "--ignore-installed", "--report", str(report)]
        if keep is not None:
            command += ["--constraint", str(keep)]
        subprocess.run([*command, *map(str, requirements)], check=True)
        rows = json.loads(report.read_text("utf-8"))["install"]
    return {canonicalize_name(r["metadata"]["name"]): r["metadata"]["version"].partition("+")[0] for r in rows}


def lock_text(pins: dict[str, str]) -> str:
    return HEADER + "".join(f"{name}=={pins[name]}\n" for name in sorted(pins))


def environment_text(root: Path = ROOT) -> str:
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    return ENVIRONMENT.format(name=project["name"], python=project["requires-python"].removeprefix(">=").partition(",")[0])


def reachable(requirements: list[Requirement]) -> tuple[set[str], list[str]]:
    """Every installed package that the requirements lead to, and what they ask for that is missing or does not fit."""
    seen: set[tuple[str, str]] = set()
    problems: list[str] = []
    todo = [(r, "pyproject.toml") for r in requirements]
    while todo:
        requirement, asker = todo.pop()
        name = canonicalize_name(requirement.name)
        try:
            found = distribution(name)
        except PackageNotFoundError:
            problems.append(f"{asker} asks for {requirement}, which is not installed")
            continue
        if not requirement.specifier.contains(found.version, prereleases=True):
            problems.append(f"{asker} asks for {requirement}, installed is {found.version}")
        for extra in {"", *requirement.extras}:
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            for child in map(Requirement, found.requires or []):
                if child.marker is None or child.marker.evaluate({"extra": extra}):
                    todo.append((child, name))
    return {name for name, _ in seen}, problems


def check(root: Path = ROOT) -> list[str]:
    """Disagreements between pyproject.toml, requirements.lock, environment.yml and what is installed here; empty if none."""
    pins = read_lock(root / "requirements.lock")
    needed, problems = reachable(wanted(root))
    problems += [f"{name} is needed and not in requirements.lock" for name in sorted(needed - pins.keys())]
    problems += [f"{name} is in requirements.lock and nothing needs it" for name in sorted(pins.keys() - needed)]
    for name in sorted(needed & pins.keys()):
        version = distribution(name).version.partition("+")[0]
        if version != pins[name]:
            problems.append(f"{name} {version} is installed, requirements.lock says {pins[name]}")
    if (root / "environment.yml").read_text("utf-8") != environment_text(root):
        problems.append("environment.yml is not what tools/lock.py writes")
    return problems


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions instead of keeping what fits")
    parser.add_argument("--check", action="store_true", help="compare only, write nothing")
    options = parser.parse_args()
    lock = ROOT / "requirements.lock"
    if options.check:
        problems = check()
        print("\n".join(problems) or "pyproject.toml, requirements.lock, environment.yml and this environment agree")
        return 1 if problems else 0
    pins = resolve(wanted(), lock if lock.exists() and not options.upgrade else None)
    lock.write_text(lock_text(pins), "utf-8")
    (ROOT / "environment.yml").write_text(environment_text(), "utf-8")
    print(f"requirements.lock: {len(pins)} versions; `make setup` installs them")
    return 0


if __name__ == "__main__":
    sys.exit(main())
