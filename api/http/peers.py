"""Peers: the account of this machine that holds the other end of a connection, where the system tells it.

Linux tells it in `/proc/net/tcp`. A connection is looked up once, and while it stands its ports are nobody else's.
"""

from __future__ import annotations

import os
import socket
import sys
from functools import cached_property
from ipaddress import IPv4Address, ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    import asyncio

    from starlette.requests import Request

Address = tuple[str, int]
_TABLES: Final = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_UID, _INODE = 7, 9
_IN_STATE: Final = "neraca.peer"


class Peer:
    """The other end of a connection; ``client`` and ``server`` are the addresses of its two ends."""

    def __init__(self, client: Address, server: Address) -> None:
        self._client, self._server = client, server

    @cached_property
    def is_own_account(self) -> bool:
        """True if the other end belongs to the account of this process, or if this system does not tell.

        On a system that tells, an end that is in no table belongs to nobody: it was closed, or lies elsewhere.
        """
        tables = [table for table in _TABLES if table.exists()]
        return not tables or any(self._account_in(table) == os.geteuid() for table in tables)

    def _account_in(self, table: Path) -> int | None:
        """The account in one table. An end that its process has let go is told as the superuser's, without an inode."""
        ends = [_written(end, table.name.endswith("6")) for end in (self._client, self._server)]
        if None in ends:
            return None
        lines = table.read_text(encoding="ascii").splitlines()
        rows = [line.split() for line in lines if f" {ends[0]} {ends[1]} " in line]
        return next((int(row[_UID]) for row in rows if int(row[_INODE])), None)


def _written(end: Address, as_six: bool) -> str | None:  # noqa: FBT001 - one of two forms
    """An end as a table of Linux writes it, words of 32 bits in the machine's order; ``None`` where it cannot be in it."""
    address = ip_address(end[0].partition("%")[0])
    if isinstance(address, IPv4Address):
        octets = socket.inet_pton(socket.AF_INET6, f"::ffff:{address}") if as_six else address.packed
    else:
        octets = address.packed
    if len(octets) != (16 if as_six else 4):
        return None
    words = (int.from_bytes(octets[start : start + 4], sys.byteorder) for start in range(0, len(octets), 4))
    return f"{''.join(f'{word:08X}' for word in words)}:{end[1]:04X}"


class PeerProtocol(HttpToolsProtocol):
    """The server's own protocol; each request of a connection knows the other end of it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as its base has it
        """Note both ends."""
        super().connection_made(transport)
        host, port = self.server or ("", None)
        if self.client is not None and port is not None:
            self.app_state = {**self.app_state, _IN_STATE: Peer(self.client, (host, port))}


def is_own_account(request: Request) -> bool:
    """True if the account of this process called, as far as that is known; a request that crossed no connection is its own."""
    peer = _peer_of(request)
    return peer is None or peer.is_own_account


def is_looked_up(request: Request) -> bool:
    """True if that is known of the connection by now: the look-up reads the system's tables, which takes milliseconds."""
    peer = _peer_of(request)
    return peer is None or "is_own_account" in vars(peer)


def _peer_of(request: Request) -> Peer | None:
    state: dict[str, Any] = request.scope.get("state") or {}
    peer: Peer | None = state.get(_IN_STATE)
    return peer
