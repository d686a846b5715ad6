"""A kind that no catalog has a label for is called by its name: a page that lacks a word still answers."""

from typing import Final
from zoneinfo import ZoneInfo

import msgspec
import pytest

from api.pages.auditor.journal import kinds, sign_of
from api.pages.auditor.replay import causes_of
from api.pages.catalog import load_labels
from api.pages.sentences import what
from api.pages.words import Words
from domain.events.kinds import KINDS, OPENING
from domain.events.names import type_of
from domain.intake.recorded import read_line

LABELS: Final = {
    name: label for name, label in load_labels().items() if not name.startswith(("kind.", "cause.", "journal.kind_"))
}
WORDS: Final = Words("id", ZoneInfo("Asia/Jakarta"), LABELS)
SIGNS: Final = {"event-corrected": "±", "event-retracted": "−", "permit-paused": "❚❚", "permit-resumed": "▶"}


@pytest.mark.parametrize("kind", [*KINDS, OPENING])
def test_a_kind_without_a_label_is_called_by_its_name(kind: str) -> None:
    fact = {"type": type_of("task-completed"), "time": "", "data": {}}
    assert what(type_of(kind), {}, WORDS) == kind
    assert what(type_of(kind), {"resolved": {"removes": fact}}, WORDS) == kind
    assert (kind, kind) in kinds(WORDS)


def test_a_cause_without_a_label_is_called_by_its_kind() -> None:
    assert causes_of({"task-completed": 1204}, WORDS) == "task-completed: 1.204"


@pytest.mark.parametrize("kind", [*KINDS, OPENING, "complaint-filed"])
def test_the_mark_of_an_entry_follows_from_its_role(kind: str) -> None:
    """Facts have none; what this version does not know is marked as rules are."""
    line = {"type": type_of(kind), "source": "s", "id": "i", "time": "2026-11-24T00:00:00Z", "data": {}}
    sign = "" if kind in KINDS and KINDS[kind].role == "fact" else SIGNS.get(kind, "§")
    assert sign_of(read_line(msgspec.json.encode(line))) == sign
