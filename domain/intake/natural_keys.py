"""Natural keys: the words under which a fact may be stated only once, beside its ``(source, id)``."""

from typing import Any

from domain.canonical import canonical


def key_of(*parts: str) -> str:
    """A natural key as stored."""
    return canonical(parts).decode()


def natural_key(type_: str, data: dict[str, Any]) -> str | None:
    """What may be stated once only beside ``(source, id)``: a case's receipt, decision, rating, a survey's response."""
    match type_.split(".")[1]:
        case "permit-received":
            return key_of("receipt", data["dinas"], data["service"], data["case"])
        case "permit-processed":
            return key_of("decision", data["dinas"], data["service"], data["case"])
        case "satisfaction-rated" if "case" in data:
            return key_of("rating", data["dinas"], data["service"], data["case"])
        case "satisfaction-rated":
            return key_of("survey", data["dinas"], data["survey"])
        case _:
            return None


def reversed_key(source: str, event_id: str) -> str:
    """The key that an event's one reversal holds."""
    return key_of("reversed", source, event_id)
