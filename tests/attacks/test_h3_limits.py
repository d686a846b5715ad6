"""The limits of a token hold for all that it reads: an ASN is shown by assignments and accounts of the own dinas alone (H3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.pages.reading import FAR
from tests.serving import FORM, Assembled, event

if TYPE_CHECKING:
    import httpx

OWN, OTHER = "dishub", "dinkes"
NOVEMBER, OCTOBER = "period=2026-11", "period=2026-10"
MINE, BOTH, LEFT, UNPLACED, FOREIGN = "a-sini", "a-keduanya", "a-pindah", "a-bebas", "b-sana"
STAFF: Final = (MINE, BOTH, LEFT, UNPLACED, FOREIGN)
STAYS: Final = {
    MINE: ((OWN, "2026-01-01", None),),
    BOTH: ((OWN, "2026-01-01", None), (OTHER, "2026-01-01", None)),
    LEFT: ((OWN, "2026-01-01", "2026-10-31"), (OTHER, "2026-11-01", None)),
    FOREIGN: ((OTHER, "2026-01-01", None),),
}


def task(dinas: str, asn: str, number: int, month: str = "11") -> dict[str, Any]:
    data = {"dinas": dinas, "asn": asn, "task": f"T-{number}", "completed_at": f"2026-{month}-10T10:00:00+07:00"}
    due = f"2026-{month}-09T10:00:00+07:00"
    name = f"{STAFF.index(asn)}-{dinas}-{number}-{month}"  # a source names its events as it likes
    return event("task-completed", name, {**data, "due_at": due})


@pytest.fixture
def city(neraca: Assembled) -> Assembled:
    for asn, stays in STAYS.items():
        for dinas, since, until in stays:
            data = {"asn": asn, "dinas": dinas, "effective_from": since, "effective_to": until}
            neraca.record(event("asn-assigned", f"{asn}-{dinas}", data))
    neraca.record(*(task(OWN, asn, number) for asn in STAFF for number in range(2)))
    neraca.record(*(task(OTHER, asn, number) for asn in (BOTH, LEFT, FOREIGN) for number in range(3)))
    neraca.record(*(task(OWN, asn, 0, "10") for asn in (LEFT, FOREIGN)))
    return neraca


def headers(city: Assembled, token_id: str, role: str, **limits: Any) -> dict[str, str]:  # noqa: ANN401 - dinas, asn
    return {"authorization": city.token(token_id, role, **limits)}


def get(city: Assembled, path: str, caller: dict[str, str]) -> httpx.Response:
    return city.get(path, headers=caller, **FAR)


def test_a_leader_is_shown_an_asn_whom_an_assignment_places_here(city: Assembled) -> None:
    """Where none was ever recorded, by facts here; in a period that neither touches, as nobody."""
    leader = headers(city, "kepala", "leader", dinas=[OWN])
    status = {
        (asn, period): get(city, f"/v1/asn/{asn}?{period}", leader).status_code
        for asn in STAFF
        for period in (NOVEMBER, OCTOBER)
    }
    here = {
        (MINE, NOVEMBER),
        (MINE, OCTOBER),
        (BOTH, NOVEMBER),
        (BOTH, OCTOBER),
        (LEFT, OCTOBER),
        (UNPLACED, NOVEMBER),
    }
    assert status == {key: 200 if key in here else 404 for key in status}


def tasks_in(route: str, answer: Any) -> int:  # noqa: ANN401 - any JSON value
    """The number of tasks that an answer tells of."""
    if route in ("/events", "/late/tasks"):
        return len(answer["items"])
    card = answer["scorecard"] if route == "/why" else answer["items"][-1] if route == "/series" else answer
    return int(card["counts"]["tasks"])


@pytest.mark.parametrize("route", ["", "/why", "/series", "/events", "/late/tasks"])
def test_only_the_accounts_of_the_own_dinas_are_shown(city: Assembled, route: str) -> None:
    """The answer says by whose accounts; an auditor and the ASN are shown all of them."""
    leader = headers(city, "kepala", "leader", dinas=[OWN])
    answer = get(city, f"/v1/asn/{BOTH}{route}?{NOVEMBER}", leader).json()
    assert answer["scope"] == {"dinas": OWN}
    everything = get(city, f"/v1/asn/{BOTH}{route}?{NOVEMBER}", headers(city, "dia", "asn", asn=BOTH)).json()
    assert "scope" not in everything
    assert (tasks_in(route, answer), tasks_in(route, everything)) == (2, 5)
    assert OTHER not in str(answer)


def test_a_page_of_a_person_tells_nothing_of_another_dinas(city: Assembled) -> None:
    """Neither that the ASN belongs to it, nor the rank or a task there; it says what it is limited to."""
    for dinas in (OWN, OTHER):
        city.record(event("dinas-registered", f"n-{dinas}", {"dinas": dinas, "name": f"Nama {dinas}"}))
    leader = headers(city, "kepala", "leader", dinas=[OWN])
    for page in ("", "/why", "/events", "/late?kind=tasks"):
        text = get(city, f"/asn/{BOTH}{page}{'&' if '?' in page else '?'}{NOVEMBER}", leader).text
        assert OTHER not in text, page
    assert f"Hanya yang tercatat di Nama {OWN} yang ditampilkan." in get(city, f"/asn/{BOTH}", leader).text


def test_months_elsewhere_are_left_out(city: Assembled) -> None:
    """A year in which an assignment touched the own dinas is shown; of other months, those that show the ASN here."""
    leader = headers(city, "kepala", "leader", dinas=[OTHER])
    assert get(city, f"/v1/asn/{LEFT}?{OCTOBER}", leader).status_code == 404
    series = get(city, f"/v1/asn/{LEFT}/series?{NOVEMBER}", leader).json()["items"]
    assert [card["counts"]["tasks"] for card in series[-2:]] == [0, 3]


def test_lists_of_a_dinas_leave_out_who_is_not_shown(city: Assembled) -> None:
    leader, all_dinas = headers(city, "kepala", "leader", dinas=[OWN]), headers(city, "walikota", "leader")
    staff = get(city, f"/v1/dinas/{OWN}/asn?{NOVEMBER}", leader).json()["items"]
    ranks = get(city, f"/v1/rankings/asn?dinas={OWN}&{NOVEMBER}", leader).json()["items"]
    for cards in (staff, ranks):
        assert {card["subject"]["id"] for card in cards} == {MINE, BOTH, UNPLACED}
    for route in ("why", "events", "late/tasks"):
        path = f"/v1/dinas/{OWN}/{route}?{NOVEMBER}"
        own, whole = get(city, path, leader).text, get(city, path, all_dinas).text
        assert [asn for asn in (MINE, UNPLACED, LEFT, FOREIGN) if f'"{asn}"' in own] == [MINE, UNPLACED], route
        assert not [asn for asn in STAFF if f'"{asn}"' in whole], route
    for page in ("why", "events", "late?kind=tasks&x", ""):
        path = f"/dinas/{OWN}/{page}".rstrip("/").replace("&x", "")
        answer = get(city, f"{path}{'&' if '?' in path else '?'}{NOVEMBER}", all_dinas)
        assert answer.status_code == 200, path
        assert not [asn for asn in STAFF if asn in answer.text], path


def test_an_id_in_other_letters_is_found_for_those_alone_who_are_shown(city: Assembled) -> None:
    leader = headers(city, "kepala", "leader", dinas=[OWN])
    for asn, target in ((MINE.upper(), MINE), (FOREIGN.upper(), FOREIGN.upper())):
        answer = city.ask("POST", "/asn", content=f"asn={asn}".encode(), headers={**FORM, **leader}, **FAR)
        assert answer.headers["location"] == f"/asn/{target}"


def test_a_grant_of_some_dinas_sets_what_names_one_of_them(city: Assembled) -> None:
    """It moves nobody whom an assignment places elsewhere, on any day of the new one."""
    rules = headers(city, "aturan", "rules", dinas=[OWN])
    stay = {"dinas": OWN, "effective_from": "2026-12-01"}
    standard = {"service": "kir", "amount": 24, "unit": "wall_hours", "effective_from": "2026-12-01"}
    rows: list[tuple[str, dict[str, Any], int]] = [
        ("dinas-registered", {"dinas": OWN, "name": "Dinas"}, 201),
        ("dinas-registered", {"dinas": OTHER, "name": "Dinas"}, 403),
        ("asn-registered", {"asn": "c-1"}, 403),
        ("asn-assigned", {"asn": "c-1", **stay}, 201),
        ("asn-assigned", {"asn": FOREIGN, **stay}, 403),
        ("asn-assigned", {"asn": LEFT, "dinas": OWN, "effective_from": "2026-10-01"}, 403),
        ("standard-set", {**standard, "dinas": OWN}, 201),
        ("standard-set", {**standard, "dinas": OTHER}, 403),
        ("standard-set", standard, 403),
    ]
    for number, (kind, data, status) in enumerate(rows):
        answer = city.post(event(kind, f"r-{number}", data), headers=rules, **FAR)
        assert answer.status_code == status, (kind, data)


def test_a_token_ends_at_its_instant(city: Assembled) -> None:
    ending = headers(city, "sebentar", "auditor", until_us=city.clock() + 1)
    assert get(city, "/v1/journal", ending).status_code == 200
    city.clock.us += 1
    assert get(city, "/v1/journal", ending).status_code == 401
