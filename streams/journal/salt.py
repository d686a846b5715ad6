"""The salt of a new line: the only chance in a journal."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from typing import Final

Salts = Callable[[], str]
"""Gives each new line its salt, as a clock gives it its time."""
SALT_BYTES: Final = 16


def random_salt() -> str:
    """Sixteen random bytes of the system, in base64url without padding: 22 characters."""
    return base64.urlsafe_b64encode(os.urandom(SALT_BYTES)).decode().rstrip("=")
