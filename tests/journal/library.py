"""The event store library's own test cases, importable without the cipher extra that this project does not install."""

import importlib
import sys
from types import ModuleType

CIPHER = "eventsourcing.cipher"


class NoCipher:
    """Stands where the library's test module imports its cipher by name: the journal's lines are never enciphered."""


def _library_cases() -> ModuleType:
    """The module of cases. If the extra is missing, its one name is filled only while the module is imported."""
    try:
        return importlib.import_module("eventsourcing.tests.persistence")
    except ModuleNotFoundError as missing:
        if missing.name is None or missing.name.split(".")[0] != "Crypto":
            raise
    stand_in = ModuleType(CIPHER)
    setattr(stand_in, "AESCipher", NoCipher)  # noqa: B010 - a module's attribute, by the name the library asks for
    sys.modules[CIPHER] = stand_in
    try:
        return importlib.import_module("eventsourcing.tests.persistence")
    finally:
        del sys.modules[CIPHER]


_library_cases()
