"""The intake's port where the intake is another process: events go to it over HTTP, under a proof of the session.

An answer that does not come is ``Unavailable``: the same may be sent again, since an event counts once.
"""

from __future__ import annotations

import http.client
import logging
import urllib.parse
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import msgspec

from domain.intake.wire import Submission
from domain.refusal import OUR_PROBLEMS, Refusal
from projections.forwarding import METHOD, PATH, SCHEME, outcomes_in, proof_of
from projections.ports import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from projections.ports import Grant, Outcome

CONNECT_S: Final = 3.0
ANSWER_S: Final = 10.0
"""A citizen waits for the answer."""
ANSWER_MOST: Final = 2**20
"""The most bytes of an answer."""
MEDIA: Final = "application/cloudevents-batch+json"
LOG: Final = logging.getLogger("neraca.intake")
SECRETS: Final = "; do both have the same NERACA_SECRET_FILE, and clocks that agree?"


class IntakeElsewhere:
    """Sends each call of the port to an intake; ``caller`` names the address of the person behind the call at hand.

    ``secret`` is that of the installation, and ``now_us`` the clock of proofs.
    """

    def __init__(self, url: str, secret: bytes, now_us: Callable[[], int], caller: Callable[[], str]) -> None:
        parts = urllib.parse.urlsplit(url)
        self._kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._netloc, self._path = parts.netloc, parts.path.rstrip("/") + PATH
        self._url = url
        self._secret = secret
        self._now_us = now_us
        self._caller = caller

    def submit(self, events: Sequence[Submission | Refusal], grant: Grant) -> list[Outcome]:
        """The outcomes that the intake answers, in order.

        Raises: ``Unavailable`` when it gives no answer, or none that says what became of each event.
        """
        submissions = [event for event in events if isinstance(event, Submission)]
        outcomes = iter(self._outcomes(submissions, grant) if submissions else ())
        return [event if isinstance(event, Refusal) else next(outcomes) for event in events]

    def _outcomes(self, events: Sequence[Submission], grant: Grant) -> list[Outcome]:
        body = msgspec.json.encode([wire(event) for event in events])
        proof = proof_of(self._secret, body, grant, self._now_us())
        try:
            status, answer = self._ask(body, proof)
            if status == HTTPStatus.OK:
                return outcomes_in(answer, len(events))
            problem, detail = _problem(answer)
            if status == HTTPStatus.FORBIDDEN and problem.startswith(
                OUR_PROBLEMS
            ):  # of the person, not of this process
                return [Refusal("forbidden", detail)] * len(events)
            why = f"answers {status}, {detail}"
            why += SECRETS if status == HTTPStatus.UNAUTHORIZED else ""
        except (OSError, http.client.HTTPException) as error:
            why = f"does not answer: {str(error) or type(error).__name__}"
        except ValueError as error:
            why = f"gives an answer that is none: {error}"
        LOG.error("the intake at %s %s", self._url, why)
        message = "the intake cannot be reached; send the same again"
        raise Unavailable(message)

    def _ask(self, body: bytes, proof: str) -> tuple[int, bytes]:
        """The status and the content of an answer; a connection of its own, since one that idles may have died."""
        headers = {"content-type": MEDIA, "authorization": f"{SCHEME} {proof}", "connection": "close"}
        # As a web server in front does, where an intake takes this process for one.
        headers |= {"x-forwarded-for": self._caller() or "127.0.0.1", "x-forwarded-proto": "http"}
        connection = self._kind(self._netloc, timeout=CONNECT_S)
        try:
            connection.connect()
            connection.sock.settimeout(ANSWER_S)
            connection.request(METHOD, self._path, body, headers)
            response = connection.getresponse()
            return response.status, response.read(ANSWER_MOST)
        finally:
            connection.close()


def wire(event: Submission) -> dict[str, Any]:
    """An event as it was submitted."""
    name = {"type": event.type, "source": event.source, "id": event.id, "time": event.time}
    return {"specversion": "1.0", **name, **event.attributes, "data": event.data}


def _problem(answer: bytes) -> tuple[str, str]:
    """The type and the sentence of a problem; of any other answer none, as of something on the way, and its beginning."""
    try:
        problem = msgspec.json.decode(answer)
        return str(problem["type"]), str(problem["detail"])
    except (msgspec.DecodeError, KeyError, TypeError, RecursionError):
        return "", answer[:200].decode(errors="replace")
