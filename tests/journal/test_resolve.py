"""The command ``resolve``: facts that were recorded before their standard, on both databases."""

import pytest

from neraca.__main__ import main
from streams.places.directory import DataDirectory
from tests.conftest import Assemble, Places
from tests.journal.desk import answers_to, decided, received, standard, url_of

pytestmark = [pytest.mark.both_databases, pytest.mark.speed("quick")]


def test_facts_recorded_before_their_standard_are_judged_by_command(
    assemble: Assemble, places: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    """Twelve hours and twenty-six against a standard of twenty-four; one file is open."""
    place = places("data")
    location = ["--data", place.label] if isinstance(place, DataDirectory) else ["--database", url_of(place)]
    neraca = assemble()
    late = decided("p2", "B", received_at="2026-11-23T08:00:00+07:00")
    assert set(answers_to(neraca, received("r1", "A"), decided("p1", "A"), late)) == {"accepted"}
    assert set(answers_to(neraca, received("r3", "C"), standard("s", 24))) == {"accepted"}
    neraca.settle()
    assert neraca.get("/v1/dinas/disdukcapil?period=2026-11").json()["counts"]["permits_with_standard"] == 0
    neraca.close()
    for action in ("--dry-run", "--record"):
        assert main(["resolve", *location, action]) == 0
        assert capsys.readouterr().out.splitlines() == [
            "disdukcapil ktp-el: 2 receipts, 2 decisions (1 on time, 1 late)",
            "receipts=2 decisions=2 on_time=1 late=1 without_standard=0",
        ]
    neraca = assemble()
    neraca.settle()
    counts = neraca.get("/v1/dinas/disdukcapil?period=2026-11").json()["counts"]
    assert (counts["permits_with_standard"], counts["permits_on_time"]) == (2, 1)
    (file,) = neraca.get("/v1/dinas/disdukcapil/files").json()["items"]
    assert file["due_at"] is not None
    neraca.close()
    assert main(["resolve", *location, "--record"]) == 0
    assert capsys.readouterr().out == "receipts=0 decisions=0 on_time=0 late=0 without_standard=0\n"
