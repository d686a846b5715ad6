"""The names under which the service itself records; no event from outside may bear them."""

from typing import Final, Literal, get_args

SOURCE: Final = "/neraca"
"""The source of openings, and of corrections that the service makes itself."""
RECORDER: Final = "neraca"
"""The recorder (``recordedby``) of the service's own corrections."""
Reason = Literal["receipt-came-later", "rule-came-later"]
"""The reason of such a correction: a receipt was recorded after its decision, or a standard after the facts it is for."""
REASONS: Final = frozenset(get_args(Reason))
