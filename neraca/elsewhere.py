"""The forms of a process that does not write the journal: they go to the intake that `--intake-url` names."""

import argparse
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from neraca.secret import secret_of
from neraca.settings import SETTINGS
from neraca.terminal import Usage, say
from neraca.wiring import now_us
from projections.security import ADDRESS

if TYPE_CHECKING:
    from streams.intake.elsewhere import IntakeElsewhere

CLOSED: Final = "NERACA_INTAKE_URL is not set: citizens' ratings are not taken here, and no page offers them"


def add_intake_url(command: argparse.ArgumentParser) -> None:
    """The intake that takes the forms."""
    command.add_argument(
        "--intake-url",
        default=SETTINGS["NERACA_INTAKE_URL"].from_environment or None,
        metavar="URL",
        help="the intake that takes the forms of pages, such as http://127.0.0.1:8001; without it no ratings are taken here",
    )


def elsewhere_of(options: argparse.Namespace) -> "IntakeElsewhere | None":
    """The intake of forms in another process; ``None`` where none is named. Raises: ``Usage``."""
    from streams.intake.elsewhere import IntakeElsewhere  # noqa: PLC0415 - only a command that serves loads it

    if options.intake_url is None:
        say(CLOSED)
        return None
    url = _checked(options.intake_url)
    if not SETTINGS["NERACA_SECRET_FILE"].from_environment:
        message = (
            "NERACA_INTAKE_URL needs NERACA_SECRET_FILE, the one of the intake: by it the intake knows what it is sent"
        )
        raise Usage(message)
    return IntakeElsewhere(url, secret_of(None), now_us, ADDRESS.get)


def _checked(url: str) -> str:
    parts = urlsplit(url)
    try:
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    if "@" in url:
        message = "NERACA_INTAKE_URL: an address without a name and a password is needed, which each error would tell"
        raise Usage(message)
    if not is_address or parts.query or parts.fragment:
        message = f"NERACA_INTAKE_URL: {url!r} is no address such as http://127.0.0.1:8001"
        raise Usage(message)
    return url
