"""Messages to the person at the terminal, on standard error. Each command prints its result on standard output."""

import sys
import time


class Usage(Exception):  # noqa: N818 - an answer to the person at the terminal
    """The command line asks for something that cannot be; the message says what to change."""


def say(text: str) -> None:
    """Print one line for the person at the terminal."""
    print(text, file=sys.stderr, flush=True)


class Progress:
    """Says how far a long task is, at most every two seconds."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._last_s = time.monotonic()

    def __call__(self, number: int) -> None:
        """Report that ``number`` items are done."""
        if time.monotonic() - self._last_s >= 2.0:  # noqa: PLR2004 - seconds
            self._last_s = time.monotonic()
            say(f"{self._label} {number:,}")
