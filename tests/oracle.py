"""A second, naive bookkeeper over exported journal lines: it catches a wrong rule that a shared kernel would repeat.

It was card_parts from the documents alone, imports nothing of the project, and never looks at `data.resolved` or
`contenthash`: every figure is derived anew from the data as submitted and the order of positions.
The facts in force are in `oracle_books.py`, the postings of one in `oracle_facts.py`, scores and ranks in
`oracle_scores.py`.
"""

import hashlib
from collections import defaultdict
from datetime import datetime

from tests.oracle_books import Books, canonical
from tests.oracle_facts import Line, us_at
from tests.oracle_scores import Place, card_parts, months_of, places, read_all, scheme_for, weigh

COUNTED_PERMITS = ("permits", "permits_with_standard", "permits_on_time", "permits_rejected")
COUNTED_TASKS = ("tasks", "tasks_with_due", "tasks_on_time", "tasks_self_reported")


class Oracle(Books):
    """The balances of a journal, worked out slowly and plainly, and what is served of them."""

    def open_files(self, now: datetime) -> list[Line]:
        """List the open files by case; overdue is past the due instant, on a clock that stands while a file is paused.

        A `due_at` is a raw instant: no pause moves it, none stops its clock.
        """
        files = []
        for (dinas, service, case), file in self.files():
            stands = file["kind"] == "standard" and file["paused_us"] is not None
            clock = min(us_at(now), file["paused_us"]) if stands else us_at(now)
            overdue = file["due_us"] is not None and clock > file["due_us"]
            files.append({"dinas": dinas, "service": service, "case": case, "asn": file["asn"], "overdue": overdue})
        return files

    def digest(self) -> str:
        """One SHA-256 over the lines of accounts, rules and open files, each group sorted bytewise."""
        groups = (
            [canonical({"account": list(account), "measures": amounts}) for account, amounts in self.balances.items()],
            [canonical(rule) for rules in self.rules.values() for rule in rules.values()],
            [canonical(file) for _, file in self.files()],
        )
        text = b"".join(line + b"\n" for group in groups for line in sorted(item.encode() for item in group))
        return hashlib.sha256(text).hexdigest()

    def totals(self, kind: str, subject: str, period: str, within: str | None = None) -> dict[str, int]:
        """Sum the leaves: of a dinas, or of an ASN over all dinas (or `within` one), over the months of the period."""
        months = months_of(period)
        sums: dict[str, int] = defaultdict(int)
        for (dinas, asn, _, month), measures in self.balances.items():
            mine = subject == dinas if kind == "dinas" else subject == asn and within in {None, dinas}
            if mine and month in months:
                for measure, amount in measures.items():
                    sums[measure] += amount
        return dict(sums)

    def _registered(self, kind: str, subject: str) -> bool:
        """A dinas by its registration; an ASN by that, or by an assignment."""
        by_assignment = kind == "asn" and any(asn == subject for asn, _, _ in self.rules["assignment"])
        return by_assignment or (subject,) in self.rules[kind]

    def scorecard(
        self,
        kind: str,
        id: str,  # noqa: A002 - the word of the contract
        period: str,
        now: datetime,
        within: str | None = None,
    ) -> Line:
        """Write the scorecard of `/v1` for a `dinas` or an `asn`: percent, half-up to 2 decimals, at this edge only."""
        total = self.totals(kind, id, period, within)
        scheme = scheme_for(self.rules["scheme"].values(), period)
        files = [
            item
            for item in self.open_files(now)
            if item[kind] == id and (kind == "dinas" or within in {None, item["dinas"]})
        ]
        counts = {name: total.get(name, 0) for name in COUNTED_PERMITS + COUNTED_TASKS} | {
            "permits_open": len(files),
            "permits_open_overdue": sum(item["overdue"] for item in files),
            "ratings": total.get("respondents", 0) + total.get("overall_n", 0),
        }
        return {
            "subject": {"kind": kind, "id": id},
            "period": period,
            "position": self.position,
            "scheme": scheme.id,
            "registered": self._registered(kind, id),
            "counts": counts,
        } | card_parts(scheme, total)

    def places_dinas(self, period: str, now: datetime) -> list[Place]:
        """Place every dinas with a measure in the period, an open file or a registration: best and worst rank."""
        subjects = {account[0] for account in self.balances if account[3] in months_of(period)}
        subjects |= {item["dinas"] for item in self.open_files(now)} | {key[0] for key in self.rules["dinas"]}
        scheme = scheme_for(self.rules["scheme"].values(), period)
        totals = {dinas: self.totals("dinas", dinas, period) for dinas in subjects}
        return places({dinas: weigh(scheme, read_all(scheme, total)) for dinas, total in totals.items()})

    def ranking_dinas(self, period: str, now: datetime) -> list[tuple[str, int | None]]:
        """List the same in order, each dinas with its best rank, or None while it has none."""
        return [(place.id, place.best) for place in self.places_dinas(period, now)]
