"""The web application: the files of the page, the WebSocket, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nnkit.playground.server.guard import HEADERS, Guard
from nnkit.playground.server.limits import Limits
from nnkit.playground.server.live import live
from nnkit.playground.server.pages import File
from nnkit.playground.server.sessions import Sessions

STRANGER = "403: this address is not that of the playground; open the one that `nnkit play` printed\n"


def application(guard: Guard, files: Mapping[str, File], sessions: Sessions, limits: Limits, sockets: set[Any]) -> Any:
    """An aiohttp application. ``sockets`` holds the connections that are open."""
    from aiohttp import web

    async def answer_live(request: Any) -> Any:
        if not guard.same_origin(request.headers.get("Host", ""), request.headers.get("Origin")):
            return web.Response(status=403, text=STRANGER)
        return await live(request, sessions, limits, sockets)

    async def answer_file(request: Any) -> Any:
        file = files[request.path]
        headers = {"ETag": file.etag, "Cache-Control": "no-cache", "Content-Type": file.kind}
        if file.etag in request.headers.get("If-None-Match", ""):
            return web.Response(status=304, headers=headers)
        return web.Response(body=file.body, headers=headers)

    async def guarded(request: Any, handler: Any) -> Any:
        if not guard.knows(request.headers.get("Host", "")):
            return web.Response(status=403, text=STRANGER)
        return await handler(request)

    app = web.Application(middlewares=[web.middleware(guarded)])
    app.on_response_prepare.append(_add_headers)
    app.router.add_get("/live", answer_live)
    for path in files:
        app.router.add_get(path, answer_file)
    return app


async def _add_headers(request: Any, response: Any) -> None:
    response.headers.update(HEADERS)
