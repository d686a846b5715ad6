"""The notes that commands leave in the security log: the person at the terminal is the operator."""

from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError

from domain.intake.personal import looks_personal
from neraca.terminal import say
from neraca.wiring import now_us
from projections.ports import LOCAL, Unavailable
from projections.security import Note

if TYPE_CHECKING:
    from streams.places.location import Location


def note(location: "Location", what: str, whose: str, detail: str = "") -> None:
    """Leave a note, without words that hold a number of a person.

    A log that cannot be written, as on a disk that is only read, is told of and stops no command.
    """
    try:
        log = location.security_log()
        whose, detail = ("" if looks_personal(word) else word for word in (whose, detail))
        log.note(now_us(), Note(what, LOCAL.id, whose, detail))
        log.close()
    except (Unavailable, DBAPIError) as error:
        say(f"warning: not noted in the security log: {what} of {whose} ({error.__cause__ or error})")
