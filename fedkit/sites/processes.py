"""The sites of a federation, each in a process of its own on 127.0.0.1: starting, waiting until they answer, stopping."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import time
from typing import Any

from fedkit.errors import FedkitError, SiteError
from fedkit.sites.base import SiteInfo
from fedkit.sites.http import OverHttp
from fedkit.sites.parts import SiteConfig

START_SECONDS = 180.0

#: What of the environment a site's process gets; tokens and passwords of the starter's are not in it.
_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "TZ", "VIRTUAL_ENV", "LD_LIBRARY_PATH")
_PREFIXES = ("PYTHON", "OMP_", "MKL_", "OPENBLAS_")


class SiteProcess:
    """One running site of a `SiteProcesses`."""

    def __init__(self, row: dict[str, Any], all_of_them: SiteProcesses) -> None:
        self.info = SiteInfo(**{**row["info"], "confinement": tuple(row["info"]["confinement"])})
        self.commitment = str(row["commitment"])
        self._all = all_of_them

    def transport(self) -> OverHttp:
        return OverHttp(str(self.info.url))

    def close(self) -> None:
        self._all.close()


class SiteProcesses:
    """Processes of several sites. They end when this process does, however it ends.

    Raises SiteError, or the error that a site said, if one does not start; then none runs.
    """

    def __init__(self, configs: list[SiteConfig]) -> None:
        pipes = [os.pipe() for _ in configs]
        listen, reply = os.pipe()
        given = [read for read, _ in pipes]
        command = [sys.executable, "-m", "fedkit.sites.serve", "--sites", ",".join(map(str, given)), "--reply", str(reply)]
        environment = {k: v for k, v in os.environ.items() if k in _ENVIRONMENT or k.startswith(_PREFIXES)}
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
            pass_fds=(*given, reply),
            start_new_session=True,  # an interrupt in a notebook or terminal is not for the sites
        )
        for handle in (*given, reply):
            os.close(handle)
        try:
            for (_, write), config in zip(pipes, configs, strict=True):
                with os.fdopen(write, "wb") as pipe, contextlib.suppress(BrokenPipeError):
                    pipe.write(json.dumps(config.to_json()).encode())
            self.sites = self._wait(listen, {config.name for config in configs})
        except BaseException:
            self.close()
            raise
        finally:
            os.close(listen)

    def _wait(self, listen: int, missing: set[str]) -> dict[str, SiteProcess]:
        found: dict[str, SiteProcess] = {}
        until, rest = time.monotonic() + START_SECONDS, b""
        while missing:
            ready, _, _ = select.select([listen], [], [], max(0.0, until - time.monotonic()))
            data = os.read(listen, 65536) if ready else b""
            if not data:
                raise SiteError(
                    "a site did not start",
                    expected=f"an answer of {sorted(missing)}",
                    got="nothing in time" if not ready else "the end of its process",
                    help="run fedkit doctor; try isolation='in-process'",
                )
            *lines, rest = (rest + data).split(b"\n")
            for row in map(json.loads, lines):
                if "error" in row:
                    raise FedkitError.from_json(row["error"]) from None
                found[row["site"]] = SiteProcess(row, self)
                missing.discard(row["site"])
        for site in found.values():
            site.transport().close()  # it answers
        return found

    def close(self) -> None:
        """Stop all sites and wait for them."""
        with contextlib.suppress(OSError):
            self._process.stdin.close()  # type: ignore[union-attr]
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
