"""The emitter's client over HTTP: it sends NDJSON to an intake, and opens its connection again whenever that breaks."""

from __future__ import annotations

import http.client
import urllib.parse
from typing import Final

import msgspec

from streams.emitting.client import Answer, NotNow, NotTaken

TIMEOUT_S: Final = 60.0
_TRANSIENT: Final = frozenset({429, 500, 502, 503, 504})
"""Statuses after which the same request may be sent again."""


class IntakeClient:
    """One connection to an intake."""

    def __init__(self, url: str, token: str | None) -> None:
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            message = f"--url: {url!r} is no http address"
            raise ValueError(message)
        self._secure = parts.scheme == "https"
        self._netloc = parts.netloc
        self._path = parts.path.rstrip("/") + "/v1/events"
        self._headers = {"content-type": "application/x-ndjson"}
        if token:
            self._headers["authorization"] = f"Bearer {token}"
        self._connection: http.client.HTTPConnection | None = None

    def send(self, lines: list[bytes]) -> Answer:
        """Send events, one a line. Raises: ``NotNow``, ``NotTaken``."""
        try:
            connection = self._connection = self._connection or self._open()
            connection.request("POST", self._path, b"\n".join(lines), self._headers)
            response = connection.getresponse()
            status, body = response.status, response.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise NotNow(str(error) or type(error).__name__) from error
        if status == http.client.OK:
            return msgspec.json.decode(body, type=Answer)
        detail = f"{status} {body[:300].decode(errors='replace')}"
        raise (NotNow if status in _TRANSIENT else NotTaken)(detail)

    def _open(self) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        return kind(self._netloc, timeout=TIMEOUT_S)

    def close(self) -> None:
        """Drop the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
