"""The edits that add a kind of event, file by file, and the check that names a file that was left out.

The kind is `complaint-filed`: a citizen complains of a dinas, under a number of the complaint's own.
"""

from typing import Final, NamedTuple

from tests.tidy.test_kinds import document

TYPES: Final = "mypy"
"""The type checker, over the domain."""
LABELS: Final = "tests/tidy/test_kinds.py::test_every_kind_and_measure_has_its_labels"
TABLED: Final = "tests/tidy/test_house.py::test_every_measure_is_documented_and_no_other"


class Addition(NamedTuple):
    """The edits of one file: each pair is a text that stands in it once, and the text it becomes.

    Without them ``check`` is red, and its report holds ``named``: the file, or what is missing from it.
    """

    file: str
    check: str
    named: str
    edits: tuple[tuple[str, str], ...]


SUBMITTED: Final = '''class ComplaintFiled(Data, frozen=True):
    """A citizen complained of a dinas."""

    dinas: str
    complaint: str
    filed_at: str
    service: str | UnsetType = UNSET
    asn: str | UnsetType = UNSET


class EventName('''

RECORDED: Final = '''class ComplaintResolved(Struct, frozen=True, gc=False):
    """The month in which a complaint counts."""

    month: str


class ComplaintData(Struct, frozen=True, gc=False):
    """A complaint, as folded."""

    dinas: str
    resolved: ComplaintResolved
    service: str = ""
    asn: str = ""


class ComplaintFiled(Entry, frozen=True, gc=False, kw_only=True, tag=type_of("complaint-filed")):
    """A fact: a complaint."""

    data: ComplaintData


CaseFact = '''

ROW: Final = """    Kind(
        "complaint-filed",
        "fact",
        submitted.ComplaintFiled,
        entries.ComplaintFiled,
        natural_keys=(NaturalKey("complaint", ("dinas", "complaint")),),
        names=("service", "complaint", "asn"),
    ),
    Kind(
        "event-retracted",
"""

RESOLVED: Final = """            case ComplaintFiled():
                month = local_month(parse_instant(fact.filed_at), setting.zone)
                return Resolved(month=month, rulebook=setting.rulebook.position, flags=flags)
            case SatisfactionRated():
"""

POSTED: Final = """        case ComplaintFiled(data=complaint):
            account = (complaint.dinas, complaint.asn, complaint.service, complaint.resolved.month)
            return Posting(account, ((COMPLAINTS, 1),))
        case _:
            assert_never(fact)
"""

DRAWN: Final = """def _complaint(scene: Scene, case: Data, dice: Dice) -> Data:
    filed = {"dinas": case["dinas"], "complaint": f"p-{dice.roll(30)}", "filed_at": text_of(scene.past(dice), dice)}
    return filed | ({"service": case["service"]} if dice.chance(2) else {})


class Strategy("""

LABELLED: Final = """msgid "kind.complaint-filed"
msgstr "{label}"

msgid "cause.complaint-filed"
msgstr "{cause}"

msgid "measure.complaints"
msgstr "{measure}"

msgid "measure.received"
"""

COUNTED: Final = '''def complaint_measures(_: Line) -> dict[str, int]:
    """Complaints are counted."""
    return {"complaints": 1}


PLAIN: dict'''

