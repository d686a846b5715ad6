"""Points and periods of a journal, as a person writes them on the command line."""

from zoneinfo import ZoneInfo

import msgspec

from audit.ends import Until
from domain.clock import local_month, parse_instant
from domain.fold.partition import vector_of
from domain.periods import Period, parse_period
from neraca.terminal import Usage


def read_until(text: str | None, option: str) -> Until:
    """A position, a vector of positions in the form of ``/v1/digest``, or an instant of recording. Raises: ``Usage``."""
    if text is None:
        return Until()
    if text.startswith("{"):
        try:
            return Until(vector=vector_of(text))
        except msgspec.DecodeError as error:
            message = f"{option}: must be a vector as /v1/digest prints it: {error}"
            raise Usage(message) from None
    if text.isascii() and text.isdigit():
        return Until(position=int(text))
    try:
        return Until(instant_us=parse_instant(text))
    except ValueError as error:
        message = f"{option}: must be a position, or a time: {error}"
        raise Usage(message) from None


def read_period(text: str | None, zone: str, at_us: int) -> Period:
    """The period of the options, the current month by default. Raises: ``Usage``."""
    try:
        return parse_period(text or local_month(at_us, ZoneInfo(zone)))
    except ValueError as error:
        message = f"--period: {error}"
        raise Usage(message) from None
