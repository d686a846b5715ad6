"""Events that are well formed and refused for what they say: of an open case, of a rule, of another event."""

from typing import Final

from tests.api.bad_events import (
    CASE,
    DECISION,
    FUTURE,
    INVALID,
    ON_TIME,
    RATING,
    RECEIPT,
    SCHEME,
    STANDARD,
    TASK,
    Refused,
    bad,
    reversal,
    scheme,
)
from tests.serving import event

MEANINGS: Final[tuple[Refused, ...]] = (
    bad(
        "decision without a receipt",
        "permit-processed",
        {**CASE, "case": "K-9", "completed_at": "2026-11-20T10:00:00+07:00"},
        "/data/received_at",
    ),
    bad(
        "decision 61 s before its receipt",
        "permit-processed",
        {**DECISION, "completed_at": "2026-11-20T07:58:59+07:00"},
        "/data/completed_at",
    ),
    bad(
        "pausing what is not open",
        "permit-paused",
        {**CASE, "case": "K-9", "at": "2026-11-21T08:00:00+07:00", "reason": "payment"},
        "/data/case",
    ),
    bad(
        "pausing what is decided",
        "permit-paused",
        {**CASE, "case": "K-3", "at": "2026-11-21T08:00:00+07:00", "reason": "payment"},
        "/data/case",
    ),
    bad(
        "pausing what is paused",
        "permit-paused",
        {**CASE, "case": "K-2", "at": "2026-11-22T08:00:00+07:00", "reason": "payment"},
        "/data/case",
    ),
    bad(
        "resuming what runs", "permit-resumed", {**CASE, "case": "K-1", "at": "2026-11-21T08:00:00+07:00"}, "/data/case"
    ),
    bad(
        "resuming before the pause",
        "permit-resumed",
        {**CASE, "case": "K-2", "at": "2026-11-21T08:00:00+07:00"},
        "/data/at",
    ),
    bad("neither case nor survey", "satisfaction-rated", {"dinas": "d", "overall": 3}, "/data/case"),
    bad("case and survey", "satisfaction-rated", {**RATING, **CASE, "case": "K-1"}, "/data/case"),
    bad("case without service", "satisfaction-rated", {"dinas": "d", "case": "K-1", "overall": 3}, "/data/service"),
    bad("neither unsur nor overall", "satisfaction-rated", {"dinas": "d", "survey": "S-9"}, "/data/unsur"),
    bad("unsur and overall", "satisfaction-rated", {**RATING, "unsur": {"waktu": 3}}, "/data/unsur"),
    *(
        bad(name, "satisfaction-rated", {"dinas": "d", "survey": "S-9", "unsur": unsur}, f"/data/unsur{pointer}")
        for name, unsur, pointer in (
            ("unsur unknown", {"cuaca": 3}, "/cuaca"),
            ("unsur 0", {"waktu": 0}, "/waktu"),
            ("unsur 5", {"waktu": 5}, "/waktu"),
            ("unsur empty", {}, ""),
        )
    ),
    bad("overall beyond 4", "satisfaction-rated", {**RATING, "overall": 5}, "/data/overall"),
    bad("overall beyond its scale", "satisfaction-rated", {**RATING, "overall": 6, "scale": 5}, "/data/overall"),
    bad("overall 0", "satisfaction-rated", {**RATING, "overall": 0}, "/data/overall"),
    bad("overall a fraction", "satisfaction-rated", {**RATING, "overall": 3.5}, "/data/overall"),
    bad("overall true", "satisfaction-rated", {**RATING, "overall": True}, "/data/overall"),
    bad("scale 11", "satisfaction-rated", {**RATING, "scale": 11}, "/data/scale"),
    bad("scale 1", "satisfaction-rated", {**RATING, "scale": 1}, "/data/scale"),
    *(
        bad(f"standard in {unit}", "standard-set", {**STANDARD, "unit": unit}, "/data/unit")
        for unit in ("working_minutes", "working_days", "hours")
    ),
    *(
        bad(f"standard of {amount}", "standard-set", {**STANDARD, "amount": amount}, "/data/amount")
        for amount in (0, -1, 10**30, "24")
    ),
    bad("standard from no date", "standard-set", {**STANDARD, "effective_from": "2026-02-30"}, "/data/effective_from"),
    bad(
        "assignment reversed",
        "asn-assigned",
        {"asn": "a-1", "dinas": "d", "effective_from": "2026-02-01", "effective_to": "2026-01-31"},
        "/data/effective_to",
    ),
    bad("dinas without a name", "dinas-registered", {"dinas": "d", "name": ""}, "/data/name"),
    bad(
        "scheme not on a month's first",
        "scheme-adopted",
        {**SCHEME, "effective_from": "2026-12-02"},
        "/data/effective_from",
    ),
    bad("scheme of the past", "scheme-adopted", {**SCHEME, "effective_from": "2026-10-01"}, "/data/effective_from"),
    bad("weights short of 1", "scheme-adopted", scheme(weight="0.999999999999"), "/data/indicators"),
    bad("no indicators", "scheme-adopted", {**SCHEME, "indicators": []}, "/data/indicators"),
    bad(
        "an indicator twice",
        "scheme-adopted",
        {**SCHEME, "indicators": [{**ON_TIME, "weight": "0.5"}] * 2},
        "/data/indicators",
    ),
    *(
        bad(f"{name} {value!r}", "scheme-adopted", scheme(**{name: value}), f"/data/indicators/0/{name}")
        for name, value in (
            ("cap", 105),
            ("target", "0"),
            ("target", "-1"),
            ("weight", 1),
            ("weight", "1e0"),
            ("min_n", 0),
            ("direction", "up"),
            ("numerator", "permits_elapsed_us"),
            ("denominator", "capaian_sum_120"),
        )
    ),
    bad(
        "cap beside its measure's name",
        "scheme-adopted",
        scheme(numerator="capaian_sum_110", denominator="capaian_n"),
        "/data/indicators/0/cap",
    ),
    bad(
        "ikm over permits",
        "scheme-adopted",
        scheme(numerator="ikm", denominator="permits"),
        "/data/indicators/0/denominator",
    ),
    bad("skm_weight 0", "scheme-adopted", {**SCHEME, "skm_weight": "0"}, "/data/skm_weight"),
    bad("skm_weight by zero", "scheme-adopted", {**SCHEME, "skm_weight": "1/0"}, "/data/skm_weight"),
    bad("min_coverage beyond 1", "scheme-adopted", {**SCHEME, "min_coverage": "1.1"}, "/data/min_coverage"),
    *(
        Refused(name, body, 422, INVALID, (pointer,))
        for name, body, pointer in (
            ("retraction of nothing", reversal("event-retracted", "nowhere"), "/data/event"),
            ("retraction of a rule", reversal("event-retracted", "reg"), "/data/event"),
            ("retraction of a retraction", reversal("event-retracted", "x2"), "/data/event"),
            ("retraction of a pause", reversal("event-retracted", "z2"), "/data/event"),
            ("retraction in free text", reversal("event-retracted", "t1", reason="Salah ketik"), "/data/reason"),
            (
                "retraction naming no source",
                event("event-retracted", "bad", {"event": {"id": "t1"}, "reason": "x"}),
                "/data/event/source",
            ),
            ("correction without data", reversal("event-corrected", "t1"), "/data/replacement"),
            (
                "correction that moves dinas",
                reversal("event-corrected", "t1", replacement={**TASK, "dinas": "d2"}),
                "/data/replacement/dinas",
            ),
            (
                "correction that moves case",
                reversal("event-corrected", "r1", replacement=RECEIPT),
                "/data/replacement/case",
            ),
            (
                "correction that moves service",
                reversal("event-corrected", "r1", replacement={**RECEIPT, "case": "K-1", "service": "kk"}),
                "/data/replacement/service",
            ),
            (
                "correction that moves survey",
                reversal("event-corrected", "q-s1", replacement=RATING),
                "/data/replacement/survey",
            ),
            (
                "correction into the future",
                reversal("event-corrected", "t1", replacement={**TASK, "completed_at": FUTURE}),
                "/data/replacement/completed_at",
            ),
            (
                "correction to another kind",
                reversal("event-corrected", "r1", replacement={**RECEIPT, "task": "T"}),
                "/data/replacement/task",
            ),
        )
    ),
    Refused("retraction twice", reversal("event-retracted", "t2"), 409, "already-reversed", holder="x2"),
    Refused(
        "correction of what is retracted",
        reversal("event-corrected", "t2", replacement=TASK),
        409,
        "already-reversed",
        holder="x2",
    ),
    Refused("same name, other data", event("task-completed", "t1", TASK), 409, "content-conflict", holder="t1"),
    Refused(
        "same name, other time",
        event("task-completed", "t1", {**TASK, "task": "T-1"}, time="2026-11-24T10:00:00+07:00"),
        409,
        "content-conflict",
        holder="t1",
    ),
    Refused(
        "a second receipt",
        event("permit-received", "bad", {**RECEIPT, "case": "K-1"}),
        409,
        "natural-key-held",
        holder="r1",
    ),
    Refused(
        "a second decision",
        event("permit-processed", "bad", {**DECISION, "case": "K-3"}),
        409,
        "natural-key-held",
        holder="p3",
    ),
    Refused(
        "a second rating",
        event("satisfaction-rated", "bad", {**CASE, "case": "K-3", "overall": 1}),
        409,
        "natural-key-held",
        holder="q3",
    ),
    Refused(
        "a survey answered again",
        event("satisfaction-rated", "bad", {**RATING, "survey": "S-1"}),
        409,
        "natural-key-held",
        holder="q-s1",
    ),
)
