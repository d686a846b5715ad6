"""The version of a projection follows from all that decides how balances are stored, and from the measures' meaning."""

from typing import Any, Final

import pytest

from domain.fold.casefiles import files_of, open_file
from domain.fold.digest import by_dinas, digest
from domain.fold.ledger import Ledger
from domain.fold.postings import postings_of
from projections.store.version import MEANING, PROJECTION_VERSION, stored_form, version_of
from tests.domain.said import CASE, DINAS, HOUR, SERVICE, answered, decided, entry, rules, standard

MONTH: Final = {"month": "2026-11"}
PLACE: Final = {"dinas": DINAS, "service": SERVICE, "case": CASE}
MEANINGS: Final = {1: "073bf0880fa25d4128462682891d52dab94f96e4e6dc5f603a20da7c95018c4f"}
"""The digest that the entries below have had under each meaning. A new digest needs a new meaning, and a row here."""


def changed(form: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Stored forms that differ from today's in one thing."""
    tables, ratings = form["tables"], form["ratings"]
    return {
        "a measure more": form | {"measures": (*form["measures"], "complaints")},
        "a measure less": form | {"measures": form["measures"][:-1]},
        "measures in another order": form | {"measures": form["measures"][::-1]},
        "a measure counts something else": form | {"meaning": form["meaning"] + 1},
        "a column more": form | {"tables": tables | {"why": [*tables["why"], ["kind", "TEXT", False]]}},
        "a table less": form | {"tables": {name: table for name, table in tables.items() if name != "moved"}},
        "a column of another type": form
        | {"tables": tables | {"rules": [["position", "BIGINT", True], ["line", "TEXT", False]]}},
        "a field of the case file more": form | {"case file": [*form["case file"], ["rated", "int"]]},
        "a receipt without its standard": form | {"receipt": form["receipt"][:-1]},
        **{
            f"a field of a {name} more": form | {"ratings": ratings | {name: [*fields, ["rated", "int"]]}}
            for name, fields in ratings.items()
        },
        "fields of a block in another order": form | {"ratings": ratings | {"block": ratings["block"][::-1]}},
        "eleven ratings make a block": form | {"block": [form["block"][0] + 1, form["block"][1]]},
        "a month closes a day later": form | {"block": [form["block"][0], form["block"][1] + 1]},
    }


@pytest.mark.parametrize("what", changed(stored_form()))
def test_whatever_changes_the_stored_form_changes_the_version(what: str) -> None:
    """Every database's integer holds it."""
    version = version_of(changed(stored_form())[what])
    assert version != PROJECTION_VERSION
    assert 0 < version < 2**31


def test_what_the_measures_count_has_a_meaning_of_its_own() -> None:
    """A change to what a measure counts must raise `MEANING`, so that older balances are folded anew."""
    receipt = {**PLACE, "resolved": MONTH | {"received_us": 5 * HOUR, "standard": {"id": "s", "us": HOUR, "unit": "h"}}}
    late = decided(3 * HOUR, 2 * HOUR, asn="a-1", case="K-2", outcome="rejected")
    entries = [
        entry("permit-received", receipt),
        entry("permit-paused", {**PLACE, "at": "2026-11-24T10:00:00+07:00", "reason": "applicant"}),
        decided(HOUR, 2 * HOUR, case="K-3"),
        decided(HOUR, case="K-4"),
        late,
        entry(
            "event-retracted",
            {
                "resolved": {
                    "removes": {
                        "type": "neraca.permit-processed.v1",
                        "data": {
                            "dinas": DINAS,
                            "service": SERVICE,
                            "case": "K-4",
                            "resolved": MONTH | {"elapsed_us": HOUR},
                        },
                    }
                }
            },
        ),
        entry(
            "task-completed",
            {"dinas": DINAS, "asn": "a-1", "reported_by": "self", "resolved": MONTH | {"on_time": True}},
        ),
        answered({"waktu": 4, "biaya": 1}),
        entry("satisfaction-rated", {"dinas": DINAS, "survey": "s", "overall": 2, "scale": 5, "resolved": MONTH}),
    ]
    ledger, files = Ledger(), files_of(entries)
    for each in entries:
        ledger.post(postings_of(each))
    files_open = [file for key, case in files.items() if (file := open_file(key, case)) is not None]
    lines = rules(standard("s-1", 24, "2026-01-01")).lines()
    assert MEANINGS[MEANING] == digest(by_dinas(ledger.accounts), lines, [files_open])
