"""A PostgreSQL of this machine, over a directory: trusted on 127.0.0.1, listening nowhere else, durable unless switched off.

Root may not run PostgreSQL: for root it runs as an unprivileged user, to whom the directory is given.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from local.local_server import HOST, LocalServer, Missing, found, free_port, run

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME: Final = "neraca"
DEBIAN: Final = Path("/usr/lib/postgresql")
"""Debian's folder of servers, outside PATH; it has a folder for each version."""
UNPRIVILEGED: Final = ("postgres", "nobody")
STATUS_LINE: Final = 7
"""Of postmaster.pid: what pg_ctl waits for."""


class Unreachable(Exception):  # noqa: N818 - a state of the machine, not a fault of the program
    """The user that PostgreSQL runs as cannot pass a folder above its directory."""

    def __init__(self, user: str, folder: Path) -> None:
        super().__init__(f"{user} cannot pass {folder}: chmod o+x it, or keep PostgreSQL elsewhere")


def programs(search: str | None = None, debian: Path = DEBIAN) -> Path:
    """The folder of PostgreSQL's programs: the one on PATH (or ``search``), or Debian's newest. Raises: ``Missing``."""
    on_path = shutil.which("initdb", path=search)
    if on_path is not None:
        return Path(on_path).resolve().parent
    versions = sorted(debian.glob("*/bin/initdb"), key=lambda initdb: float(initdb.parts[-3]))
    if not versions:
        what = "PostgreSQL's server"
        raise Missing(what, "postgresql")
    return versions[-1].parent


def unprivileged() -> pwd.struct_passwd | None:
    """Whom to run as instead of root; ``None`` is as we are."""
    if os.geteuid() == 0:
        for name in UNPRIVILEGED:
            with suppress(KeyError):
                return pwd.getpwnam(name)
    return None


class LocalPostgres(LocalServer):
    """A PostgreSQL with a database ``neraca`` of a user ``neraca``; ``settings`` are PostgreSQL's, added to its own."""

    told_to_stop: ClassVar[signal.Signals] = signal.SIGINT

    def __init__(
        self, directory: Path, port: int = 0, *, durable: bool = True, settings: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(directory, port or free_port())
        self._settings = dict(settings or {})
        self._durable = durable
        self._user = unprivileged()
        self._data = self.directory / "data"

    @property
    def url(self) -> str:
        """The database ``neraca``."""
        return self.url_of(NAME)

    def url_of(self, database: str) -> str:
        """The URL of a database, whether it is there or not."""
        return f"postgresql://{NAME}@{HOST}:{self.port}/{database}"

    def database(self, name: str) -> str:
        """Make an empty database; its URL. Raises: ``Failed``, where there is one of this name."""
        self._ask("createdb", name)
        return self.url_of(name)

    def drop(self, name: str) -> None:
        """Remove a database, even one with connections."""
        self._ask("dropdb", "--force", "--if-exists", name)

    def require(self) -> None:
        """See that the server's programs are here. Raises: ``Missing``."""
        programs()
        if self._user is not None:
            found("setpriv", "util-linux")

    def _ask(self, program: str, *words: str) -> None:
        there = [f"--host={HOST}", f"--port={self.port}", f"--username={NAME}"]
        run([str(programs() / program), *there, *words], self.directory)

    def _as_user(self, program: str, *words: str) -> list[str]:
        command = [str(programs() / program), *words]
        if self._user is None:
            return command
        setpriv, uid, gid = found("setpriv", "util-linux"), self._user.pw_uid, self._user.pw_gid
        return [setpriv, f"--reuid={uid}", f"--regid={gid}", "--clear-groups", "--", *command]

    def _prepare(self) -> None:
        """A cluster is made aside and takes its place whole."""
        if self._user is not None:
            self._give(self._user)
        if self._data.exists():
            return
        new_data = self.directory / "data.new"
        shutil.rmtree(new_data, ignore_errors=True)
        sync = [] if self._durable else ["--no-sync"]
        words = [f"--username={NAME}", "--auth=trust", "--encoding=UTF8", "--locale=C", *sync]
        run(self._as_user("initdb", f"--pgdata={new_data}", *words), self.directory)
        (new_data / "pg_hba.conf").write_text(f"host all all {HOST}/32 trust\n")
        run(
            self._as_user("postgres", "--single", "-D", str(new_data), "postgres"),
            self.directory,
            f"CREATE DATABASE {NAME}",
        )
        new_data.rename(self._data)

    def _give(self, user: pwd.struct_passwd) -> None:
        for folder in self.directory.parents:
            state = folder.stat()
            if not state.st_mode & 0o001 and state.st_uid != user.pw_uid:
                raise Unreachable(user.pw_name, folder)
        os.chown(self.directory, user.pw_uid, user.pw_gid)

    def _command(self) -> list[str]:
        settings = {"listen_addresses": HOST, "unix_socket_directories": "", **self._settings}
        if not self._durable:
            settings["fsync"] = "off"
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return self._as_user("postgres", "-D", str(self._data), "-p", str(self.port), *options)

    def _ready(self) -> bool:
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) > STATUS_LINE and lines[0] == str(self.pid) and lines[STATUS_LINE].strip() == "ready"
