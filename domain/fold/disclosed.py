"""The ratings of one dinas in one month, as its blocks are published: the runs that wait, and the sums that are published.

Changes come in the order of positions. A block is published when the next one of its cell is whole; when the month
closes, what is left is, together with the last whole block; later a block is, as soon as it is whole by itself.
"""

from collections.abc import Iterable
from typing import Final

from domain.fold.blocks import JOINT, LEAST, Block, Given, Run, Taken, added, mask_of, part_of, within
from domain.fold.cells import KINDS, Cell, Change, MonthState, Stream, Waiting
from domain.fold.postings import Amounts


class Month:
    """A dinas's month as its entries come. ``blocks`` are those published; only reversals need the earlier ones."""

    def __init__(self, state: MonthState | None = None, blocks: Iterable[Block] = ()) -> None:
        self.state = MonthState() if state is None else state
        self.blocks = {_key(block): block for block in blocks}
        self.moved: dict[tuple[str, bool, int], Block | None] = {}
        """The blocks that were published or changed since; ``None`` for one that was taken out."""

    def apply(self, change: Change, at: str) -> None:
        """Add one change, recorded at ``at``."""
        self.state.changes += 1
        stream = self._cell(change.service).stream(is_tap=change.is_tap)
        if change.sign < 0:
            self._take(stream, change)
            return
        stream.open.given.append(Given(change.name, change.asn, change.values, change.first))
        if change.first and len(stream.open.given) >= LEAST and stream.open.standing >= LEAST:
            self._whole(change.service, stream, is_tap=change.is_tap, at=at)

    def begin(self, day: str) -> None:
        """Begin a local day: what waits now waited at its midnight. A day that is not later changes nothing."""
        if day > self.state.day:
            self.state.then, self.state.day = self.waiting(), day

    def close(self, at: str) -> None:
        """Close the month: what is left of each cell is published, if ten of it stand with the last whole block."""
        if self.state.closed:
            return
        self.state.closed = True
        for service, cell in sorted(self.state.cells.items()):
            for is_tap in KINDS:
                stream = cell.stream(is_tap=is_tap)
                _join(stream)
                if stream.open.standing >= LEAST:
                    self._publish(service, stream, stream.open, stream.number, is_tap=is_tap, at=at)
        for is_tap in KINDS:
            self._join_cells(is_tap=is_tap, at=at)

    def published(self) -> Amounts:
        """The sum of the month's blocks as it is served."""
        return added([self.state.joint, *(cell.shown for cell in self.state.cells.values())])

    def waiting(self) -> Waiting:
        """The ratings and the reversals that wait."""
        ratings = reversals = 0
        for cell in self.state.cells.values():
            for stream in (cell.surveys, cell.taps):
                whole, items = stream.whole, stream.open.taken
                ratings += len(stream.open.given)
                if whole is not None:
                    own = sum(item.origin == stream.number - 1 for item in items) if items else 0
                    ratings += len(whole.given) - own
                    reversals += len(whole.taken) - own
                reversals += len(items)
        return Waiting(ratings, reversals)

    def _cell(self, service: str) -> Cell:
        cell = self.state.cells.get(service)
        if cell is None:
            cell = self.state.cells[service] = Cell()
        return cell

    def _whole(self, service: str, stream: Stream, *, is_tap: bool, at: str) -> None:
        """The open block became whole: the one before it is published; after the close it is itself."""
        number, run, whole = stream.number, stream.open, stream.whole
        if self.state.closed:
            self._publish(service, stream, run, number, is_tap=is_tap, at=at)
            return
        stream.whole, stream.open, stream.number = run, Run([], []), number + 1
        if whole is not None:
            self._publish(service, stream, whole, number - 1, is_tap=is_tap, at=at)

    def _publish(self, service: str, stream: Stream, run: Run, number: int, *, is_tap: bool, at: str) -> None:
        """Publish a run as a block; what was reversed of it already counts as reversed."""
        if run is stream.open:
            stream.open, stream.number = Run([], []), number + 1
        block, rest = _block_of(service, run, number, is_tap=is_tap, at=at)
        stream.open.taken[:0] = rest
        for _, waiting in stream.runs:
            waiting.taken = [_resolved(item, block) for item in waiting.taken]
        reversed_names = {item.name for _, waiting in stream.runs for item in waiting.taken if item.origin == number}
        block.gone = sum(1 << place for place, rating in enumerate(block.given) if rating.name in reversed_names)
        stream.blocks += 1
        cell = self._cell(service)
        cell.published = added([cell.published, block.amounts()])
        self._keep(block)

    def _join_cells(self, *, is_tap: bool, at: str) -> None:
        """Cells without a block make one of the dinas's month, if ten of them all stand."""
        bare = [
            (service, stream)
            for service, cell in sorted(self.state.cells.items())
            if not (stream := cell.stream(is_tap=is_tap)).blocks
        ]
        if sum(stream.open.standing for _, stream in bare) < LEAST:
            return
        run = Run([], [])
        for service, stream in bare:
            run.given += [
                Given(_qualified(service, item.name), item.asn, item.values, item.first) for item in stream.open.given
            ]
            stream.open.given = []
        block, _ = _block_of("", run, JOINT, is_tap=is_tap, at=at)
        self.state.joint = added([self.state.joint, block.amounts()])
        self._keep(block)

    def _take(self, stream: Stream, change: Change) -> None:
        """Take out a rating: of the open block as if it had not been, of an earlier block by a reversal in the open one."""
        name = change.name
        for place, rating in enumerate(stream.open.given):
            if rating.name == name:
                del stream.open.given[place]
                return
        if (
            stream.whole is not None
            and any(rating.name == name for rating in stream.whole.given)
            and not _is_taken(stream, name)
        ):
            self._take_of_whole(stream, change)
            return
        block = self._block_with(change)
        if block is not None:
            self._take_of_block(stream, block, name if block.number else _qualified(change.service, name))

    def _take_of_block(self, stream: Stream, block: Block, name: str) -> None:
        """Take out a rating of a published block; the block itself, once all its ratings were reversed."""
        place = block.place(name)
        assert place is not None, "the caller saw it"  # noqa: S101 - for the type checker
        block.gone |= 1 << place
        rating = block.given[place]
        amounts = added([part_of(rating.values, block.mask)], -1)
        stream.open.taken.append(Taken(block.number, name, rating.asn, amounts))
        self._keep(block)
        if block.is_reversed:
            self._take_out(block)

    def _take_of_whole(self, stream: Stream, change: Change) -> None:
        """Take out a rating of the whole block that waits; the block itself, once all its ratings were reversed."""
        number, whole = stream.number - 1, stream.whole
        assert whole is not None, "the caller saw it"  # noqa: S101 - for the type checker
        stream.open.taken.append(Taken(number, change.name, change.asn))
        if sum(item.origin == number for item in stream.open.taken) == len(whole.given):
            stream.open.taken = whole.taken + [item for item in stream.open.taken if item.origin != number]
            stream.whole = None

    def _block_with(self, change: Change) -> Block | None:
        """The published block in which a rating stands: the newest of its cell, else the joint block."""
        own = [
            block for block in self.blocks.values() if (block.service, block.is_tap) == (change.service, change.is_tap)
        ]
        for block in sorted((block for block in own if block.number), key=lambda block: -block.number):
            if block.place(change.name) is not None:
                return block
        joint = self.blocks.get(("", change.is_tap, JOINT))
        is_there = joint is not None and joint.place(_qualified(change.service, change.name)) is not None
        return joint if is_there else None

    def _take_out(self, block: Block) -> None:
        """Take a block out whole, all of whose ratings were reversed; what other blocks hold of them is made good later."""
        del self.blocks[_key(block)]
        self.moved[_key(block)] = None
        if block.number:
            cell = self._cell(block.service)
            cell.published = added([cell.published, added([block.amounts()], -1)])
            cell.stream(is_tap=block.is_tap).blocks -= 1
        else:
            self.state.joint = added([self.state.joint, added([block.amounts()], -1)])
        ratings = [(block.number, rating.name, rating.asn) for rating in block.given]
        ratings += [(item.origin, item.name, item.asn) for item in block.taken]
        for origin, name, asn in dict.fromkeys(ratings):
            self._settle(block, origin, name, asn)

    def _settle(self, block: Block, origin: int, name: str, asn: str) -> None:
        """Of a rating that does not stand, let the reversals wait that make up for what other blocks still hold of it."""
        service = block.service if origin else name.partition(_APART)[0]
        services = (service,) if origin else tuple(self.state.cells)
        for waiting in services:
            for _, run in self._cell(waiting).stream(is_tap=block.is_tap).runs:
                run.taken = [item for item in run.taken if (item.origin, item.name) != (origin, name)]
        parts = [
            part
            for other in self.blocks.values()
            if other.is_tap == block.is_tap and (other.service in services or not origin)
            for part in other.parts_of(origin, name)
        ]
        if rest := added(parts, -1):
            self._cell(service).stream(is_tap=block.is_tap).open.taken.append(Taken(origin, name, asn, rest))

    def _keep(self, block: Block) -> None:
        self.blocks[_key(block)] = block
        self.moved[_key(block)] = block


