"""What fedkit needs of a machine, looked at one by one: data for `fedkit doctor`, the first notebook cell and bug reports.

    for check in examine():
        print(check.status, check.name, check.found)

Nothing here imports PySyft, torch or a chain, so that a broken installation can still be examined. Nothing is changed, and no
check looks outside this machine.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

GB = 1_000_000_000
ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    status: "ok"; "warn": fedkit works, with less; "fail": something will not work.
    found:  what is there.   help: how to mend it, empty when ok.
    """

    name: str
    status: str
    found: str
    help: str = ""

    def to_json(self) -> dict[str, str]:
        return asdict(self)


def examine(home: Path | None = None) -> list[Check]:
    """All checks, in the order in which to mend what fails.

    home: folder of the federation that is going to be used; default: the one that `fedkit.launch` takes.
    """
    place = home or data_folder()
    checks: tuple[Callable[[], Check], ...] = (
        python,
        packages,
        pysyft,
        memory,
        lambda: disk(place),
        lambda: storage(place),
        cores,
        encoding,
        loopback,
        confinement,
        kernel,
        contracts,
        samples,
        node,
        browser,
    )
    return [check() for check in checks]


def healthy(checks: list[Check]) -> bool:
    """True if nothing failed; warnings are allowed."""
    return all(check.status != "fail" for check in checks)


def data_folder() -> Path:
    """Where the sites keep their storage unless told otherwise."""
    from fedkit.sites.launch import default_folder

    return default_folder("workshop")


def python() -> Check:
    found = f"{platform.python_version()} ({sys.executable})"
    if sys.version_info[:2] == (3, 11):
        return Check("Python 3.11", "ok", found)
    return Check("Python 3.11", "fail", found, "make the environment with Python 3.11: make setup PYTHON=/path/to/python3.11")


def packages(lock: Path = ROOT / "requirements.lock") -> Check:
    """Every version of the lock is installed as locked."""
    name = "locked versions"
    if not lock.exists():
        return Check(name, "warn", "no requirements.lock beside this installation", "work in a clone of the repository")
    pins = [line.split("==") for line in lock.read_text("utf-8").splitlines() if "==" in line and not line.startswith("#")]
    wrong = []
    for package, pinned in pins:
        try:
            installed = version(package).partition("+")[0]  # 2.13.0+cpu and 2.13.0 are one release
        except PackageNotFoundError:
            installed = "absent"
        if installed != pinned:
            wrong.append(f"{package} {installed}, not {pinned}")
    if not wrong:
        return Check(name, "ok", f"{len(pins)} packages as in requirements.lock")
    more = f" and {len(wrong) - 4} more" if len(wrong) > 4 else ""
    return Check(name, "fail", "; ".join(wrong[:4]) + more, "make setup, or: pip install -r requirements.lock")


def pysyft() -> Check:
    """PySyft is the last with a domain server, and the package it forgets to ask for is there."""
    try:
        found = version("syft")
        version("sniffio")
    except PackageNotFoundError as error:
        return Check("PySyft 0.9", "fail", f"{error.name} is not installed", "make setup")
    if found.startswith("0.9."):
        return Check("PySyft 0.9", "ok", f"syft {found}")
    return Check("PySyft 0.9", "fail", f"syft {found}, which has no domain server", "make setup")


def memory() -> Check:
    import psutil

    total, free = psutil.virtual_memory().total, psutil.virtual_memory().available
    limit = Path("/sys/fs/cgroup/memory.max")  # a container may have less than its machine
    if limit.exists() and (text := limit.read_text().strip()).isdigit():
        total = min(total, int(text))
        free = min(free, total)
    found = f"{total / GB:.1f} GB, {free / GB:.1f} GB of it free"
    if min(total, free) >= 4 * GB:
        return Check("memory ≥ 4 GB", "ok", found)
    help = "close other programs, or use a machine with 4 GB or more free: five sites and a training run take up to 3 GB"
    return Check("memory ≥ 4 GB", "warn" if total >= 3 * GB else "fail", found, help)


def disk(place: Path) -> Check:
    there = _existing(place)
    free = shutil.disk_usage(there).free
    found = f"{free / GB:.1f} GB free at {there}"
    if free >= 5 * GB:
        return Check("disk ≥ 5 GB", "ok", found)
    return Check(
        "disk ≥ 5 GB", "warn" if free >= GB else "fail", found, "free some space, or choose another folder with --home"
    )


