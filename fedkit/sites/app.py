"""What a site answers over HTTP: PySyft's own routes, as far as the exposure table lets them, and fedkit's call.

Imported in a site's process only, after `pysyft.load()`.
"""

from __future__ import annotations

import json
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from syft.server.routes import make_routes

from fedkit.sites.gate import Gate
from fedkit.sites.syft_door import SyftDoor

#: PySyft's routes that are served. Left out: register, forgot and reset password, and streams to other servers. Its own
#: `/api_call` makes objects of what anybody sends; `SyftDoor` stands in its place.
PYSYFT_ROUTES = ("/", "/metadata", "/api", "/login")

#: The largest body (bytes) by route: weights travel by fedkit's own call.
LARGEST = {"/fedkit/v1/call": 1 << 30, "/api/v2/api_call": 4 << 20}
LARGEST_OTHER = 1 << 16


def make_app(gate: Gate) -> FastAPI:
    """The ASGI application of one site."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    router = make_routes(worker=gate.parts.domain.server)
    router.routes = [route for route in router.routes if route.path in PYSYFT_ROUTES]
    app.include_router(router, prefix="/api/v2")
    door = SyftDoor(gate)

    @app.middleware("http")
    async def limits(request: Request, call_next: Any) -> Response:
        length = request.headers.get("content-length")
        if request.method not in ("GET", "HEAD"):
            if length is None or not length.isdecimal():
                return Response(status_code=411)
            if int(length) > LARGEST.get(request.url.path, LARGEST_OTHER):
                return Response(status_code=413)
        if request.url.path == "/api/v2/api" and not gate.may_see_api(request.query_params.get("verify_key", "")):
            return Response(status_code=403)  # PySyft lists a user's code to whoever knows the public half of the key
        response: Response = await call_next(request)
        return response

    @app.post("/api/v2/api_call")
    async def api_call(request: Request) -> Response:
        reply = await run_in_threadpool(door.answer, await request.body())
        return Response(reply, media_type="application/octet-stream")

    @app.get("/fedkit/v1/site")
    def site() -> dict[str, Any]:
        return {"site": gate.parts.config.name}

    @app.post("/fedkit/v1/login")
    async def login(request: Request) -> JSONResponse:
        try:
            row = json.loads(await request.body())
        except ValueError:
            row = None
        envelope = row if isinstance(row, dict) else {}
        return JSONResponse(await run_in_threadpool(gate.login, envelope, request.client.host if request.client else "?"))

    @app.post("/fedkit/v1/call")
    async def call(request: Request) -> Response:
        """Body and reply are a line of JSON (the envelope; the answer) and after it, if there are any, raw bytes."""
        head, _, data = (await request.body()).partition(b"\n")
        try:
            envelope = json.loads(head)
        except ValueError:
            envelope = {}
        reply, blob = await run_in_threadpool(gate.answer, envelope if isinstance(envelope, dict) else {}, data)
        return Response(json.dumps(reply).encode() + b"\n" + blob, media_type="application/octet-stream")

    return app
