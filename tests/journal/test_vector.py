"""Partitions folded apart: what is served of them, and that the vector served with it is enough to prove it."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import msgspec
import pytest

from domain.events.entries import decode
from domain.fold.partition import Vector, dinas_of, partition_of
from domain.intake.wire import read_submission
from neraca.__main__ import main
from projections.ports import LOCAL
from streams.intake.recording import Policy
from streams.intake.service import IntakeService
from tests.journal.folding import HISTORY
from tests.serving import OPEN, ZONE, Assembled, Clock, until

pytest.importorskip("psycopg", reason="the extra is not installed: pip install 'neraca[postgres]'")

from api.app import AppParts, build
from neraca.cluster import watched_balances
from neraca.wiring import replays_of
from projections.reading.reader import Reader
from projections.segment import WrongJournal
from projections.store.partitions import PartitionStore
from streams.journal.journal import Journal, line_hash
from streams.kafka.segment_record import packed
from streams.layouts import Layouts
from streams.places.database import Database
from streams.relay.cursors import SETTLED, Cursors
from streams.relay.cutting import Cutter
from streams.worker.fold import PartitionFold, Record, Trust
from streams.worker.parts import reopener
from tests.kafka.guard_database import epoch_of

PARTITIONS = 3
CLOCK = Clock()


class City:
    """A journal of one history in a database, cut into partitions that a test folds as far as it likes."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.database = Database(url).prepare()
        with Assembled(self.database, clock=CLOCK) as alone:
            alone.record(*HISTORY[:7])
        self.journal = Journal.open(self.database.journal, ZONE, CLOCK())
        self.layout = Layouts(self.database, self.journal).current(PARTITIONS)
        self.store = PartitionStore(
            reopener(self.database), self.layout.number, PARTITIONS, "w", epoch_of(self.database, "w"), ZoneInfo(ZONE)
        )
        letters: list[object] = []
        trust = Trust(None, ZoneInfo(ZONE))
        self.fold = PartitionFold(self.store, self.journal.id, self.layout.number, letters.append, trust)
        self._outbox = Cutter(self.journal.id, self.layout.number, PARTITIONS)
        start = self.layout.from_position
        self._cursors = Cursors(start, (start,) * PARTITIONS, (SETTLED,) * PARTITIONS)
        self._offsets = [0] * PARTITIONS

    def go_on(self, partitions: set[int], size: int) -> None:
        """Cut the next entries, and fold those of some partitions."""
        segments, self._cursors = self._outbox.cut(self.journal.lines(self._cursors.scanned, size), self._cursors)
        for segment in segments:
            record = Record(segment.partition, self._offsets[segment.partition], packed(segment))
            self._offsets[segment.partition] += 1
            if segment.partition in partitions:
                self.fold.fold([record])

    def fold_rules(self, last: int) -> None:
        """Fold the rulebook's entries up to a position."""
        line = self.journal.lines_at([last])[last]
        self.store.fold_rules(
            last,
            line_hash(line),
            lambda after: [(at, line, decode(line)) for at, line in self.journal.rule_lines(after)],
        )


@pytest.fixture
def city(database_url: str) -> Iterator[City]:
    """A city whose first entries one process folded alone, the rest recorded since then."""
    city = City(database_url)
    intake = IntakeService(city.journal, Policy(ZoneInfo(ZONE)), CLOCK)
    intake.submit([read_submission(event) for event in HISTORY[7:]], LOCAL)
    intake.close()
    yield city
    city.journal.close()


def _replayed(city: City, vector: object, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, str]:
    until = msgspec.json.encode(vector).decode()
    assert main(["replay", *(options or ("--database", city.url)), "--until", until]) == 0
    answer = json.loads(capsys.readouterr().out)
    return answer["position"], answer["digest"]


