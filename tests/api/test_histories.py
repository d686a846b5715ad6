"""The history behind the figures, paged and withheld as due: twelve months, open files, newest events, the journal."""

from typing import Any, Final

from api.v1.cases import case_of
from domain.fold.partition import partition_of
from projections.segment import At
from tests.api.facts import RULES, fill, permit, rating, receipt, task
from tests.serving import Assembled, event

STANDARDS: Final = [
    event(
        "standard-set",
        "std-kir",
        {"service": "kir", "amount": 24, "unit": "wall_hours", "effective_from": "2025-01-01"},
    )
]


def paged(neraca: Assembled, path: str) -> list[dict[str, Any]]:
    """Every item of a list, two a page."""
    items, cursor = list[dict[str, Any]](), ""
    while True:
        page = neraca.get(f"{path}{'&' if '?' in path else '?'}limit=2{cursor}").json()
        assert len(page["items"]) <= 2
        items += page["items"]
        if page["next"] is None:
            return items
        cursor = f"&cursor={page['next']}"


def test_a_series_is_twelve_months_each_as_it_is_read_alone(neraca: Assembled) -> None:
    """Oldest first, up to the period's last month, over the turn of a year; a month without data has no score."""
    old = {"received_at": "2025-12-30T08:00:00+07:00", "completed_at": "2025-12-31T07:00:00+07:00"}
    fill(
        neraca,
        *STANDARDS,
        *(permit("dishub", 24, **old) for _ in range(12)),
        *(permit("dishub", 36) for _ in range(11)),
        *(task("dishub", on_time=True) for _ in range(10)),
    )
    for subject in ("dinas/dishub", "asn/a-1"):
        for period, first in (("2026-11", "2025-12"), ("2026-Q3", "2025-10"), ("2025", "2025-01")):
            series = neraca.get(f"/v1/{subject}/series?period={period}").json()
            months = [card["period"] for card in series["items"]]
            assert (len(months), months[0], months) == (12, first, sorted(months))
            assert series["position"] == neraca.journal.head()
            for card in series["items"]:
                assert card == neraca.get(f"/v1/{subject}?period={card['period']}").json()
    counts = {
        card["period"]: card["counts"]["permits"] for card in neraca.get("/v1/dinas/dishub/series").json()["items"]
    }
    assert {month: n for month, n in counts.items() if n} == {"2025-12": 12, "2026-11": 11}
    assert neraca.get("/v1/dinas/dishub/series?period=0001-02").json()["items"][0]["period"] == "0001-01"


def test_a_series_withholds_what_a_scorecard_withholds(neraca: Assembled) -> None:
    fill(neraca, rating("dishub", 4, asn="a-9"))
    leader = {"authorization": neraca.token("r", "read")}
    for headers, figures in ((leader, (None, None)), ({}, (1, 100))):
        last = neraca.get("/v1/asn/a-9/series", headers=headers).json()["items"][-1]
        line = next(line for line in last["indicators"] if line["id"] == "kepuasan")
        assert (line["n"], line["value"]) == figures


def test_open_files_are_listed_by_what_is_due_first(neraca: Assembled) -> None:
    """With what was promised, every pause, and whether it is overdue now; a file without a promise comes last."""
    early, late = (
        receipt("dishub", "2026-11-20T08:00:00+07:00"),
        receipt("dishub", "2026-11-24T08:00:00+07:00", asn="a-1"),
    )
    bare = receipt("dishub", "2026-11-01T08:00:00+07:00", service="lain")
    raw = receipt("dishub", "2026-11-23T08:00:00+07:00", service="lain", due_at="2026-11-24T11:00:00+07:00")
    decided_case, other = receipt("dishub", "2026-11-22T08:00:00+07:00"), receipt("dinkes", "2026-11-22T08:00:00+07:00")
    case = late["data"]["case"]
    fill(
        neraca,
        *STANDARDS,
        early,
        late,
        bare,
        raw,
        decided_case,
        other,
        event(
            "permit-paused",
            "p",
            {
                "dinas": "dishub",
                "service": "kir",
                "case": case,
                "at": "2026-11-24T09:00:00+07:00",
                "reason": "applicant",
            },
        ),
        event(
            "permit-resumed",
            "r",
            {"dinas": "dishub", "service": "kir", "case": case, "at": "2026-11-24T10:00:00+07:00"},
        ),
        permit("dishub", 1, case=decided_case["data"]["case"]),
    )
    items = paged(neraca, "/v1/dinas/dishub/files")
    assert items == neraca.get("/v1/dinas/dishub/files").json()["items"]
    assert [item["case"] for item in items] == [item["data"]["case"] for item in (early, raw, late, bare)]
    assert [item["overdue"] for item in items] == [True, True, False, False]
    assert items[2] == {
        "service": "kir",
        "case": case,
        "asn": "a-1",
        "received_at": "2026-11-24T01:00:00.000000Z",
        "due_at": "2026-11-25T02:00:00.000000Z",
        "kind": "standard",
        "overdue": False,
        "paused_at": None,
        "pauses": [{"at": "2026-11-24T02:00:00.000000Z", "reason": "applicant"}],
        "resumed_at": ["2026-11-24T03:00:00.000000Z"],
    }
    assert (items[3]["due_at"], items[1]["kind"]) == (None, "due_at")
    assert neraca.get("/v1/dinas/nobody/files").status_code == 404
    assert neraca.get("/v1/dinas/dishub/files?cursor=ZmlsZTpb").status_code == 422


