"""The topics that the intake reads, one for each grant: the broker's ACL says who may produce to one, this says what it allows.

A topic ``neraca.intake.NAME`` has the grant of a token. Without any that is named, the one topic of former versions is read.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from projections.ports import Grant

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    ById = Callable[[str], Grant | None]
    """The grant of a token by its id; ``None`` when it is unknown or revoked."""
    Grants = Mapping[str, Callable[[], Grant | None]]
    """The grant of each topic; ``None`` where it has ended."""

INTAKE_TOPIC: Final = "neraca.intake"
KAFKA: Final = Grant("kafka", frozenset({"counter", "rate", "correct"}))
"""The grant of the one topic of former versions, to which the broker lets whoever may produce; rules come over HTTP."""
ONE_TOPIC: Final[Grants] = {INTAKE_TOPIC: lambda: KAFKA}
_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,100}")
SETTING: Final = "NERACA_INTAKE_TOPICS"


def topic_of(name: str) -> str:
    """The topic of a name. Raises: ``ValueError`` for a name that Kafka does not take."""
    if not _NAME.fullmatch(name):
        message = f"{name!r} is no name of a topic: letters, digits, dots, hyphens and underlines, at most 100"
        raise ValueError(message)
    return f"{INTAKE_TOPIC}.{name}"


def grants_of(setting: str | None, by_id: ById) -> Grants:
    """The topics of a setting such as ``loket-1=token-1,loket-2``: names, each with the token whose grant it has.

    A name by itself is a token's too. The grant is asked for at each batch, so that it ends with its token. A token that may
    record only so many events an hour is none for a topic: records come as fast as the broker hands them over.

    Raises: ``ValueError`` that names the setting.
    """
    grants: dict[str, Callable[[], Grant | None]] = {}
    for part in filter(None, map(str.strip, (setting or "").split(","))):
        name, equals, token_id = part.partition("=")
        try:
            topic = topic_of(name)
        except ValueError as error:
            message = f"{SETTING}: {error}"
            raise ValueError(message) from None
        if topic in grants or (equals and not token_id):
            message = f"{SETTING}: {part!r} names a topic twice, or no token"
            raise ValueError(message)
        token_id = token_id or name
        if _is_metered(by_id(token_id)):
            message = (
                f"{SETTING}: the token {token_id} has --events-hour, which holds over HTTP alone: give {topic} another"
            )
            raise ValueError(message)
        grants[topic] = _standing(by_id, token_id)
    return grants or ONE_TOPIC


def _standing(by_id: ById, token_id: str) -> Callable[[], Grant | None]:
    def grant() -> Grant | None:
        row = by_id(token_id)
        return None if _is_metered(row) else row  # one that was made since the start is refused too

    return grant


def _is_metered(grant: Grant | None) -> bool:
    return grant is not None and grant.events_hour is not None
