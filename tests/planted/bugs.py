"""Bugs to plant: where the kernel is broken, how, and which of the laws and tables must say so."""

from typing import Final, NamedTuple

AGREE = "tests/laws/test_one_history.py::test_four_bookkeepers_agree"
BATCHES = "tests/laws/test_one_history.py::test_how_submissions_are_batched_changes_nothing"
FAILS = "tests/laws/test_delivery.py::test_a_fold_that_fails_leaves_balances_and_position_as_they_were"
REDELIVERY = "tests/laws/test_delivery.py::test_redelivery_is_trimmed"
GAP = "tests/laws/test_delivery.py::test_a_gap_is_never_applied"
NEGATION = "tests/laws/test_ledger_laws.py::test_a_reversal_is_the_negation_of_what_it_takes_out"
PREFIX = "tests/laws/test_ledger_laws.py::test_prefix_and_tail_are_the_whole"
UNORDERED = "tests/laws/test_ledger_laws.py::test_the_digest_does_not_depend_on_order"
FIRST_TIME = "tests/laws/test_reversals.py::test_a_corrected_rating_keeps_its_first_time"
PAUSES = "tests/laws/test_reversals.py::test_pauses_are_the_files_unless_the_decision_states_them"
ANY_ORDER = "tests/laws/test_arrival.py::test_receipt_and_decision_may_arrive_in_any_order"
DATED_BACK = "tests/laws/test_arrival.py::test_a_standard_dated_back_judges_no_file_that_is_open"
THROUGH = "tests/laws/test_arrival.py::test_a_reversal_of_a_fact_reaches_through_what_the_service_corrected"
POSTINGS = "tests/domain/test_postings.py"
FREED = "tests/laws/test_reversals.py::test_a_retraction_frees_the_case_and_a_correction_keeps_it"
CHAIN = "tests/laws/test_reversals.py::test_a_chain_of_corrections_leaves_the_last"
CAPAIAN, TIME, SKM = "tests/domain/test_capaian.py", "tests/domain/test_time.py", "tests/domain/test_skm.py"
SCORECARD, RULEBOOK, FILES = (
    "tests/domain/test_scorecard.py",
    "tests/domain/test_rulebook.py",
    "tests/domain/test_casefiles.py",
)

APPLY: Final = "            move = self.apply(db, fresh, segment.zone)\n"
POSITION: Final = (
    "            db.execute(update(SOURCES).where(SOURCES.c.source == segment.source)"
    ".values(position=segment.last, hash=segment.last_hash or ''))\n"
)
COMMIT: Final = '            db.exec_driver_sql("COMMIT")\n            db.exec_driver_sql("BEGIN")\n'


class Bug(NamedTuple):
    """``old`` occurs exactly once in ``file`` and becomes ``new``; each test of ``red`` must then fail."""

    name: str
    file: str
    old: str
    new: str
    red: tuple[str, ...]