def test_a_case_says_where_it_stands(neraca: Assembled) -> None:
    """Not received, received, paused and why, running again, decided, and after a reversal as before; ids are verbatim."""
    names = {"dinas": "dishub", "service": "kir/berat", "case": "K / 1"}
    query = "/v1/dinas/dishub/file?service=kir%2Fberat&case=K%20%2F%201"
    assert neraca.get(query).status_code == 404, "nothing ever named the dinas"
    standard = {**STANDARDS[0]["data"], "service": "kir/berat"}
    receipt_data = {**names, "received_at": "2026-11-24T08:00:00+07:00", "asn": "a-1"}
    fill(
        neraca,
        event("standard-set", "std", standard),
        event("dinas-registered", "d", {"dinas": "dishub", "name": "Dishub"}),
    )
    states = []

    def case(*events: dict[str, Any]) -> dict[str, Any]:
        fill(neraca, *events)
        states.append(neraca.get(query).json())
        return dict(states[-1])

    assert case() == {
        **names,
        "journal": neraca.live.journal,
        "position": neraca.journal.head(),
        "folded": neraca.journal.head(),
        "state": "none",
        "asn": None,
        "received_at": None,
        "due_at": None,
        "kind": None,
        "overdue": False,
        "promise_us": None,
        "paused_at": None,
        "reason": None,
        "pauses": [],
        "decision": None,
        "entries": [],
    }
    first = case(event("permit-received", "r", receipt_data))
    assert (first["received_at"], first["due_at"]) == ("2026-11-24T01:00:00.000000Z", "2026-11-25T01:00:00.000000Z")
    assert (first["asn"], first["promise_us"]) == ("a-1", 24 * 3600 * 10**6)
    stands = case(event("permit-paused", "p", {**names, "at": "2026-11-24T09:00:00+07:00", "reason": "payment"}))
    assert (stands["paused_at"], stands["reason"], stands["pauses"]) == ("2026-11-24T02:00:00.000000Z", "payment", [])
    runs = case(event("permit-resumed", "q", {**names, "at": "2026-11-24T10:00:00+07:00"}))
    pause = {"from": "2026-11-24T02:00:00.000000Z", "to": "2026-11-24T03:00:00.000000Z", "reason": "payment"}
    assert (runs["pauses"], runs["paused_at"], runs["due_at"]) == ([pause], None, "2026-11-25T02:00:00.000000Z")
    case(event("permit-processed", "c", {**names, "completed_at": "2026-11-24T11:00:00+07:00"}))
    again = case(event("event-retracted", "x", {"event": {"source": "/loket", "id": "c"}, "reason": "salah-tekan"}))
    assert [state["state"] for state in states] == ["none", "received", "paused", "received", "decided", "received"]
    moving = {"position": 0, "folded": 0, "entries": []}
    assert {**again, **moving} == {**runs, **moving}
    assert [entry["id"] for entry in again["entries"]] == ["r", "p", "q", "c", "x"]
    assert neraca.get("/v1/dinas/dishub/file?service=kir").status_code == 422


def test_a_case_is_overdue_by_what_is_promised_of_it(neraca: Assembled) -> None:
    """As the open files tell it: a pause stops the clock of a standard, and moves no instant; decided, nothing is due."""
    raw = receipt("dishub", "2026-11-24T08:00:00+07:00", due_at="2026-11-24T11:00:00+07:00")
    by_standard = receipt("dishub", "2026-11-24T08:00:00+07:00")
    fill(neraca, *STANDARDS, raw, by_standard)
    for item in (raw, by_standard):
        note = {name: item["data"][name] for name in ("dinas", "service", "case")}
        fill(
            neraca,
            event("permit-paused", f"p-{item['id']}", {**note, "at": "2026-11-24T09:00:00+07:00", "reason": "payment"}),
        )

    def state_of(fact: dict[str, Any]) -> tuple[str | None, bool]:
        case = neraca.get(f"/v1/dinas/dishub/file?service=kir&case={fact['data']['case']}").json()
        return case["kind"], case["overdue"]

    assert (state_of(raw), state_of(by_standard)) == (("due_at", True), ("standard", False))
    states = {
        item["case"]: (item["kind"], item["overdue"]) for item in neraca.get("/v1/dinas/dishub/files").json()["items"]
    }
    assert states == {fact["data"]["case"]: state_of(fact) for fact in (raw, by_standard)}
    decision = {
        "dinas": "dishub",
        "service": "kir",
        "case": raw["data"]["case"],
        "completed_at": "2026-11-24T11:30:00+07:00",
    }
    fill(neraca, event("permit-processed", "done", decision))
    assert state_of(raw) == (None, False)


