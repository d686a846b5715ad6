"""A second, naive bookkeeper over exported journal lines: it catches a wrong rule that a shared kernel would repeat.

It was written from the documents alone, imports nothing of the project, and never looks at `data.resolved` or
`contenthash`: every figure is derived anew from the data as submitted and the order of positions.
The postings of one fact are in `oracle_facts.py`, scores and ranks are in `oracle_scores.py`.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from tests.oracle_facts import (
    HOUR_US,
    PLAIN,
    Line,
    Span,
    paused_within,
    permit_measures,
    us_at,
    us_of,
)
from tests.oracle_scores import Place, card_parts, months_of, places, read_all, scheme_for, weigh

Ref = tuple[str, str]
Case = tuple[str, str, str]
Account = tuple[str, str, str, str]

RULE_KEYS = {
    "dinas-registered": ("dinas", ("dinas",)),
    "asn-registered": ("asn", ("asn",)),
    "asn-assigned": ("assignment", ("asn", "dinas", "effective_from")),
    "standard-set": ("standard", ("service", "dinas", "effective_from")),
    "scheme-adopted": ("scheme", ("effective_from",)),
}
RULE_DEFAULTS: dict[str, dict[str, str | None]] = {"standard": {"dinas": ""}, "assignment": {"effective_to": None}}
COUNTED_PERMITS = ("permits", "permits_with_standard", "permits_on_time", "permits_rejected")
COUNTED_TASKS = ("tasks", "tasks_with_due", "tasks_on_time", "tasks_self_reported")


@dataclass(frozen=True)
class Fact:
    """A fact in force: its data, its postings, and (of a receipt) the time promised for the decision."""

    kind: str
    data: Line
    time: str
    account: Account
    measures: dict[str, int]
    received_us: int = 0
    due_us: int | None = None
    standard_us: int | None = None


def canonical(value: object) -> str:
    """Canonical JSON: keys sorted, no white space, no escapes but those JSON demands."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def case_of(data: Line) -> Case:
    """Cases are named by dinas, service and their own id together."""
    return data["dinas"], data["service"], data["case"]