def storage(place: Path) -> Check:
    """A file can be written where the sites keep their storage. Leaves nothing behind."""
    there = _existing(place)
    try:
        with tempfile.TemporaryFile(dir=there) as file:
            file.write(b"fedkit")
    except OSError as error:
        return Check(
            "data folder",
            "fail",
            f"{there}: {error.strerror}",
            "choose a folder that you may write with --home or XDG_DATA_HOME",
        )
    return Check("data folder", "ok", f"{place} can be written" if there == place else f"{place} can be made")


def cores() -> Check:
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if count >= 2:
        return Check("cores ≥ 2", "ok", str(count))
    return Check("cores ≥ 2", "warn", str(count), "everything works and takes about twice as long")


def encoding() -> Check:
    """The notes are Nordic and Estonian: a terminal that cannot say å, õ or ß would stop a run with an error."""
    found = (sys.stdout.encoding or "none").lower()
    if found.replace("-", "") == "utf8":
        return Check("UTF-8", "ok", found)
    return Check("UTF-8", "warn", found, "export PYTHONUTF8=1 LANG=C.UTF-8")


def loopback() -> Check:
    """One process per site talks over 127.0.0.1: a port can be opened and reached."""
    try:
        with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname(), timeout=5):
            return Check("loopback", "ok", "127.0.0.1 can be reached")
    except OSError as error:
        return Check(
            "loopback", "warn", error.strerror or str(error), 'sites in this process work; isolation="process" does not'
        )


def confinement() -> Check:
    """What holds approved code at a site on this system, strongest first."""
    from fedkit.sites.confinement import available

    held = available()
    lacking = {
        "landlock": "no walls around files: Linux 5.13 or later, started with Landlock among its security modules, has them",
        "seccomp": "no walls around system calls: Linux on x86_64 or aarch64 has them",
        "rlimits": "no limits on memory and time: any Linux or macOS has them",
    }
    help = "; ".join(why for layer, why in lacking.items() if layer not in held)
    return Check("confinement", "warn" if help else "ok", ", ".join(held), help and f"{help}; keep to notes that are not real")


def kernel() -> Check:
    """Jupyter finds a Python kernel here, older than 7: that one runs widget callbacks beside a running cell."""
    try:
        found = version("ipykernel")
    except PackageNotFoundError:
        return Check("Jupyter kernel", "fail", "ipykernel is not installed", "make setup")
    if int(found.partition(".")[0]) >= 7:
        return Check("Jupyter kernel", "fail", f"ipykernel {found}", "pip install 'ipykernel<7'")
    spec = Path(sys.prefix, "share", "jupyter", "kernels", "python3", "kernel.json")
    try:
        runs = json.loads(spec.read_text("utf-8"))["argv"][0]
    except (OSError, ValueError, LookupError):
        return Check("Jupyter kernel", "fail", f"no usable {spec}", "python -m ipykernel install --sys-prefix")
    if Path(runs).is_absolute() and not Path(runs).exists():
        return Check(
            "Jupyter kernel", "fail", f"{spec} starts {runs}, which is gone", "python -m ipykernel install --sys-prefix"
        )
    return Check("Jupyter kernel", "ok", f"ipykernel {found}")


def contracts() -> Check:
    """The compiled smart contracts are there (no compiler is needed to use them)."""
    for folder in (ROOT / "contracts" / "build", Path(__file__).parent / "_contracts"):
        found = sorted(p.stem for p in folder.glob("*.json"))
        if found:
            return Check("smart contracts", "ok", ", ".join(found))
    return Check("smart contracts", "fail", "no compiled contracts", "git checkout contracts/build, or: make contracts")


def samples() -> Check:
    for folder in (ROOT / "data_samples", Path(__file__).parent / "_data_samples"):
        found = sorted(p.parent.name for p in folder.glob("*/train.jsonl"))
        if found:
            return Check("sample notes", "ok", ", ".join(found))
    return Check("sample notes", "fail", "no data_samples", "git checkout data_samples")


def node() -> Check:
    return _program("Node.js", ("node",), "only needed to compile the contracts anew and to test against a real node")


def browser() -> Check:
    return _program("Chromium", ("chromium", "chromium-browser", "google-chrome"), "only needed for the browser tests")


def _program(name: str, commands: tuple[str, ...], why: str) -> Check:
    path = next(filter(None, map(shutil.which, commands)), None)
    if path is None:
        return Check(name, "warn", "not found", why)
    try:
        answer = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return Check(name, "warn", f"{path} does not answer", why)
    return Check(name, "ok", (answer.stdout.strip().splitlines() or [path])[0].strip())


def _existing(path: Path) -> Path:
    """The path, or the nearest folder above it that is there."""
    return next(p for p in (path, *path.absolute().parents) if p.exists())
