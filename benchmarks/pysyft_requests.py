"""Stock PySyft 0.9.5, no fedkit: a fresh request, its approval and its first execution, over and over.

    python benchmarks/pysyft_requests.py --times 20 [--isolation process]

One domain with the 600 training notes of the Norwegian sample as a twin asset, a researcher and the domain's owner, both logged
in. Each time the researcher hands in a function that nobody has seen (`syft_function_single_use`), the owner approves it by the
shortest call that there is, and the researcher calls it once and has the result. In a server of its own over HTTP on loopback,
or with --isolation in-process in this process. The notes are a DataFrame, the form in which PySyft is fastest: as a list of
dicts the same takes sixteen times as long, as one JSON text four times.
Prints one JSON object: seconds of each time, and of its execution alone.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("TQDM_DISABLE", "1")
os.environ.setdefault("SYFT_LOG_LEVEL", "ERROR")

import pandas as pd
import syft as sy
import uvicorn
from fastapi import FastAPI
from nacl.signing import SigningKey
from syft.server.routes import make_routes
from syft.store.blob_storage.on_disk import OnDiskBlobStorageClientConfig, OnDiskBlobStorageConfig
from syft.store.db.sqlite import SQLiteDBConfig

OWNER, RESEARCHER, PASSWORD = "owner@example.org", "researcher@example.org", "correct-horse-9A"

#: The function; fedkit_requests.py counts the same in the same notes.
SOURCE = """
def count_{number}(notes):
    return {{"notes": len(notes), "spans": int(notes["spans"].sum())}}
"""


def domain(folder: Path) -> Any:
    blobs = OnDiskBlobStorageClientConfig(base_directory=folder / "blob")
    return sy.Datasite(
        name="bench",
        id=sy.UID(),
        signing_key=SigningKey.generate(),
        root_email=OWNER,
        root_password=PASSWORD,
        db_config=SQLiteDBConfig(path=folder, filename="site.db"),
        blob_storage_config=OnDiskBlobStorageConfig(client_config=blobs),
        deployment_type="python",
    )


def serve(folder: Path) -> None:
    app = FastAPI()
    app.include_router(make_routes(worker=domain(folder)), prefix="/api/v2")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    print(port, flush=True)
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="error")


def table(file: Path) -> pd.DataFrame:
    rows = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    return pd.DataFrame([{"id": row["id"], "text": row["text"], "spans": len(row["spans"])} for row in rows])


def measure(guest: Any, corpus: Path, times: int, folder: Path) -> dict[str, list[float]]:
    owner = guest.login(email=OWNER, password=PASSWORD)
    owner.register(name="researcher", email=RESEARCHER, password=PASSWORD, password_verify=PASSWORD)
    next(user for user in owner.users if user.email == RESEARCHER).update(role="data_scientist")
    private, mock = table(corpus / "train.jsonl"), table(corpus / "mock.jsonl")
    data = sy.Dataset(name="notes", asset_list=[sy.Asset(name="notes", data=private, mock=mock)])
    owner.upload_dataset(data)
    researcher = guest.login(email=RESEARCHER, password=PASSWORD)
    asset = researcher.datasets["notes"].assets[0]
    sys.path.insert(0, str(folder))
    whole: list[float] = []
    executions: list[float] = []
    for number in range(times + 1):
        (folder / f"asked_{number}.py").write_text(SOURCE.format(number=number), "utf-8")
        plain = getattr(importlib.import_module(f"asked_{number}"), f"count_{number}")
        began = time.perf_counter()
        asked = sy.syft_function_single_use(notes=asset)(plain)
        request = researcher.code.request_code_execution(asked)
        owner.api.services.request.apply(uid=request.id)
        approved = time.perf_counter()
        result = getattr(researcher.code, f"count_{number}")(notes=asset)
        result = result.get() if hasattr(result, "get") and not isinstance(result, dict) else result
        assert result == {"notes": len(private), "spans": int(private["spans"].sum())}, "another result"
        whole.append(time.perf_counter() - began)
        executions.append(time.perf_counter() - approved)
    return {"seconds": whole[1:], "executions": executions[1:]}  # the first one also loads what is loaded late


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--isolation", choices=("in-process", "process"), default="process")
    parser.add_argument("--corpus", type=Path, default=Path(__file__).resolve().parent.parent / "data_samples" / "no")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve)
        return 0
    with tempfile.TemporaryDirectory(prefix="pysyft-bench-") as name:
        folder = Path(name)
        if options.isolation == "in-process":
            found = measure(domain(folder).get_guest_client(verbose=False), options.corpus, options.times, folder)
        else:
            command = [sys.executable, __file__, "--serve", name]
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
                assert server.stdout is not None
                try:
                    port = int(next(line for line in server.stdout if line.strip().isdigit()))
                    found = measure(connected(port), options.corpus, options.times, folder)
                finally:
                    server.kill()
    print(json.dumps(found))
    return 0


def connected(port: int) -> Any:
    for _ in range(600):
        try:
            return sy.connect(url=f"http://127.0.0.1:{port}")
        except Exception:
            time.sleep(0.1)
    raise RuntimeError("the PySyft server did not start")


if __name__ == "__main__":
    sys.exit(main())
