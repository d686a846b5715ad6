"""The table of who may do what as calls: a small city, a caller of every role, and a request for every row.

`policy.csv` has a row for each role, route and subject. Rows of a later version's routes are left out by its name.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from msgspec.structs import replace

from api.app import build
from api.http.doors import CLOSED
from tests.api.facts import SCHEME
from tests.pages.reading import FAR
from tests.serving import FORM, Assembled, event

if TYPE_CHECKING:
    import httpx

BUILT: Final = frozenset({"now", "doors"})
"""The versions whose rows are called."""
OWN, OTHER = "dishub", "dinkes"
MINE, THEIRS, NOBODY = "a-1", "b-1", "tidak-ada"
SERVICE: Final = "kir"
DECIDED_AT, RECEIVED_AT = "2026-11-20T10:00:00+07:00", "2026-11-19T08:00:00+07:00"
COUNTER: Final = "/loket/1"
LIMITS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "counter": ("counter", {"dinas": [OWN], "sources": [COUNTER]}),
    "rate": ("rate", {"dinas": [OWN]}),
    "asn": ("asn", {"asn": MINE}),
    "leader": ("leader", {"dinas": [OWN]}),
    "leader-all": ("leader", {}),
    "personnel": ("personnel", {}),
    "auditor": ("auditor", {}),
    "rules": ("rules", {}),
    "correct": ("correct", {"dinas": [OWN]}),
    "close": ("close", {}),
    "keys": ("keys", {}),
}
"""The role and the limits of each caller of the table but the public."""


class Row(NamedTuple):
    """A row of the table; ``refused`` is the status of a refusal."""

    role: str
    action: str
    route: str
    whose: str
    allowed: bool
    refused: str
    version: str


def read_table() -> list[Row]:
    """Every row."""
    with (Path(__file__).parent / "policy.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.reader(file))[1:]
    return [
        Row(role, action, route, whose, allows == "yes", status, version)
        for role, action, route, whose, allows, status, version in lines
    ]


TABLE: Final = read_table()
ROWS: Final = [row for row in TABLE if row.version in BUILT]
ROUTES: Final = tuple(dict.fromkeys(row.route for row in ROWS))


def permit(dinas: str, case: str, asn: str, **attributes: Any) -> dict[str, Any]:  # noqa: ANN401 - attributes of an event
    """A decision of a case, and its receipt within."""
    data = {"dinas": dinas, "service": SERVICE, "case": case, "asn": asn}
    data |= {"received_at": RECEIVED_AT, "completed_at": DECIDED_AT}
    return event("permit-processed", f"{dinas}-{case}", data, **attributes)


def receipt(dinas: str, case: str, asn: str) -> dict[str, Any]:
    """A receipt of a case that stays open."""
    data = {"dinas": dinas, "service": SERVICE, "case": case, "asn": asn, "received_at": RECEIVED_AT}
    return event("permit-received", f"{dinas}-{case}", data)


class Subject(NamedTuple):
    """The subject of a call: a dinas, an ASN of it, and whether a rating is meant."""

    dinas: str
    asn: str
    rating: bool = False


SUBJECTS: Final[dict[str, tuple[Subject, ...]]] = {
    "own": (Subject(OWN, MINE),),
    "assigned": (Subject(OWN, MINE),),
    "other": (Subject(OTHER, THEIRS),),
    "rating": (Subject(OWN, MINE, rating=True),),
    "any": (Subject(OWN, MINE), Subject(OTHER, THEIRS)),
}
"""The subjects that a row is called with, by whose they are."""
STREAMS: Final = frozenset({"/v1/stream", "/live/board"})


class City:
    """Two dinas with an ASN each, and a token of every role, limited to one dinas where its role takes a limit.

    The operator's calls come through the app that is open, as under ``--open``; every other goes to a closed one.
    """

    def __init__(self, neraca: Assembled) -> None:
        self.neraca = neraca
        self.number = 0
        self.replay = {"until": "2", "period": "2026-11"}
        parts = replace(neraca.parts, reset=lambda: None)
        neraca.built = build(parts)
        self.closed = build(replace(parts, doors=CLOSED))
        self._far: dict[str, Any] = {**FAR, "app": self.closed}
        self.tokens = {name: neraca.token(name, role, **limits) for name, (role, limits) in LIMITS.items()}
        neraca.record(
            event("asn-assigned", "s-1", {"asn": MINE, "dinas": OWN, "effective_from": "2026-01-01"}),
            event("asn-assigned", "s-2", {"asn": THEIRS, "dinas": OTHER, "effective_from": "2026-01-01"}),
            *(
                event("dinas-registered", f"n-{dinas}", {"dinas": dinas, "name": f"Dinas {dinas}"})
                for dinas in (OWN, OTHER)
            ),
            *(fact for dinas, asn in ((OWN, MINE), (OTHER, THEIRS)) for fact in self._facts(dinas, asn)),
        )

    def _facts(self, dinas: str, asn: str) -> list[dict[str, Any]]:
        late = {"task": "T-1", "completed_at": DECIDED_AT, "due_at": RECEIVED_AT}
        return [
            permit(dinas, "K-1", asn),
            receipt(dinas, "K-2", asn),
            event("task-completed", f"{dinas}-t", {"dinas": dinas, "asn": asn, **late}),
        ]

    def headers(self, role: str) -> dict[str, str]:
        """The header of a caller of a role."""
        return {} if role == "public" else {"authorization": self.tokens[role]}

    def fresh(self) -> str:
        """A name that nothing has yet."""
        self.number += 1
        return f"x-{self.number}"

    def position_of_task(self, asn: str) -> int:
        """The position of the task of an ASN."""
        lines = self.neraca.journal.lines(0, 1000)
        return next(at for at, line in lines if b"task-completed" in line and f'"{asn}"'.encode() in line)

    def recorded(self, fact: dict[str, Any], role: str = "") -> dict[str, str]:
        """The name of a fact that was recorded just now: by a role's token, or by the operator."""
        fact = {**fact, "id": self.fresh()}
        answer = self.neraca.post(fact, headers=self.headers(role), **self._far) if role else self.neraca.post(fact)
        assert answer.status_code == 201, answer.text
        return {"source": fact["source"], "id": fact["id"]}

    def ask(self, row: Row, subject: Subject) -> httpx.Response:
        """The call that a row is about, of one subject."""
        method, _, path = row.route.partition(" ")
        path, _, kind = path.partition("#")
        if kind:
            return self.neraca.post(self._event(row, kind, subject), headers=self.headers(row.role), **self._far)
        names = {"dinas": subject.dinas, "asn": subject.asn, "position": "2", "code": "auditor-1"}
        address = path.format(**{name: quote(value, safe="") for name, value in names.items()})
        if method == "POST":
            return self._send(row, address, subject)
        query = urlencode(self._query(path, subject))
        verb = "HEAD" if path in STREAMS else method  # a stream does not end: it is seen whether it would begin
        return self.neraca.ask(
            verb, f"{address}?{query}" if query else address, headers=self.headers(row.role), **self._far
        )

    def _query(self, path: str, subject: Subject) -> dict[str, str]:
        case = {"service": SERVICE, "case": "K-1"}
        match path:
            case "/v1/rankings/asn":
                return {"dinas": subject.dinas}
            case "/v1/dinas/{dinas}/file" | "/dinas/{dinas}/file":
                return case
            case "/asn/{asn}/task":
                return {"at": str(self.position_of_task(THEIRS if subject.asn == NOBODY else subject.asn))}
            case "/loket/qr.svg" | "/loket/tiket":
                return {"dinas": subject.dinas, **case}
            case "/auditor/digest.ndjson" | "/auditor/differences.csv":
                return self.replay
        return {}

    def _send(self, row: Row, address: str, subject: Subject) -> httpx.Response:
        form: dict[str, str] = {}
        if address == "/nilai":
            case = self.decided(OWN)
            form = {**case, "tiket": self.ticket(case), "overall": "4"}
            form["case"] = form["case"] if row.whose == "own" else self.decided(OWN)["case"]
        elif address == "/asn":
            form = {"asn": subject.asn}
        elif address == "/masuk/tautan":
            form = {"tautan": self.neraca.tokens.sessions.link(self.neraca.clock(), lasts_us=1_000_000)}
        elif address == "/masuk":
            form = {"token": self.tokens["auditor"].removeprefix("Bearer ")}
        content = urlencode(form).encode()
        return self.neraca.ask(
            "POST", address, content=content, headers={**FORM, **self.headers(row.role)}, **self._far
        )

    def decided(self, dinas: str) -> dict[str, str]:
        """A case that was decided just now."""
        case = self.fresh()
        self.recorded(permit(dinas, case, MINE if dinas == OWN else THEIRS))
        return {"dinas": dinas, "service": SERVICE, "case": case}

    def ticket(self, case: dict[str, str]) -> str:
        """The ticket that the counter gives for a case."""
        self.neraca.settle()
        answer = self.neraca.get(f"/loket/tiket?{urlencode(case)}", headers=self.headers("counter"), **self._far)
        address: str = answer.json()["address"]
        return parse_qs(urlsplit(address).fragment)["tiket"][0]

    def _event(self, row: Row, kind: str, subject: Subject) -> dict[str, Any]:
        """An event of a kind about a subject, which would be recorded if the caller may."""
        source = COUNTER if row.role == "counter" else "/uji"
        return event(kind, self.fresh(), self._data(row, kind, subject), source=source)

    def _data(self, row: Row, kind: str, subject: Subject) -> dict[str, Any]:
        dinas, asn, name = subject.dinas, subject.asn, self.fresh()
        case = {"dinas": dinas, "service": SERVICE, "case": name}
        match kind:
            case "permit-received":
                return {**case, "received_at": RECEIVED_AT}
            case "permit-paused" | "permit-resumed":
                return self._note(case, kind)
            case "event-retracted" | "event-corrected":
                return self._reversal(row, kind, subject)
            case "satisfaction-rated":
                return {**self.decided(dinas), "overall": 4, "scale": 4}
        plain = {
            "permit-processed": {**case, "received_at": RECEIVED_AT, "completed_at": DECIDED_AT},
            "task-completed": {"dinas": dinas, "asn": asn, "task": name, "completed_at": DECIDED_AT},
            **RULES,
        }[kind]
        return {**plain, "dinas": dinas} if "dinas" in plain else plain

    def _note(self, case: dict[str, str], kind: str) -> dict[str, Any]:
        self.recorded(event("permit-received", "", {**case, "received_at": RECEIVED_AT}))
        pause = {**case, "at": "2026-11-19T09:00:00+07:00", "reason": "payment"}
        if kind == "permit-paused":
            return pause
        self.recorded(event("permit-paused", "", pause))
        return {**case, "at": "2026-11-19T10:00:00+07:00"}

    def _reversal(self, row: Row, kind: str, subject: Subject) -> dict[str, Any]:
        """A reversal of a fact: of one that a counter recorded itself just now, or of one that another did."""
        if subject.rating:
            fact = event("satisfaction-rated", "", {**self.decided(subject.dinas), "overall": 4, "scale": 4})
        else:
            fact = permit(subject.dinas, self.fresh(), subject.asn)
        is_its_own = row.role == "counter" and row.whose == "own"
        name = self.recorded({**fact, "source": COUNTER} if is_its_own else fact, "counter" if is_its_own else "")
        if kind == "event-retracted":
            return {"event": name, "reason": "typo"}
        data = {"overall": 1} if subject.rating else {"outcome": "rejected"}
        return {"event": name, "reason": "typo", "replacement": {**fact["data"], **data}}

    def failures(self, route: str) -> list[str]:
        """The rows of a route that do not come out as the table says, each in a line."""
        return [
            f"{row.role} {row.whose} {subject.dinas}: {answer.status_code}, not {row.refused or 'allowed'}"
            for row in ROWS
            if row.route == route
            for subject in SUBJECTS[row.whose]
            for answer in (self.ask(row, subject),)
            if not (is_answered(answer) if row.allowed else str(answer.status_code) == row.refused)
        ]


def is_answered(answer: httpx.Response) -> bool:
    """True if a call was not refused; to be sent to sign in is a refusal."""
    if answer.is_redirect:
        return urlsplit(answer.headers["location"]).path != "/masuk"
    return answer.is_success


RULES: Final[dict[str, dict[str, Any]]] = {
    "dinas-registered": {"dinas": OWN, "name": "Dinas"},
    "asn-registered": {"asn": "c-1"},
    "asn-assigned": {"asn": "c-1", "dinas": OWN, "effective_from": "2026-01-01"},
    "standard-set": {"service": SERVICE, "amount": 24, "unit": "wall_hours", "effective_from": "2026-12-01"},
    "scheme-adopted": {**SCHEME, "effective_from": "2026-12-01"},
}
"""The data of a rule of each kind."""
