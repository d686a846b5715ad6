"""Practice: a small simulated city in a directory of its own, which can be emptied and filled again. Nothing in it counts."""

from __future__ import annotations

import os
import shutil
import signal
from typing import TYPE_CHECKING, Final

import msgspec

from streams.demo.city import City
from streams.demo.run import DemoRun, NotADemo
from streams.places.directory import SECURITY, DataDirectory

if TYPE_CHECKING:
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from projections.ports import Intake

MARK: Final = "latihan.json"
UNITS: Final = ("disdukcapil", "kec-pamulang", "bapenda", "dlh", "dcktr", "diskominfo", "dispar")
"""The units of practice, few enough to load while a person waits: good and bad, some unrated, one with too little data."""
MONTHS: Final = 5
RATE: Final = 1.0


def small(city: City) -> City:
    """The city of practice: some units of the demo's city."""
    dinas = tuple(unit for unit in city.dinas if unit.slug in UNITS)
    return msgspec.structs.replace(city, dinas=dinas, asn_total=sum(unit.asn for unit in dinas))


class Practice:
    """A directory to practise in. ``again`` is set by a request to begin again."""

    def __init__(self, path: Path, stop: int = signal.SIGTERM) -> None:
        self._path = path
        self._stop = stop
        self.again = False

    @property
    def marker(self) -> Path:
        """The file that marks the directory, and records how much is loaded."""
        return self._path / MARK

    def reset(self) -> None:
        """Ask for an empty directory: the process stops serving in order, and begins again."""
        self.again = True
        os.kill(os.getpid(), self._stop)

    def empty(self) -> None:
        """Remove everything but tokens and security log, the mark last: a directory without a mark is never emptied."""
        self.again = False
        if not self.marker.exists():
            return
        kept_names = (DataDirectory(self._path).tokens.name, SECURITY)
        for entry in self._path.iterdir():
            if entry.name == MARK or entry.name.startswith(kept_names):
                continue
            if entry.is_dir():
                shutil.rmtree(entry)
            else:
                entry.unlink()
        self.marker.unlink()


def practising(path: Path, *, wish: bool) -> Practice | None:
    """Practice, if it is asked for, or if the directory is marked for it."""
    practice = Practice(path)
    return practice if wish or practice.marker.exists() else None


def never_mixed(head: int, location: str, demo: Path | None, practice: Practice | None) -> None:
    """Refuse to begin practice or a demo in a journal that counts. Raises: ``NotADemo``."""
    if head <= 1:
        return
    if practice is not None and not practice.marker.exists():
        message = f"{location} holds a journal that counts: give practice a --data of its own"
        raise NotADemo(message)
    if practice is None and demo is not None and not demo.exists():
        message = f"{location} holds a journal that is no simulation: give the demo a --data of its own"
        raise NotADemo(message)


def feeding(city: Path, intake: Intake, demo: Path | None, practice: Practice | None, zone: ZoneInfo) -> DemoRun | None:
    """The run that fills and feeds a simulated city: for practice, or for a demo whose marker is given; else ``None``."""
    if practice is not None:
        return DemoRun(small(City.load(city)), intake, practice.marker, zone, months=MONTHS, rate=RATE)
    return None if demo is None else DemoRun(City.load(city), intake, demo, zone)
