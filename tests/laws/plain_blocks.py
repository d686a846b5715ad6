"""The rule of blocks once more, plainly: everything anew from the list of what was said, with no sum that is kept.

It shares no code with ``domain/fold/blocks.py`` and ``domain/fold/disclosed.py``.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

UNSUR = ("persyaratan", "prosedur", "waktu", "biaya", "produk", "kompetensi", "perilaku", "pengaduan", "sarana")
TEN = 10


class Said(NamedTuple):
    """One entry: a rating given under a name in a service, or taken out again; or, without values, the month's close."""

    service: str
    name: str
    asn: str
    values: tuple[int, ...]
    gives: bool
    first: bool


CLOSE = Said("", "", "", (), gives=False, first=False)


@dataclass(eq=False)
class Voice:
    """A rating: who gave it is one citizen, and so one unknown of an attacker."""

    said: Said
    stands: bool = True
    """True until it was reversed."""


@dataclass(eq=False)
class Piece:
    """Consecutive entries of some cells: each a rating, and True where it was given or False where it was taken out."""

    cells: tuple[tuple[str, bool], ...]
    entries: list[tuple[Voice, bool]] = field(default_factory=list)

    @property
    def given(self) -> list[Voice]:
        """Its ratings that it does not take out itself."""
        out = {id(voice) for voice, gives in self.entries if not gives}
        return [voice for voice, gives in self.entries if gives and id(voice) not in out]

    @property
    def taken(self) -> list[Voice]:
        """The ratings of others that it takes out."""
        own = {id(voice) for voice, gives in self.entries if gives}
        return [voice for voice, gives in self.entries if not gives and id(voice) not in own]

    @property
    def ten_stand(self) -> bool:
        """True if ten ratings that were first recorded in it stand."""
        return sum(voice.said.first for voice in self.given) >= TEN