_APART: Final = "\x1f"


def _qualified(service: str, name: str) -> str:
    """The name of a rating among those of all services."""
    return f"{service}{_APART}{name}"


def _key(block: Block) -> tuple[str, bool, int]:
    return block.service, block.is_tap, block.number


def _is_taken(stream: Stream, name: str) -> bool:
    """True if the whole block's rating of a name was reversed already, and the name is another rating's now."""
    return any(item.origin == stream.number - 1 and item.name == name for item in stream.open.taken)


def _join(stream: Stream) -> None:
    """Let the last whole block and the open one be one; what the one reversed of the other is gone."""
    whole = stream.whole
    if whole is None:
        return
    number = stream.number - 1
    reversed_names = {item.name for item in stream.open.taken if item.origin == number}
    ratings = [rating for rating in whole.given if rating.name not in reversed_names]
    items = [item for item in stream.open.taken if item.origin != number]
    stream.open = Run(ratings + stream.open.given, whole.taken + items)
    stream.whole = None


def _block_of(service: str, run: Run, number: int, *, is_tap: bool, at: str) -> tuple[Block, list[Taken]]:
    """The block that a run makes, and what its reversals take out of unsur that not all of it answered: it waits again."""
    mask = mask_of(run.given)
    items, rest = list[Taken](), list[Taken]()
    for item in run.taken:
        amounts = item.amounts or ()
        part = within(amounts, mask)
        items.append(Taken(item.origin, item.name, item.asn, part))
        if len(part) < len(amounts):
            remainder = tuple(pair for pair in amounts if pair not in part)
            rest.append(Taken(item.origin, item.name, item.asn, remainder))
    return Block(service, is_tap, number, run.given, items, mask, at), rest


def _resolved(item: Taken, block: Block) -> Taken:
    """A reversal of a rating in a block that is published now, with what it takes out."""
    if item.origin != block.number or item.amounts is not None:
        return item
    rating = next(rating for rating in block.given if rating.name == item.name)
    return Taken(item.origin, item.name, item.asn, added([part_of(rating.values, block.mask)], -1))
