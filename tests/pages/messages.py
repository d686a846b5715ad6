"""The messages of both catalogs by their keys, for tests that mean a message and not the words it has today."""

from __future__ import annotations

from typing import Final
from zoneinfo import ZoneInfo

from api.pages.catalog import load_labels
from api.pages.words import Words

ZONE: Final = ZoneInfo("Asia/Jakarta")
ID: Final = Words("id", ZONE, load_labels())
EN: Final = Words("en", ZONE, load_labels())