class Plain:
    """A dinas's month, read from the beginning."""

    def __init__(self, statements: Sequence[Said]) -> None:
        self.published: list[tuple[Piece, list[tuple[Voice, Counter[str]]]]] = []
        self.whole: dict[tuple[str, bool], Piece] = {}
        self.open: dict[tuple[str, bool], Piece] = {}
        self.closed = False
        self._standing: dict[tuple[str, str], Voice] = {}
        for entry in statements:
            if entry == CLOSE:
                self._close()
            else:
                self._read(entry)

    def sums(self, service: str | None = None) -> Counter[str]:
        """The published sum, of all or of a service's own blocks; of services that are owed something, nothing."""
        total: Counter[str] = Counter()
        for piece, parts in self.published:
            own = {cell[0] for cell in piece.cells[:1]} if len(piece.cells) == 1 else set()
            if own & self._owed or (service is not None and own != {service}):
                continue
            for _, part in parts:
                total.update(part)
        return Counter({name: amount for name, amount in total.items() if amount})

    @property
    def _owed(self) -> set[str]:
        """The services in which a reversal is published, and the rating that it reverses is not."""
        return {
            voice.said.service
            for piece in [*self.whole.values(), *self.open.values()]
            for voice in piece.taken
            if any(amount < 0 for amount in self._held(voice).values())
        }

    def waiting(self) -> tuple[int, int]:
        """The ratings that stand and are in no published block; the reversals of published ratings that wait."""
        public = {id(voice) for piece, _ in self.published for voice in piece.given}
        ratings = [voice for voice in self._standing.values() if id(voice) not in public]
        pieces = [*self.whole.values(), *self.open.values()]
        own = {id(voice) for piece in pieces for voice in piece.given}
        reversals = [voice for piece in pieces for voice in piece.taken if id(voice) not in own]
        return len(ratings), len(reversals)

    def _read(self, entry: Said) -> None:
        cell = (entry.service, len(entry.values) == 1)
        piece = self.open.setdefault(cell, Piece((cell,)))
        if entry.gives:
            voice = self._standing[entry.service, entry.name] = Voice(entry)
            piece.entries.append((voice, True))
            if entry.first and piece.ten_stand:
                self._whole(cell)
            return
        voice = self._standing.pop((entry.service, entry.name))
        voice.stands = False
        piece.entries.append((voice, False))
        self._take_out_reversed()

    def _whole(self, cell: tuple[str, bool]) -> None:
        piece = self.open.pop(cell)
        if self.closed:
            self._publish(piece)
            return
        former = self.whole.get(cell)
        self.whole[cell] = piece
        if former is not None:
            self._publish(former)

    def _close(self) -> None:
        self.closed = True
        for cell in sorted({*self.whole, *self.open}):
            parts = [*self._entries(self.whole.pop(cell, None)), *self._entries(self.open.pop(cell, None))]
            piece = Piece((cell,), parts)
            if piece.ten_stand:
                self._publish(piece)
            else:
                self.open[cell] = piece
        for is_tap in (False, True):
            bare = [cell for cell in sorted(self.open) if cell[1] == is_tap and not self._blocks_of(cell)]
            joint = Piece((*bare, ("", is_tap), ("", is_tap)))  # never of one cell
            joint.entries = [(voice, True) for cell in bare for voice in self.open[cell].given]
            if joint.ten_stand:
                for cell in bare:
                    reversals = [(voice, False) for voice in self.open[cell].taken]
                    self.open[cell] = Piece((cell,), reversals)
                self._publish(joint)

    @staticmethod
    def _entries(piece: Piece | None) -> list[tuple[Voice, bool]]:
        return [] if piece is None else piece.entries

    def _blocks_of(self, cell: tuple[str, bool]) -> int:
        return sum(piece.cells == (cell,) for piece, _ in self.published)

    def _publish(self, piece: Piece) -> None:
        names = [
            name
            for at, name in enumerate(UNSUR)
            if all(len(v.said.values) == 1 or v.said.values[at] for v in piece.given)
        ]
        parts = [(voice, part(voice.said.values, names)) for voice in piece.given]
        for voice in piece.taken:
            rest = self._held(voice)
            parts.append((voice, Counter({name: -rest[name] for name in rest if names and _counts(name, names)})))
        self.published.append((piece, parts))
        for voice in piece.taken:  # what it could not take out waits on
            if any(self._held(voice).values()):
                self.open.setdefault(piece.cells[0], Piece((piece.cells[0],))).entries.insert(0, (voice, False))

    def _held(self, voice: Voice) -> Counter[str]:
        """What the published blocks hold of a rating."""
        total: Counter[str] = Counter()
        for _, parts in self.published:
            for other, amounts in parts:
                if other is voice:
                    total.update(amounts)
        return total

    def _take_out_reversed(self) -> None:
        """Take out each block, published or whole, of whose ratings none stands; then let the rest wait."""
        for cell, piece in list(self.whole.items()):
            if not any(voice.stands for voice in piece.given):
                del self.whole[cell]
                ours = {id(voice) for voice in piece.given}
                again = self.open.setdefault(cell, Piece((cell,)))
                again.entries = [(voice, False) for voice in piece.taken] + [
                    (voice, gives) for voice, gives in again.entries if id(voice) not in ours
                ]
        for row in list(self.published):
            piece, _ = row
            if not any(voice.stands for voice in piece.given):
                self.published.remove(row)
                for voice in dict.fromkeys([*piece.given, *piece.taken]):
                    self._wait_again(voice)

    def _wait_again(self, voice: Voice) -> None:
        for piece in [*self.whole.values(), *self.open.values()]:
            piece.entries = [entry for entry in piece.entries if entry[0] is not voice]
        if any(self._held(voice).values()):
            cell = (voice.said.service, len(voice.said.values) == 1)
            self.open.setdefault(cell, Piece((cell,))).entries.append((voice, False))


def _counts(name: str, names: Sequence[str]) -> bool:
    unsur = name.removeprefix("unsur_n_").removeprefix("unsur_sum_")
    return unsur == name or unsur in names


def part(values: tuple[int, ...], names: Sequence[str]) -> Counter[str]:
    """What one rating adds: its mean is that of the unsur that all of its block answered."""
    if len(values) == 1:
        return Counter({"overall_n": 1, "overall_sum": values[0], "overall_sq": values[0] ** 2})
    if not names:
        return Counter()
    answers = {name: values[UNSUR.index(name)] for name in names}
    whole, rest = divmod(20_000 * sum(answers.values()) + 4 * len(names), 8 * len(names))
    del rest
    amounts = Counter({"respondents": 1, "respondent_mean_sum": whole, "respondent_mean_sq": whole**2})
    amounts.update({f"unsur_n_{name}": 1 for name in names})
    amounts.update({f"unsur_sum_{name}": answer for name, answer in answers.items()})
    return amounts
