"""What a site answers over HTTP: fedkit's login and calls, and of PySyft's routes what its client needs to submit and run.

Imported in a site's process only, after `pysyft.load()`. `fedkit.sites.routes` has the table, and stands before this.
"""

from __future__ import annotations

import json
from typing import Any

from anyio import CapacityLimiter, to_thread
from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from syft.serde.serialize import _serialize
from syft.server.credentials import SyftVerifyKey
from syft.service.metadata.server_metadata import ServerMetadataJSON

from fedkit.sites.gate import Gate
from fedkit.sites.routes import Door
from fedkit.sites.syft_door import SyftDoor

_BYTES = "application/octet-stream"
#: Logins at once. Each may stretch a password, and those that wait for it are to take no thread from calls.
LOGINS = 4


def make_app(gate: Gate) -> Door:
    """The ASGI application of one site."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    server, door = gate.parts.domain.server, SyftDoor(gate)
    logins = CapacityLimiter(LOGINS)

    def refused(word: str = "no-call") -> None:
        gate.access.refuse(None, word)

    @app.get("/fedkit/v1/site")
    def site() -> dict[str, Any]:
        return {"site": gate.parts.config.name}

    @app.get("/fedkit/v1/catalogue")
    def catalogue() -> dict[str, Any]:
        return gate.catalogue()

    @app.post("/fedkit/v1/login")
    async def login(request: Request) -> JSONResponse:
        envelope, address = _object(await request.body()), _address(request)
        return JSONResponse(await to_thread.run_sync(gate.login, envelope, address, limiter=logins))

    @app.post("/fedkit/v1/call")
    async def call(request: Request) -> Response:
        """Body and reply are a line of JSON (the envelope; the answer) and after it, if there are any, raw bytes."""
        head, _, data = (await request.body()).partition(b"\n")
        reply, blob = await run_in_threadpool(gate.answer, _object(head), data, _address(request))
        return Response(json.dumps(reply).encode() + b"\n" + blob, media_type=_BYTES)

    @app.get("/api/v2/metadata")
    def metadata() -> Any:
        return server.metadata.to(ServerMetadataJSON)

    @app.get("/api/v2/api")
    def api(request: Request) -> Response:
        key, protocol = request.query_params.get("verify_key", ""), request.query_params.get("communication_protocol", "")
        if not gate.may_see_api(key) or not protocol.isdecimal():
            refused("unknown-user")
            return Response(status_code=403)  # PySyft lists an account's code to whoever knows the public half of a key
        listed = server.get_api(SyftVerifyKey.from_string(key), int(protocol))
        return Response(_serialize(listed, to_bytes=True), media_type=_BYTES)

    @app.post("/api/v2/api_call")
    async def api_call(request: Request) -> Response:
        reply = await run_in_threadpool(door.answer, await request.body(), _address(request))
        return Response(reply, media_type=_BYTES)

    return Door(app, lambda line: gate.takes_blob(_object(line)), refused)


def _object(text: bytes) -> dict[str, Any]:
    """A JSON object; an empty one for everything else."""
    try:
        row = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return row if isinstance(row, dict) else {}


def _address(request: Request) -> str:
    """Where a request comes from, as far as a site can see: a proxy's address, where there is one."""
    return request.client.host if request.client else "?"