ADDITIONS: Final = (
    Addition(
        "domain/events/submitted.py",
        TYPES,
        'has no attribute "ComplaintFiled"',
        (
            ("class EventName(", SUBMITTED),
            ("TaskCompleted | SatisfactionRated\n", "TaskCompleted | SatisfactionRated | ComplaintFiled\n"),
        ),
    ),
    Addition(
        "domain/events/entries.py",
        TYPES,
        'has no attribute "ComplaintFiled"',
        (
            ("CaseFact = ", RECORDED),
            (
                "PlainFact = TaskCompleted | SatisfactionRated\n",
                "PlainFact = TaskCompleted | SatisfactionRated | ComplaintFiled\n",
            ),
        ),
    ),
    Addition(
        "domain/events/kinds.py",
        "tests/domain/test_kinds.py::test_the_unions_of_a_role_are_its_rows",
        "domain/events/kinds.py",
        (('    Kind(\n        "event-retracted",\n', ROW),),
    ),
    Addition(
        "domain/measures.py",
        TABLED,
        "domain/measures.py",
        (('    "received",\n', '    "received",\n    "complaints",\n'),),
    ),
    Addition(
        "domain/intake/resolve.py",
        TYPES,
        "domain/intake/resolve.py",
        (
            ("            case SatisfactionRated():\n", RESOLVED),
            ("    Fact,\n", "    ComplaintFiled,\n    Fact,\n"),
        ),
    ),
    Addition(
        "domain/fold/postings.py",
        TYPES,
        "domain/fold/postings.py",
        (
            ("        case _:\n            assert_never(fact)\n", POSTED),
            ("    CaseNote,\n", "    CaseNote,\n    ComplaintFiled,\n"),
            (
                "        case PermitProcessed() | TaskCompleted() | SatisfactionRated() | PermitReceived():\n",
                "        case PermitProcessed() | TaskCompleted() | SatisfactionRated() | PermitReceived() | ComplaintFiled():\n",
            ),
            ("ONE_TASK: Final", 'COMPLAINTS: Final = INDEX["complaints"]\nONE_TASK: Final'),
        ),
    ),
    Addition(
        document("events.md"),
        "tests/tidy/test_kinds.py::test_every_kind_of_event_is_documented_with_its_fields",
        document("events.md"),
        (
            (
                "| `event-retracted` |",
                "| `complaint-filed` | `dinas`, `complaint`, `filed_at` [`service`, `asn`] |\n| `event-retracted` |",
            ),
        ),
    ),
    Addition(
        document("digest.md"),
        TABLED,
        document("digest.md"),
        (
            (
                "| `received` | count | permit-received | 1 |\n",
                "| `received` | count | permit-received | 1 |\n| `complaints` | count | complaint-filed | 1 |\n",
            ),
        ),
    ),
    *(
        Addition(
            f"api/locale/{code}.po",
            LABELS,
            f"api/locale/{code}.po: kind.complaint-filed",
            (
                (
                    'msgid "measure.received"\n',
                    LABELLED.format(label=label, cause=cause, measure=measure),
                ),
            ),
        )
        for code, label, cause, measure in (
            ("id", "Pengaduan diajukan", "{n} pengaduan", "pengaduan"),
            ("en", "Complaint filed", "complaints: {n}", "complaints"),
        )
    ),
    Addition(
        "tests/laws/strategies.py",
        "tests/tidy/test_kinds.py::test_every_kind_has_a_strategy",
        "tests/laws/strategies.py",
        (
            ("class Strategy(", DRAWN),
            (
                '    "asn-assigned": Strategy(1, _assignment),\n',
                '    "asn-assigned": Strategy(1, _assignment),\n    "complaint-filed": Strategy(2, _complaint),\n',
            ),
        ),
    ),
    Addition(
        "tests/oracle_facts.py",
        "tests/tidy/test_kinds.py::test_every_fact_has_an_oracle",
        "tests/oracle_facts.py",
        (
            ("PLAIN: dict", COUNTED),
            (
                '    "satisfaction-rated": (None, rating_measures),\n',
                '    "satisfaction-rated": (None, rating_measures),\n    "complaint-filed": ("filed_at", complaint_measures),\n',
            ),
        ),
    ),
)
GREEN: Final = (
    "tests/domain",
    "tests/tidy/test_kinds.py",
    TABLED,
    "tests/laws/test_reach.py",
    "tests/laws/test_natural_keys.py",
    "tests/laws/test_one_history.py",
    "tests/laws/test_ledger_laws.py",
    "tests/streams/test_mapping.py",
)
"""The tests that must pass once all is added."""

USE: Final = '''"""Added with the kind: a complaint is recorded once, counted once, and shown on every page that lists entries."""

from tests.serving import Assembled, event

COMPLAINT = {"dinas": "disdukcapil", "complaint": "p-1", "filed_at": "2026-11-24T10:00:00+07:00", "service": "ktp-el"}


def test_a_complaint_is_counted_once_and_shown(neraca: Assembled) -> None:
    assert neraca.post(event("complaint-filed", "e-1", COMPLAINT)).status_code == 201
    assert neraca.post(event("complaint-filed", "e-2", COMPLAINT)).json()["type"].endswith("natural-key-held")
    ahead = neraca.post(event("complaint-filed", "e-3", COMPLAINT | {"filed_at": "2027-01-01T00:00:00Z"}))
    assert [fault["pointer"] for fault in ahead.json()["errors"]] == ["/data/filed_at"]
    unclean = neraca.post(event("complaint-filed", "e-4", COMPLAINT | {"complaint": "\\n"}))
    assert [fault["pointer"] for fault in unclean.json()["errors"]] == ["/data/complaint"]
    neraca.settle()
    assert neraca.get("/v1/dinas/disdukcapil/why").json()["balance"] == {"complaints": 1}
    pages = {path: neraca.get(path) for path in ("/", "/auditor", "/auditor/journal?q=p-1", "/dinas/disdukcapil")}
    assert {path: page.status_code for path, page in pages.items()} == dict.fromkeys(pages, 200)
    assert "Pengaduan diajukan" in pages["/auditor/journal?q=p-1"].text
    assert "§" not in pages["/auditor/journal?q=p-1"].text
'''