BUGS: Final = (
    Bug(
        "a posting is dropped by the ledger itself",
        "domain/fold/ledger.py",
        "in postings:",
        "in tuple(postings)[:1]:",
        (AGREE,),
    ),
    Bug(
        "a posting is dropped by the store alone",
        "projections/store/store.py",
        "for posting in postings_of(entry)]",
        "for posting in postings_of(entry)[:1]]",
        (AGREE,),
    ),
    Bug(
        "a posting is applied twice",
        "projections/store/store.py",
        "for posting in postings_of(entry)]",
        "for posting in postings_of(entry) * (2 if position % 7 == 0 else 1)]",
        (AGREE,),
    ),
    Bug(
        "what an account held is forgotten",
        "projections/store/store.py",
        "        ledger.post(present)\n",
        "",
        (AGREE,),
    ),
    Bug(
        "a retraction is swallowed",
        "domain/fold/postings.py",
        "            return (negated(posting_of(entry.data.resolved.removes)),)\n",
        "            return ()\n",
        (AGREE, NEGATION),
    ),
    Bug("the position is committed first", "projections/store/store.py", APPLY, POSITION + COMMIT + APPLY, (FAILS,)),
    Bug("the position is committed apart", "projections/store/store.py", APPLY, APPLY + COMMIT, (FAILS,)),
    Bug(
        "a gap is applied",
        "projections/store/store.py",
        "if segment.after > position:",
        "if segment.after > position + 9999:",
        (GAP,),
    ),
    Bug(
        "what was folded before is not trimmed",
        "projections/store/store.py",
        "if entry[0] > position]",
        "if entry[0] > position or entry[0] % 5 == 0]",
        (REDELIVERY,),
    ),
    Bug(
        "the cap is applied to the sum, not to each case",
        "domain/capaian.py",
        "    return tuple(capaian_bp if cap is None else min(capaian_bp, cap * 100) for cap in CAPS)\n",
        "    return tuple(capaian_bp for cap in CAPS)\n",
        (AGREE, CAPAIAN),
    ),
    Bug(
        "halves round to even",
        "domain/capaian.py",
        "    return (2 * numerator + denominator) // (2 * denominator)\n",
        "    from fractions import Fraction\n\n    return round(Fraction(numerator, denominator))\n",
        (CAPAIAN, SCORECARD, SKM),
    ),
    Bug(
        "a share is cut off instead of rounded",
        "domain/fold/postings.py",
        "    return half_up(10_000 * (rating.overall or 0), rating.scale)\n",
        "    return 10_000 * (rating.overall or 0) // rating.scale\n",
        (POSTINGS,),
    ),
    Bug(
        "the month is that of UTC",
        "domain/clock.py",
        "return local_date(instant_us, zone).iso",
        "return local_date(instant_us, UTC).iso",
        (AGREE, TIME),
    ),
    Bug(
        "the floor is applied after the cases are added",
        "domain/capaian.py",
        " if time_saved_us > 0 else 0",
        "",
        (AGREE, CAPAIAN),
    ),
    Bug(
        "a general standard beats the dinas's own",
        "domain/rules/rulebook.py",
        'for owner in (dinas, ""):',
        'for owner in ("", dinas):',
        (RULEBOOK,),
    ),
    Bug(
        "overlapping pauses count twice",
        "domain/fold/casefiles.py",
        "max(begin, start_us, parts[-1][1] if parts else start_us)",
        "max(begin, start_us)",
        (FILES, PAUSES),
    ),
    Bug(
        "a corrected rating counts in the month of its correction",
        "domain/intake/resolve.py",
        "resolve_fact(correct, stored_instant(removal.time), ",
        "resolve_fact(correct, stored_instant(removal.time) + 32 * 86_400_000_000, ",
        (FIRST_TIME,),
    ),
    Bug(
        "a retracted decision still holds its case",
        "streams/intake/recording.py",
        "None if adds is None else query.originator",
        "query.originator",
        (FREED,),
    ),
    Bug(
        "a reversal takes out what was said first, not what stands",
        "streams/intake/recording.py",
        "        return key, event.fact\n",
        "        return key, EffectiveFact(event.type, event.time, event.data)\n",
        (CHAIN,),
    ),
    Bug(
        "a decision takes the standard of today, not that of its receipt",
        "domain/intake/resolve.py",
        "_standard(fact, received_us, setting) if case is None else case.standard",
        "_standard(fact, received_us, setting)",
        (DATED_BACK,),
    ),
    Bug(
        "a receipt that comes late judges nothing",
        "streams/intake/own_corrections.py",
        "if resolution is not None and judged_otherwise(",
        "if resolution is None and judged_otherwise(",
        (ANY_ORDER,),
    ),
    Bug(
        "a correction of the service hides what it corrected",
        "streams/intake/cases.py",
        "            if not is_own(reversal):\n",
        "            if True:\n",
        (THROUGH,),
    ),
    Bug(
        "parts of an export are joined without their accounts",
        "audit/folded.py",
        "        self._ledger.merge(following._ledger)\n",
        "",
        (AGREE, PREFIX),
    ),
    Bug(
        "the digest keeps the order of storage",
        "domain/fold/digest.py",
        "        lines.sort()\n",
        "",
        (UNORDERED,),
    ),
    Bug("the minimum sample is not asked for", "domain/score/scoring.py", " and n >= indicator.min_n", "", (AGREE,)),
)
GREEN: Final = tuple(sorted({test for bug in BUGS for test in bug.red}))
