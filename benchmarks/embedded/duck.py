"""The measures of `docs/reference/digest.md` by account: one DuckDB statement over an export, and proof that it agrees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from domain.measures import CAPS, MEASURES, UNSUR, cap_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.fold.ledger import Balance
    from domain.fold.postings import Account

_FACTS: Final = "'permit-processed', 'task-completed', 'satisfaction-rated', 'permit-received'"
_UNSUR: Final = "STRUCT(" + ", ".join(f"{unsur} INTEGER" for unsur in UNSUR) + ")"
_RESOLVED: Final = '"month" VARCHAR, elapsed_us BIGINT, promise_us BIGINT, on_time BOOLEAN'
_FIELDS: Final = (
    "dinas VARCHAR, asn VARCHAR, service VARCHAR, outcome VARCHAR, reported_by VARCHAR, "
    f"unsur {_UNSUR}, overall INTEGER, scale INTEGER"
)
_FACT: Final = f"STRUCT({_FIELDS}, resolved STRUCT({_RESOLVED}))"
_EMBEDDED: Final = f"STRUCT(type VARCHAR, data {_FACT})"
_DATA: Final = f"STRUCT({_FIELDS}, resolved STRUCT({_RESOLVED}, removes {_EMBEDDED}, adds {_EMBEDDED}))"
_PICKED: Final = (
    "{0}.dinas AS dinas, coalesce({0}.asn, '') AS asn, coalesce({0}.service, '') AS service, {0}.resolved.month AS m, "
    "{0}.outcome AS outcome, {0}.reported_by AS reported_by, {0}.unsur AS unsur, {0}.overall AS overall, {0}.scale AS scale, "
    "{0}.resolved.elapsed_us AS a, {0}.resolved.promise_us AS t, {0}.resolved.on_time AS on_time"
)


def _measures() -> dict[str, str]:
    """An expression over ``f`` for each measure; null where a fact does not post it."""
    permit, task, rating = "kind = 'permit-processed'", "kind = 'task-completed'", "unsur IS NOT NULL"
    terms = {
        "permits": f"({permit})::INT",
        "permits_with_standard": f"({permit} AND on_time IS NOT NULL)::INT",
        "permits_on_time": f"({permit} AND on_time)::INT",
        "permits_rejected": f"({permit} AND outcome = 'rejected')::INT",
        "permits_elapsed_us": f"CASE WHEN {permit} THEN a END",
        "capaian_n": "(c IS NOT NULL)::INT",
        "tasks": f"({task})::INT",
        "tasks_with_due": f"({task} AND on_time IS NOT NULL)::INT",
        "tasks_on_time": f"({task} AND on_time)::INT",
        "tasks_self_reported": f"({task} AND reported_by = 'self')::INT",
        "respondents": f"({rating})::INT",
        "respondent_mean_sum": "mean",
        "respondent_mean_sq": "mean * mean",
        "overall_n": "(overall IS NOT NULL)::INT",
        "overall_sum": "o",
        "overall_sq": "o * o",
        "received": "(kind = 'permit-received')::INT",
    }
    for cap in CAPS:
        cap_terms = "c" if cap is None else f"CASE WHEN c IS NOT NULL THEN least(c, {cap * 100}) END"
        terms |= {
            f"capaian_sum_{cap_name(cap)}": cap_terms,
            f"capaian_sq_{cap_name(cap)}": f"{cap_terms} * {cap_terms}",
        }
    for unsur in UNSUR:
        terms |= {f"unsur_n_{unsur}": f"(unsur.{unsur} IS NOT NULL)::INT", f"unsur_sum_{unsur}": f"unsur.{unsur}"}
    return terms


def statement() -> str:
    """All measures of all leaf accounts, in the order of the closed list."""
    terms = _measures()
    answers = " + ".join(f"(unsur.{unsur} IS NOT NULL)::INT" for unsur in UNSUR)
    total = " + ".join(f"coalesce(unsur.{unsur}, 0)" for unsur in UNSUR)
    sums = ",\n  ".join(f"coalesce(sum(sign * ({terms[name]})), 0)::HUGEINT AS {name}" for name in MEASURES)
    return f"""
WITH lines AS (
  SELECT replace(replace(type, 'neraca.', ''), '.v1', '') AS kind, data
  FROM read_json($path, format = 'newline_delimited', columns = {{'type': 'VARCHAR', 'data': '{_DATA}'}})
), facts AS (
  SELECT kind, 1 AS sign, {_PICKED.format("data")} FROM lines WHERE kind IN ({_FACTS})
  UNION ALL SELECT replace(replace(data.resolved.removes.type, 'neraca.', ''), '.v1', ''), -1,
    {_PICKED.format("data.resolved.removes.data")} FROM lines WHERE kind IN ('event-retracted', 'event-corrected')
  UNION ALL SELECT replace(replace(data.resolved.adds.type, 'neraca.', ''), '.v1', ''), 1,
    {_PICKED.format("data.resolved.adds.data")} FROM lines WHERE kind = 'event-corrected'
), f AS (
  SELECT *,
    CASE WHEN kind = 'permit-processed' AND t > 0 THEN
      CASE WHEN 2 * t - a > 0 THEN (2 * 10000::HUGEINT * (2 * t - a) + t) // (2 * t) ELSE 0 END END::BIGINT AS c,
    CASE WHEN unsur IS NOT NULL THEN (2 * 10000 * ({total}) + 4 * ({answers})) // (8 * ({answers})) END AS mean,
    CASE WHEN overall IS NOT NULL THEN (2 * 10000 * overall + coalesce(scale, 4)) // (2 * coalesce(scale, 4)) END AS o
  FROM facts
)
SELECT dinas, asn, service, m,
  {sums}
FROM f GROUP BY ALL
"""


def agrees(rows: list[tuple[object, ...]], accounts: Mapping[Account, Balance]) -> bool:
    """Whether the statement's accounts are the fold's, to the last digit."""
    ours = {account: balance for account, balance in accounts.items() if any(balance)}
    theirs = {row[:4]: [int(str(value)) for value in row[4:]] for row in rows if any(row[4:])}
    return ours == theirs
