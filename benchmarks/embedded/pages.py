"""pages: the server's time for each page beside a bare endpoint with the same bytes; and a dinas of 10,000 ASN."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from benchmarks.city import START, City, Event, event, first
from benchmarks.embedded.traffic import bare, reads_a_second, up_over
from benchmarks.harness import Figure, Size, data_directory, pairs, prepared, shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FACTS: Final = 100_000
STAFF: Final = 10_000
SECONDS: Final = 1.5
PAIRS: Final = 5
PERIOD: Final = "period=2026-10"
CROWDED: Final = {
    "dinas of 10,000 ASN, by id": f"/dinas/satu?{PERIOD}",
    "dinas of 10,000 ASN, by rank": f"/dinas/satu?{PERIOD}&order=score",
    "ASN of 10,000, with the rank": f"/asn/a-00033?{PERIOD}",
}


def pages(facts: int) -> dict[str, str]:
    """Each kind of page, with a case and an ASN of one dinas, in the city of the prepared journal."""
    city = list(City(7, "b0").facts(facts))
    file, asn = first("permit-received", "dinas-03", iter(city)), first("task-completed", "dinas-03", iter(city))["asn"]
    return {
        "board `/`": f"/?{PERIOD}",
        "dinas": f"/dinas/dinas-03?{PERIOD}",
        "dinas, why": f"/dinas/dinas-03/why?{PERIOD}",
        "dinas, events of one figure": f"/dinas/dinas-03/events?{PERIOD}&measure=permits_rejected",
        "ASN": f"/asn/{asn}?{PERIOD}",
        "citizens `/publik`": f"/publik?{PERIOD}",
        "board as CSV": f"/?{PERIOD}&csv=board",
        "open files of a dinas": "/dinas/dinas-03/files",
        "events of an ASN": f"/asn/{asn}/events?{PERIOD}",
        "auditor's desk `/auditor`": f"/auditor?{PERIOD}",
        "journal, its newest entries": "/auditor/journal",
        "journal, one dinas's retractions": "/auditor/journal?dinas=dinas-03&kind=event-retracted",
        "counter `/loket`": "/loket?dinas=dinas-03",
        "citizen's screen `/loket/warga`": "/loket/warga?dinas=dinas-03&service=layanan-03&case=k-1",
        "one file": f"/dinas/dinas-03/file?service={file['service']}&case={file['case']}",
    }


def crowd(staff: int) -> Iterator[Event]:
    """One dinas of ten thousand, each with some tasks with a due time, under a scheme in which those make a score."""
    measures = {"ketepatan_waktu": ("tasks_on_time", "tasks_with_due"), "kepuasan": ("ikm", "respondents")}
    goals = {"ketepatan_waktu": ("100", 10, "0.6"), "kepuasan": ("88.31", 30, "0.4")}
    indicators = [
        {"id": name, "numerator": numerator, "denominator": denominator, "direction": "higher", "cap": 120}
        | dict(zip(("target", "min_n", "weight"), goals[name], strict=True))
        for name, (numerator, denominator) in measures.items()
    ]
    scheme = {"scheme": "ramai", "effective_from": "2026-01-01", "skm_weight": "1/9", "min_coverage": "0.6"}
    yield event("scheme-adopted", "skema", START, scheme | {"indicators": indicators})
    yield event("dinas-registered", "satu", START, {"dinas": "satu", "name": "Dinas Satu"})
    for asn in range(staff):
        assignment = {"asn": f"a-{asn:05}", "dinas": "satu", "effective_from": "2026-01-01"}
        yield event("asn-assigned", f"p-{asn}", START, assignment)
        for n in range(10 + asn % 7):
            data = {"dinas": "satu", "asn": f"a-{asn:05}", "task": f"t-{asn}-{n}"}
            data["completed_at"] = f"2026-10-{n + 1:02}T09:00:00+07:00"
            data["due_at"] = f"2026-10-{n + 1:02}T{8 + (asn * 7 + n) % 9:02}:00:00+07:00"
            yield event("task-completed", f"c-{asn}-{n}", START, data)


def measured(source: Path, paths: dict[str, str], size: Size) -> Iterator[Figure]:
    """Each page beside the bare endpoint, in a run of its own."""
    with up_over(source) as up:
        for name, path in paths.items():
            body = up.get(path)
            with bare(body) as endpoint:
                ours = partial(reads_a_second, up.port, path, size.seconds(SECONDS), 1)
                theirs = partial(reads_a_second, endpoint.port, path, size.seconds(SECONDS), 1)
                ours(), theirs()
                ratio = pairs(theirs, ours, size.count(PAIRS))
                took = 1000 / ours()
            note = f"{took:.1f} ms, {len(body) // 1024} KB"
            yield shown(f"{name}: server time ÷ bare endpoint", ratio, note=note)


def run(size: Size) -> list[Figure]:
    """The figures of this measurement."""
    facts, staff = size.facts(FACTS), size.count(STAFF, 40)
    busy_dinas = prepared(f"data-crowd-{staff}", crowd(staff))
    return [*measured(data_directory(facts).path, pages(facts), size), *measured(busy_dinas.path, CROWDED, size)]
