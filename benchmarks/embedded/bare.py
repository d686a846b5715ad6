"""A bare FastAPI endpoint that returns given bytes, served as `neraca up` is served: what a read could cost at best."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Response


def main(body: bytes) -> None:
    """Serve ``body`` on a free port, and print its address."""
    app = FastAPI()

    @app.get("/{path:path}")
    async def read(path: str) -> Response:  # noqa: ARG001 - any path
        return Response(body, media_type="application/json")

    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off", backlog=2048)
    print(f"bare at http://127.0.0.1:{listener.getsockname()[1]}/", file=sys.stderr, flush=True)
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main(Path(sys.argv[1]).read_bytes())
