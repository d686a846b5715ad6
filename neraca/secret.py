"""The secret of an installation: a file outside the database, one for all of its processes, from which keys are derived."""

import os
import secrets
import stat
from pathlib import Path
from typing import Final

from neraca.settings import SETTINGS
from neraca.terminal import Usage, say
from projections.store import private

BYTES_LEAST: Final = 32


def secret_of(data: Path | None) -> bytes:
    """The secret: of the file that NERACA_SECRET_FILE names, else of the data directory, where it is made if missing.

    On a database without such a file it is one of this process alone, and tickets hold in it alone.

    Raises: ``Usage`` for a file that is missing, too short, or open to others.
    """
    name = SETTINGS["NERACA_SECRET_FILE"].from_environment
    if not name and data is None:
        say("NERACA_SECRET_FILE is not set: a citizen's ticket, and a form, of another process is not known here")
        return secrets.token_bytes(BYTES_LEAST)
    path = Path(name) if name else (data or Path()) / "secret"
    if not name:
        _make_if_missing(path)
    try:
        mode, secret = stat.S_IMODE(path.stat().st_mode), path.read_bytes().strip()
    except OSError as error:
        message = f"the secret cannot be read: {error}"
        raise Usage(message) from None
    if mode & ~private.FILE:
        message = f"{path} is open to others: chmod 600 {path}"
        raise Usage(message)
    if len(secret) < BYTES_LEAST:
        message = f"{path} holds fewer than {BYTES_LEAST} bytes: write as many random ones"
        raise Usage(message)
    return secret


def prepare_secret() -> Path | None:
    """Make the file that NERACA_SECRET_FILE names, if it is missing, for this account alone; ``None`` where none is named.

    Raises: ``Usage`` for a file that is too short, open to others, or of a directory that cannot be written.
    """
    name = SETTINGS["NERACA_SECRET_FILE"].from_environment
    if not name:
        return None
    path = Path(name)
    try:
        _make_if_missing(path)
    except OSError as error:
        message = f"NERACA_SECRET_FILE cannot be made: {error}"
        raise Usage(message) from None
    secret_of(None)
    return path


def _make_if_missing(path: Path) -> None:
    """Several processes may start at once: one of them makes the file, whole."""
    if path.exists():
        return
    private.make_directory(path.parent)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")  # a number of its own: that of a process comes again
    private.make_file(draft)
    draft.write_text(secrets.token_urlsafe(BYTES_LEAST) + "\n", encoding="ascii")
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
