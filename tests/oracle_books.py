"""The books of the oracle: which facts of a journal are in force, and what each of them posts.

Nothing here looks at `data.resolved`; see `oracle.py`.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from tests.oracle_facts import (
    HOUR_US,
    PLAIN,
    SKEW_US,
    Line,
    Span,
    paused_within,
    permit_measures,
    us_of,
)

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
TIMING = ("received_at", "completed_at", "due_at", "pauses")
"""The fields of receipts and decisions that decide their clock and their promise."""


@dataclass(frozen=True)
class Fact:
    """A fact in force: its data, its postings, and (of a receipt) the time promised for the decision.

    ``judged`` is what a decision was judged by: its data with what its file added, its pauses, its standard.
    """

    kind: str
    data: Line
    time: str
    account: Account
    measures: dict[str, int]
    received_us: int = 0
    due_us: int | None = None
    standard_us: int | None = None
    judged: tuple[Line, list[Span], int | None] | None = None


def canonical(value: object) -> str:
    """Canonical JSON: keys sorted, no white space, no escapes but those JSON demands."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def case_of(data: Line) -> Case:
    """Cases are named by dinas, service and their own id together."""
    return data["dinas"], data["service"], data["case"]


class Books:
    """The balances of a journal, worked out slowly and plainly: collect the facts in force, add them up at the end."""

    def __init__(self, lines: Iterable[Line], zone: str = "Asia/Jakarta") -> None:
        """Read `lines` in the order of their positions; the zone the journal was opened with beats `zone`.

        Raises: ValueError on an event type it does not know.
        """
        self.zone = ZoneInfo(zone)
        self.position = 0
        self.rules: dict[str, dict[tuple[str, ...], Line]] = {rule: {} for rule, _ in RULE_KEYS.values()}
        self.standing: dict[Ref, Fact] = {}
        self.own: dict[Ref, Ref] = {}
        self.receipts: dict[Case, Fact] = {}
        self.decisions: dict[Case, Fact] = {}
        self.clock: dict[Case, list[tuple[int, int, bool]]] = defaultdict(list)
        for line in sorted(lines, key=lambda item: int(item["position"])):
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
                if kind == "permit-received":
                    self._judge_again(case_of(data))
            case _ if kind in PLAIN:
                self._stand(ref, self._resolve(kind, data, line["time"]))
            case "event-retracted":
                self._fall(data["event"])
            case "event-corrected":
                old = self._fall(data["event"])
                new = {name: value for name, value in data["replacement"].items() if value is not None}
                by_service = ref[0] == "/neraca"
                if by_service:
                    self.own[data["event"]["source"], data["event"]["id"]] = ref
                same = not by_service and all(new.get(name) == old.data.get(name) for name in TIMING)
                self._stand(ref, self._resolve(old.kind, new, old.time, old if same else None))
            case _ if kind in RULE_KEYS:
                rule, key = RULE_KEYS[kind]
                reference = {"event": f"{ref[0]}#{ref[1]}"} if rule == "standard" else {}
                rule_line = RULE_DEFAULTS.get(rule, {}) | data | {"rule": rule} | reference
                self.rules[rule][tuple(rule_line[name] for name in key)] = rule_line
            case _:
                message = f"tests/oracle_facts.py knows no {line['type']}, which is at position {self.position}"
                raise ValueError(message)

    def _stand(self, ref: Ref, fact: Fact) -> None:
        """Let a fact stand under an event's name, and as the receipt or the decision of its case."""
        self.standing[ref] = fact
        files = {"permit-received": self.receipts, "permit-processed": self.decisions}.get(fact.kind)
        if files is not None:
            files[case_of(fact.data)] = fact

    def _judge_again(self, case: Case) -> None:
        """A receipt that comes after its decision counts as if it had come before, unless it lies after the decision."""
        ref = next((ref for ref, fact in self.standing.items() if fact is self.decisions.get(case)), None)
        if ref is None:
            return
        old = self.standing[ref]
        received_at: str = old.data.get("received_at") or self.receipts[case].data["received_at"]
        if us_of(old.data["completed_at"]) >= us_of(received_at) - SKEW_US:
            self._stand(ref, self._resolve(old.kind, old.data, old.time))

    def _fall(self, event: Line) -> Fact:
        """Take out the fact under an event's name; a fact already corrected is under its correction's name instead.

        What the service itself corrected is found under the name of what it corrected, too.
        """
        ref = (event["source"], event["id"])
        while ref not in self.standing:
            ref = self.own[ref]
        fact = self.standing.pop(ref)
        files = {"permit-received": self.receipts, "permit-processed": self.decisions}.get(fact.kind)
        if files is not None:
            del files[case_of(fact.data)]
        return fact

    def _local(self, text: str) -> str:
        """Give the date an instant has in the zone, `YYYY-MM-DD`."""
        return datetime.fromisoformat(text.upper()).astimezone(self.zone).date().isoformat()

    def _resolve(self, kind: str, data: Line, time: str, earlier: Fact | None = None) -> Fact:
        """Resolve a fact under the rulebook and case files of this position; `time` is the first it was given.

        A correction that leaves the times of `kept` as they were leaves its standard and its verdict, too.
        """
        from_file = {"permit-received": "received_at", "permit-processed": "completed_at"}
        counted_at = PLAIN[kind][0] if kind in PLAIN else from_file[kind]
        month = self._local(data[counted_at] if counted_at else time)[:7]
        account = (data["dinas"], data.get("asn", ""), data.get("service", ""), month)
        if kind in PLAIN:
            return Fact(kind, data, time, account, PLAIN[kind][1](data))
        if kind == "permit-processed":
            inputs, pauses, standard = (
                self._judged(data) if earlier is None or earlier.judged is None else earlier.judged
            )
            outcome = {"outcome": data["outcome"]} if "outcome" in data else {"outcome": "issued"}
            measures = permit_measures(inputs | outcome, pauses, standard)
            return Fact(kind, data, time, account, measures, judged=(inputs, pauses, standard))
        due = us_of(data["due_at"]) if "due_at" in data else None
        standard = (
            earlier.standard_us if earlier else self._standard_us(data["dinas"], data["service"], data["received_at"])
        )
        return Fact(kind, data, time, account, {"received": 1}, us_of(data["received_at"]), due, standard)

    def _judged(self, data: Line) -> tuple[Line, list[Span], int | None]:
        """`received_at`, `pauses`, `due_at`, where left out, are those of the standing receipt; `asn` never is.

        The standard is the receipt's, whatever was recorded since; that of the day of receipt where there is no receipt.
        """
        case = case_of(data)
        receipt = self.receipts.get(case)
        from_file = {name: receipt.data[name] for name in ("received_at", "due_at") if receipt and name in receipt.data}
        inputs = from_file | data
        pauses: list[Span] = []
        if "pauses" in data:
            pauses = [(us_of(pause["from"]), us_of(pause["to"])) for pause in data["pauses"]]
        elif receipt:
            spans, running = self._pauses(case)
            pauses = spans if running is None else [*spans, (running, us_of(data["completed_at"]))]
        if receipt:
            return inputs, pauses, receipt.standard_us
        return inputs, pauses, self._standard_us(data["dinas"], data["service"], inputs["received_at"])

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
        earlier = {account: {name: n for name, n in sums[account].items() if n} for account in sums}
        return {account: measures for account, measures in earlier.items() if measures}

    def files(self) -> Iterator[tuple[Case, Line]]:
        """Files are open while their receipt stands and no decision for their case does; as the digest writes them."""
        for case in sorted(self.receipts.keys() - self.decisions.keys()):
            receipt = self.receipts[case]
            spans, pause_us = self._pauses(case)
            due, kind = receipt.due_us, "none" if receipt.due_us is None else "due_at"
            if due is None and receipt.standard_us is not None:
                kind = "standard"
                due = receipt.received_us + receipt.standard_us + paused_within(spans, receipt.received_us, None)
            line = {"asn": receipt.data.get("asn", ""), "due_us": due, "file": list(case), "kind": kind}
            yield case, line | {"paused_us": pause_us, "received_us": receipt.received_us}
