"""A site in its own process, on 127.0.0.1.

Started by `fedkit.sites.processes` as `python -m fedkit.sites.serve --sites 3,4,5 --reply 9`: it loads PySyft once and forks a
process per site. Each of them reads its own configuration, with its passwords, from its own pipe after the fork, so no site
holds another's; nothing secret is on the command line or in the environment. When the process that started it ends, the pipe
on standard input closes and all sites stop.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import json
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from fedkit.errors import FedkitError, SiteError
from fedkit.sites import pysyft
from fedkit.sites.confinement import die_with_parent
from fedkit.sites.parts import SiteConfig

#: Connections at once; whoever comes after them is told to come again (503).
CONNECTIONS = 512


def serve_site(config: SiteConfig, reply: int) -> None:
    """Open the site, say on `reply` where it listens, and serve until SIGTERM."""
    import uvicorn

    from fedkit.sites.app import make_app
    from fedkit.sites.gate import Gate
    from fedkit.sites.parts import open_parts
    from fedkit.sites.patience import impatient

    gate = Gate(open_parts(config))
    gate.parts.domain.server.serves_others = True
    for which in (signal.SIGTERM, signal.SIGINT):
        signal.signal(which, lambda *_: None)  # uvicorn raises what it caught again when it is done; we have still to close
    try:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            gate.parts.info = replace(gate.parts.info, url=f"http://127.0.0.1:{listening.getsockname()[1]}")
            settings = uvicorn.Config(
                make_app(gate),
                http=impatient(lambda: gate.access.refuse(None, "no-call")),
                log_config=None,
                access_log=False,
                server_header=False,
                ws="none",
                limit_concurrency=CONNECTIONS,
                timeout_graceful_shutdown=2,
            )
            ready = {"site": config.name, "info": asdict(gate.parts.info), "commitment": gate.parts.notes.commitment()}
            _say(reply, ready)
            uvicorn.Server(settings).run(sockets=[listening])
    finally:
        gate.close()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m fedkit.sites.serve", description="Serve sites; started by fedkit.launch.")
    parser.add_argument("--sites", required=True, help="inherited handles of pipes, one configuration in each")
    parser.add_argument("--reply", type=int, required=True, help="inherited handle to say on where each site listens")
    options = parser.parse_args(arguments)
    handles = [int(number) for number in options.sites.split(",")]
    logging.lastResort = None  # no log line of a library, which could quote a call, leaves this process
    pysyft.load()
    for module in ("fedkit.sites.app", "fedkit.sites.gate", "fedkit.sites.domain", "uvicorn"):
        __import__(module)
    gc.freeze()  # so that a collection in a site does not copy what all of them share
    me = os.getpid()
    children: dict[int, int] = {}
    for handle in handles:
        child = os.fork()
        if child == 0:
            _be_site(handle, [h for h in handles if h != handle], options.reply, me)
        children[child] = handle
    for handle in (*handles, options.reply):
        os.close(handle)
    _wait_for_the_end(set(children))


def _be_site(handle: int, others: Sequence[int], reply: int, parent: int) -> None:
    """The life of a site's process; does not return."""
    name = "?"
    try:
        die_with_parent(parent)
        for other in (0, *others):
            os.close(other)
        os.open(os.devnull, os.O_RDONLY)
        with os.fdopen(handle, "rb") as pipe:
            config = SiteConfig.from_json(json.loads(pipe.read()))
        name = config.name
        serve_site(config, reply)
        os._exit(0)
    except FedkitError as error:
        _say(reply, {"site": name, "error": error.to_json()})
    except BaseException as error:
        wrong = SiteError(f"the site {name} did not start", got=type(error).__name__)
        with contextlib.suppress(OSError):
            _say(reply, {"site": name, "error": wrong.to_json()})
    os._exit(1)


def _wait_for_the_end(children: set[int]) -> None:
    """Wait until the starter is gone or has closed our standard input, then stop the sites."""
    while sys.stdin.buffer.read(1):
        pass
    for child in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGTERM)
    until = time.monotonic() + 8
    while children and time.monotonic() < until:
        for child in list(children):
            with contextlib.suppress(ChildProcessError):
                if os.waitpid(child, os.WNOHANG)[0] == 0:
                    continue
            children.discard(child)
        time.sleep(0.02)
    for child in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)


def _say(handle: int, row: dict[str, Any]) -> None:
    os.write(handle, json.dumps(row).encode() + b"\n")  # shorter than PIPE_BUF, so lines of several sites do not mix


if __name__ == "__main__":
    main()
