"""pages: what the server takes for each page, beside a bare endpoint with the same bytes; and a dinas of 10,000 ASN."""

from __future__ import annotations

import shutil
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.city import START, City, Event, event, rules
from benchmarks.measure import WORK, Figure, pairs, shown
from benchmarks.prepared import ZONE, command, data_directory, record
from benchmarks.traffic import reads_a_second, served
from domain.events.names import type_of
from neraca.wiring import now_us
from streams.journal.journal import Journal
from streams.places.directory import DataDirectory

if TYPE_CHECKING:
    from collections.abc import Iterator

FACTS: Final = 100_000
STAFF: Final = 10_000
SECONDS: Final = 1.5
PAIRS: Final = 5
PERIOD: Final = "period=2026-10"
PAGES: Final = {
    "board `/`": f"/?{PERIOD}",
    "dinas": f"/dinas/dinas-03?{PERIOD}",
    "dinas, why": f"/dinas/dinas-03/why?{PERIOD}",
    "dinas, events of one figure": f"/dinas/dinas-03/events?{PERIOD}&measure=permits_rejected",
    "ASN": f"/asn/a-00033?{PERIOD}",
    "citizens `/publik`": f"/publik?{PERIOD}",
    "board as CSV": f"/?{PERIOD}&csv=board",
    "open files of a dinas": "/dinas/dinas-03/files",
    "events of an ASN": f"/asn/a-00033/events?{PERIOD}",
    "auditor's desk `/auditor`": f"/auditor?{PERIOD}",
    "journal, its newest entries": "/auditor/journal",
    "journal, one dinas's retractions": "/auditor/journal?dinas=dinas-03&kind=event-retracted",
    "counter `/loket`": "/loket?dinas=dinas-03",
    "citizen's screen `/loket/warga`": "/loket/warga?dinas=dinas-03&service=layanan-03&case=k-1",
}
CROWDED: Final = {
    "dinas of 10,000 ASN, by id": f"/dinas/satu?{PERIOD}",
    "dinas of 10,000 ASN, by rank": f"/dinas/satu?{PERIOD}&order=score",
    "ASN of 10,000, with the rank": f"/asn/a-00033?{PERIOD}",
}


def one_file() -> str:
    """The page of the first case that the dinas received, in the same city as the prepared journal's."""
    facts = (one["data"] for one in City(7).facts(FACTS) if one["type"] == type_of("permit-received"))
    data = next(data for data in facts if data["dinas"] == "dinas-03")
    return f"/dinas/dinas-03/file?service={data['service']}&case={data['case']}"


def crowd() -> Iterator[Event]:
    """One dinas of ten thousand, each with some tasks with a due time, under a scheme in which those make a score."""
    indicators = [
        {"id": "ketepatan_waktu", "numerator": "tasks_on_time", "denominator": "tasks_with_due", "direction": "higher",
         "target": "100", "cap": 120, "min_n": 10, "weight": "0.6"},
        {"id": "kepuasan", "numerator": "ikm", "denominator": "respondents", "direction": "higher",
         "target": "88.31", "cap": 120, "min_n": 30, "weight": "0.4"},
    ]  # fmt: skip
    scheme = {"scheme": "ramai", "effective_from": "2026-01-01", "indicators": indicators, "skm_weight": "1/9",
              "min_coverage": "0.6"}  # fmt: skip
    yield event("scheme-adopted", "skema", START, scheme)
    yield from rules()
    yield event("dinas-registered", "satu", START, {"dinas": "satu", "name": "Dinas Satu"})
    for asn in range(STAFF):
        placed = {"asn": f"a-{asn:05}", "dinas": "satu", "effective_from": "2026-01-01"}
        yield event("asn-assigned", f"p-{asn}", START, placed)
        for n in range(10 + asn % 7):
            data = {
                "dinas": "satu", "asn": f"a-{asn:05}", "task": f"t-{asn}-{n}", "completed_at": f"2026-10-{n + 1:02}T09:00:00+07:00",
                "due_at": f"2026-10-{n + 1:02}T{8 + (asn * 7 + n) % 9:02}:00:00+07:00",
            }  # fmt: skip
            yield event("task-completed", f"c-{asn}-{n}", START, data)


def crowded() -> Path:
    """A data directory of that dinas, prepared once."""
    data = DataDirectory(WORK / "data-crowded")
    done = data.path / "prepared"
    if not done.exists():
        shutil.rmtree(data.path, ignore_errors=True)
        data.path.mkdir(parents=True)
        journal = Journal.open(data.journal, ZONE, now_us())
        record(journal, crowd())
        journal.close()
        done.touch()
    return data.path


def measured(source: Path, pages: dict[str, str]) -> Iterator[Figure]:
    """Each page beside the bare endpoint, in a run of its own."""
    with tempfile.TemporaryDirectory() as folder:
        data, body = Path(folder) / "data", Path(folder) / "body"
        shutil.copytree(source, data)
        with served(*command("up", "--data", str(data), "--port", "0")) as up:
            up.wait_ready()
            for name, path in pages.items():
                body.write_bytes(up.get(path))
                with served(sys.executable, "-m", "benchmarks.bare", str(body)) as bare:
                    ours = partial(reads_a_second, up.port, path, SECONDS, 1)
                    theirs = partial(reads_a_second, bare.port, path, SECONDS, 1)
                    ours(), theirs()
                    ratio = pairs(theirs, ours, PAIRS)
                    took = 1000 / ours()
                yield shown(
                    f"{name}: server time ÷ bare endpoint",
                    ratio,
                    note=f"{took:.1f} ms, {body.stat().st_size // 1024} KB",
                )


def run() -> list[Figure]:
    """The figures of this measurement."""
    pages = {**PAGES, "one file": one_file()}
    return [*measured(data_directory(FACTS).path, pages), *measured(crowded(), CROWDED)]