class Oracle:
    """The balances of a journal, worked out slowly and plainly: collect the facts in force, add them up at the end."""

    def __init__(self, lines: Iterable[Line], zone: str = "Asia/Jakarta") -> None:
        """Read `lines` in the order of their positions; the zone the journal was opened with beats `zone`.

        Raises: ValueError on an event type it does not know.
        """
        self.zone = ZoneInfo(zone)
        self.position = 0
        self.rules: dict[str, dict[tuple[str, ...], Line]] = {rule: {} for rule, _ in RULE_KEYS.values()}
        self.standing: dict[Ref, Fact] = {}
        self.receipts: dict[Case, Fact] = {}
        self.decisions: dict[Case, Fact] = {}
        self.clock: dict[Case, list[tuple[int, int, bool]]] = defaultdict(list)
        for line in sorted(lines, key=lambda entry: int(entry["position"])):
            self.position = int(line["position"])
            self._read(line)
        self.balances = self._add_up()

    def _read(self, line: Line) -> None:
        """Take in one line; intake's resolved data are ignored, and null means the same as a field left out."""
        kind = line["type"].removeprefix("neraca.").removesuffix(".v1")
        data = {name: value for name, value in line["data"].items() if name != "resolved" and value is not None}
        ref = (line.get("source", ""), line.get("id", ""))
        match kind:
            case "journal-opened":
                self.zone = ZoneInfo(data["zone"])
            case "permit-paused" | "permit-resumed":
                self.clock[case_of(data)].append((us_of(data["at"]), self.position, kind == "permit-paused"))
            case "permit-received" | "permit-processed":
                self._stand(ref, self._resolve(kind, data, line["time"]))
            case _ if kind in PLAIN:
                self._stand(ref, self._resolve(kind, data, line["time"]))
            case "event-retracted":
                self._fall(data["event"])
            case "event-corrected":
                old = self._fall(data["event"])
                new = {name: value for name, value in data["replacement"].items() if value is not None}
                self._stand(ref, self._resolve(old.kind, new, old.time))
            case _ if kind in RULE_KEYS:
                rule, key = RULE_KEYS[kind]
                reference = {"event": f"{ref[0]}#{ref[1]}"} if rule == "standard" else {}
                content = RULE_DEFAULTS.get(rule, {}) | data | {"rule": rule} | reference
                self.rules[rule][tuple(content[name] for name in key)] = content
            case _:
                message = f"tests/oracle_facts.py knows no {line['type']}, which is at position {self.position}"
                raise ValueError(message)

    def _stand(self, ref: Ref, fact: Fact) -> None:
        """Let a fact stand under an event's name, and as the receipt or the decision of its case."""
        self.standing[ref] = fact
        files = {"permit-received": self.receipts, "permit-processed": self.decisions}.get(fact.kind)
        if files is not None:
            files[case_of(fact.data)] = fact

    def _fall(self, event: Line) -> Fact:
        """Take out the fact under an event's name; a fact already corrected is under its correction's name instead."""
        fact = self.standing.pop((event["source"], event["id"]))
        files = {"permit-received": self.receipts, "permit-processed": self.decisions}.get(fact.kind)
        if files is not None:
            del files[case_of(fact.data)]
        return fact

    def _local(self, text: str) -> str:
        """Give the date an instant has in the zone, `YYYY-MM-DD`."""
        return datetime.fromisoformat(text.upper()).astimezone(self.zone).date().isoformat()

    def _resolve(self, kind: str, data: Line, time: str) -> Fact:
        """Resolve a fact under the rulebook and case files of this position; `time` is the first it was given."""
        fields = {"permit-received": "received_at", "permit-processed": "completed_at"}
        counted_at = PLAIN[kind][0] if kind in PLAIN else fields[kind]
        month = self._local(data[counted_at] if counted_at else time)[:7]
        account = (data["dinas"], data.get("asn", ""), data.get("service", ""), month)
        if kind in PLAIN:
            return Fact(kind, data, time, account, PLAIN[kind][1](data))
        if kind == "permit-processed":
            return Fact(kind, data, time, account, self._decide(data))
        due = us_of(data["due_at"]) if "due_at" in data else None
        standard = self._standard_us(data["dinas"], data["service"], data["received_at"])
        return Fact(kind, data, time, account, {"received": 1}, us_of(data["received_at"]), due, standard)

    def _decide(self, data: Line) -> dict[str, int]:
        """`received_at`, `pauses`, `due_at`, where left out, are those of the standing receipt; `asn` never is."""
        case = case_of(data)
        receipt = self.receipts.get(case)
        fields = {name: receipt.data[name] for name in ("received_at", "due_at") if receipt and name in receipt.data}
        whole_data = fields | data
        pauses: list[Span] = []
        if "pauses" in data:
            pauses = [(us_of(pause["from"]), us_of(pause["to"])) for pause in data["pauses"]]
        elif receipt:
            past, running = self._pauses(case)
            pauses = past if running is None else [*past, (running, us_of(data["completed_at"]))]
        return permit_measures(
            whole_data, pauses, self._standard_us(data["dinas"], data["service"], whole_data["received_at"])
        )

    def _pauses(self, case: Case) -> tuple[list[Span], int | None]:
        """Find the pauses that have ended, and since when a case is paused; by instant, then in order of recording."""
        spans: list[Span] = []
        since: int | None = None
        for instant, _, pausing in sorted(self.clock.get(case, [])):
            if pausing and since is None:
                since = instant
            elif not pausing and since is not None:
                spans.append((since, instant))
                since = None
        return spans, since

    def _standard_us(self, dinas: str, service: str, received_at: str) -> int | None:
        """One for the dinas beats a general one, then the later date; of equal dates the later recorded stands."""
        day = self._local(received_at)
        standing = [
            rule
            for rule in self.rules["standard"].values()
            if rule["service"] == service and rule["dinas"] in {"", dinas} and rule["effective_from"] <= day
        ]
        if not standing:
            return None
        best = max(standing, key=lambda rule: (rule["dinas"] != "", rule["effective_from"]))
        if best["unit"] != "wall_hours":
            message = f"unknown unit {best['unit']}"
            raise ValueError(message)
        return int(best["amount"]) * HOUR_US

    def _add_up(self) -> dict[Account, dict[str, int]]:
        """Balances are sums of the facts in force, so a reversal needs no negative here; zeros are left out."""
        sums: dict[Account, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for fact in self.standing.values():
            for measure, amount in fact.measures.items():
                sums[fact.account][measure] += amount
        balances = {account: {name: n for name, n in sums[account].items() if n} for account in sums}
        return {account: measures for account, measures in balances.items() if measures}

    def _files(self) -> Iterator[tuple[Case, Line]]:
        """Files are open while their receipt stands and no decision for their case does; as the digest writes them."""
        for case in sorted(self.receipts.keys() - self.decisions.keys()):
            receipt = self.receipts[case]
            pauses, pause_at = self._pauses(case)
            due, kind = receipt.due_us, "none" if receipt.due_us is None else "due_at"
            if due is None and receipt.standard_us is not None:
                kind = "standard"
                due = receipt.received_us + receipt.standard_us + paused_within(pauses, receipt.received_us, None)
            line = {"asn": receipt.data.get("asn", ""), "due_us": due, "file": list(case), "kind": kind}
            yield case, line | {"paused_us": pause_at, "received_us": receipt.received_us}

    def open_files(self, now: datetime) -> list[Line]:
        """List the open files by case; overdue is past the due instant, on a clock that stands while a file is paused.

        A `due_at` is a raw instant: no pause moves it, none stops its clock.
        """
        files = []
        for (dinas, service, case), file in self._files():
            stands = file["kind"] == "standard" and file["paused_us"] is not None
            clock = min(us_at(now), file["paused_us"]) if stands else us_at(now)
            overdue = file["due_us"] is not None and clock > file["due_us"]
            files.append({"dinas": dinas, "service": service, "case": case, "asn": file["asn"], "overdue": overdue})
        return files

    def digest(self) -> str:
        """One SHA-256 over the lines of accounts, rules and open files, each group sorted bytewise."""
        groups = (
            [
                canonical({"account": list(account), "measures": measures})
                for account, measures in self.balances.items()
            ],
            [canonical(rule) for rules in self.rules.values() for rule in rules.values()],
            [canonical(file) for _, file in self._files()],
        )
        text = b"".join(line + b"\n" for group in groups for line in sorted(line.encode() for line in group))
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
        is_assigned = kind == "asn" and any(asn == subject for asn, _, _ in self.rules["assignment"])
        return is_assigned or (subject,) in self.rules[kind]

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
            file
            for file in self.open_files(now)
            if file[kind] == id and (kind == "dinas" or within in {None, file["dinas"]})
        ]
        counts = {name: total.get(name, 0) for name in COUNTED_PERMITS + COUNTED_TASKS} | {
            "permits_open": len(files),
            "permits_open_overdue": sum(file["overdue"] for file in files),
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
        names = {account[0] for account in self.balances if account[3] in months_of(period)}
        names |= {file["dinas"] for file in self.open_files(now)} | {key[0] for key in self.rules["dinas"]}
        scheme = scheme_for(self.rules["scheme"].values(), period)
        totals = {dinas: self.totals("dinas", dinas, period) for dinas in names}
        return places({dinas: weigh(scheme, read_all(scheme, total)) for dinas, total in totals.items()})

    def ranking_dinas(self, period: str, now: datetime) -> list[tuple[str, int | None]]:
        """List the same in order, each dinas with its best rank, or None while it has none."""
        return [(place.id, place.best) for place in self.places_dinas(period, now)]
