"""Another site on this machine, served for a real browser: each of its addresses has one page, or a script that tells of itself."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def another_site(body: str) -> Iterator[int]:
    """Serve a site whose every address has this page; the port."""

    class Handler(BaseHTTPRequestHandler):
        """Answers every request."""

        def do_GET(self) -> None:
            """Answer with the page, or with the script."""
            is_script = self.path.endswith(".js")
            content = b"window.hostile = true;" if is_script else body.encode()
            self.send_response(200)
            self.send_header("content-type", "text/javascript" if is_script else "text/html")
            self.send_header("cross-origin-resource-policy", "cross-origin")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:  # noqa: ANN401 - as the base class has it
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