def test_a_case_says_how_far_its_own_partition_is_folded(neraca: Assembled) -> None:
    """With several partitions, `position` is their least: this dinas's entries beyond it are already counted."""
    fill(neraca, receipt("dishub", "2026-11-24T08:00:00+07:00"))
    with neraca.reader.snapshot() as snapshot:
        own = partition_of("dishub", 4)
        apart = At(3, tuple(90 if number == own else 3 for number in range(4)), 5)
        snapshot.version = snapshot.version._replace(at=apart)
        case = case_of(snapshot, neraca.journal, "dishub", "kir", "1")
    assert (case.folded, case.journal) == (90, neraca.live.journal)


def test_a_case_opens_to_the_counters_of_its_own_dinas(neraca: Assembled) -> None:
    """A counter's token reads the case it records of; another dinas's does not, and nobody without a token."""
    fill(neraca, *(receipt(dinas, "2026-11-20T08:00:00+07:00") for dinas in ("dishub", "dinkes")))
    path = "/v1/dinas/dishub/file?service=kir&case=1"
    for name, scope, dinas, status in (
        ("own", "fact", ["dishub"], 200),
        ("other", "fact", ["dinkes"], 403),
        ("any", "fact", None, 200),
        ("leader", "read", ["dishub"], 200),
        ("leader of another", "read", ["dinkes"], 403),
        ("rules", "rulebook", None, 403),
    ):
        headers = {"authorization": neraca.token(name, scope, dinas=dinas)}
        assert neraca.ask("GET", path, headers=headers, caller="10.0.0.9").status_code == status, name
    assert neraca.ask("GET", path, caller="10.0.0.9").status_code == 401


def test_events_come_newest_first_and_say_what_the_reasons_say(neraca: Assembled) -> None:
    fill(neraca, *RULES, *(task("dishub", on_time=True) for _ in range(5)), rating("dishub", 4, asn="a-1"))
    for subject in ("dinas/dishub", "asn/a-1"):
        reasons = neraca.get(f"/v1/{subject}/why").json()["events"]
        assert len(reasons) == 6
        assert paged(neraca, f"/v1/{subject}/events") == reasons[::-1]
    leader = {"authorization": neraca.token("r", "read")}
    items = neraca.get("/v1/asn/a-1/events", headers=leader).json()["items"]
    assert [item["type"] for item in items] == ["neraca.task-completed.v1"] * 5
    assert neraca.get("/v1/asn/a-1/events?period=2026-10").json()["items"] == []


def test_the_journal_is_listed_entry_by_entry(neraca: Assembled) -> None:
    """As exported, from the opening on; with filters, the entries alone that say so, a reversal by what it reverses."""
    fact, other_fact = task("dishub", on_time=True), task("dinkes", on_time=True, asn="a-2")
    undone = event("event-retracted", "x", {"event": {"source": "/loket", "id": other_fact["id"]}, "reason": "typo"})
    fill(neraca, *RULES, fact, other_fact, undone)
    page = neraca.get("/v1/journal").json()
    assert (page["position"], page["journal"], page["next"]) == (neraca.journal.head(), neraca.journal.id, None)
    assert [item["position"] for item in page["items"]] == [*range(1, page["position"] + 1)]
    assert page["items"][0]["type"] == "neraca.journal-opened.v1"
    assert paged(neraca, "/v1/journal") == page["items"]
    for query, ids in (
        ("dinas=dinkes", [other_fact["id"], "x"]),
        ("asn=a-1", [fact["id"]]),
        ("id=x", ["x"]),
        ("dinas=dinkes&id=x", ["x"]),
        ("type=neraca.standard-set.v1", ["std"]),
        ("source=/nowhere", []),
    ):
        assert [item["id"] for item in paged(neraca, f"/v1/journal?{query}")] == ids, query


def test_the_journal_is_an_auditors(neraca: Assembled) -> None:
    """It holds what is withheld elsewhere: a token that reads scores does not open it."""
    fill(neraca, task("dishub", on_time=True))
    for scope, status in (("read", 403), ("audit", 200)):
        headers = {"authorization": neraca.token(f"t-{scope}", scope)}
        assert neraca.ask("GET", "/v1/journal", headers=headers, caller="10.0.0.9").status_code == status, scope
    assert neraca.ask("GET", "/v1/journal", caller="10.0.0.9").status_code == 401
    for path in ("dinas/dishub/files", "dinas/dishub/events", "asn/a-1/events", "asn/a-1/series"):
        assert neraca.ask("GET", f"/v1/{path}", caller="10.0.0.9").status_code == 401, path
    assert neraca.ask("GET", "/v1/dinas/dishub/series", caller="10.0.0.9").status_code == 200