def test_a_vector_replays_to_the_digest_served_with_it(
    city: City, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The journal and a vector of any positions give the digest served; so does an exported file."""
    live, watcher = watched_balances(city.database, city.journal)
    reader = Reader(live, ZoneInfo(ZONE), CLOCK)
    export = tmp_path / "journal.ndjson"
    assert main(["export", "--database", city.url, "--journal", str(export)]) == 0
    vectors = set()
    for mine, size, rules in (({0}, 6, 10), ({0, 1, 2}, 5, 12), (set(), 4, 20), ({1}, 4, 25), ({2, 0}, 50, 29)):
        city.go_on(mine, size)
        city.fold_rules(rules)
        watcher.look()
        with reader.snapshot() as snapshot:
            vector, digest = snapshot.version.at.vector, snapshot.digest()
        assert vector is not None
        decoded_vector = msgspec.convert(vector, Vector)
        assert (decoded_vector.position, snapshot.position) == (
            min(*decoded_vector.partitions, decoded_vector.rulebook),
        ) * 2
        assert _replayed(city, vector, capsys) == (decoded_vector.position, digest)
        assert _replayed(city, vector, capsys, "--journal", str(export)) == (decoded_vector.position, digest)
        vectors.add(digest)
    assert len(vectors) > 2, "the partitions stood at different places"


def test_an_answer_carries_its_vector(city: City) -> None:
    """In a header of every read, kept with it in the tag; a partition that moves makes another answer."""
    live, watcher = watched_balances(city.database, city.journal)
    app = build(
        AppParts(live, Reader(live, ZoneInfo(ZONE), CLOCK), city.journal, city.database.token_store(), doors=OPEN)
    )

    async def asked(tag: str = "") -> httpx.Response:
        transport = httpx.ASGITransport(app.app, client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return await client.get("/v1/rankings/dinas?period=2026-11", headers={"if-none-match": tag})

    first = asyncio.run(asked())
    vector = json.loads(first.headers["neraca-vector"])
    assert vector == {"partitions": [8, 8, 8], "rulebook": 8}
    assert asyncio.run(asked()).headers["neraca-vector"] == first.headers["neraca-vector"]
    assert asyncio.run(asked(first.headers["etag"])).status_code == httpx.codes.NOT_MODIFIED
    city.go_on({partition_of("disdukcapil", PARTITIONS)}, 9)
    watcher.look()
    second = asyncio.run(asked(first.headers["etag"]))
    assert second.status_code == httpx.codes.OK
    assert second.json()["position"] == first.json()["position"] == 8
    assert json.loads(second.headers["neraca-vector"]) != vector


def test_an_auditor_proves_what_is_served_of_partitions_that_stand_apart(city: City) -> None:
    """Its desk replays to the vector, and compares with an earlier position; the command it prints comes to the same."""
    live, watcher = watched_balances(city.database, city.journal)
    city.go_on({0}, 6)
    city.go_on({0, 1}, 5)
    city.fold_rules(10)
    watcher.look()
    replays = replays_of(city.database, CLOCK)
    app = build(
        AppParts(
            live,
            Reader(live, ZoneInfo(ZONE), CLOCK),
            city.journal,
            city.database.token_store(),
            replays=replays,
            doors=OPEN,
        )
    )

    def get(path: str) -> httpx.Response:
        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(app.app, client=("127.0.0.1", 1))
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
                return await client.get(path)

        return asyncio.run(asked())

    address = get("/auditor?period=2026-11&position=5").headers["location"].partition("#")[0]
    until(lambda: "http-equiv" not in get(address).text, "an answer")
    html = get(address).text
    replays.close()
    assert "✓ sama, 64 dari 64 karakter" in html
    vector = msgspec.json.encode(live.at.vector).decode()
    assert len({*live.at.partitions}) > 1, "the partitions stand at different places"
    assert f"--since 5 --until '{vector}'" in html.replace("&#34;", '"').replace("&#39;", "'")


def test_what_workers_fold_is_not_folded_by_one_process(city: City, capsys: pytest.CaptureFixture[str]) -> None:
    """It would fold everything a second time; a rebuild takes the balances back."""
    with pytest.raises(WrongJournal, match="folded by workers, in partitions"):
        Assembled(city.database, clock=CLOCK)
    assert main(["rebuild", "--database", city.url, "--undivided"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert "vector" not in answer
    with Assembled(city.database, clock=CLOCK) as alone:
        assert alone.settle() == answer["position"] == len(HISTORY) + 1


def test_every_entry_has_a_partition_or_is_the_rulebooks(city: City) -> None:
    """A reversal belongs where the fact it embeds does."""
    dinas_in_order = [dinas_of(decode(line)) for _, line in city.journal.lines(0, 100)]
    assert dinas_in_order[:2] == [None, None]
    reversals = [
        dinas
        for dinas, (_, line) in zip(dinas_in_order, city.journal.lines(0, 100), strict=True)
        if b'"removes"' in line
    ]
    assert set(reversals) == {"disdukcapil", "dpmptsp"}
    assert len(reversals) == sum(
        event["type"] in ("neraca.event-retracted.v1", "neraca.event-corrected.v1") for event in HISTORY
    )
