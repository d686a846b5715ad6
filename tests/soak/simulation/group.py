"""The simulated consumer group: which worker reads which partitions. Members are static, and given up when they are silent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from tests.soak.simulation.world import World


class Member(Protocol):
    """A process that reads partitions."""

    name: str
    alive: bool
    silent_since: float | None

    def seek(self) -> None:
        """Read the partitions assigned now, from where the balances say."""
        ...


class Group:
    """The members of a group; one that nobody heard of for a session's length is given up."""

    SESSION_S: Final = 10.0

    def __init__(self, world: World, partitions: int) -> None:
        self._world = world
        self._partitions = partitions
        self._members: dict[str, Member] = {}
        self._names: list[str] = []
        """The member that each partition is assigned to."""
        world.after(1.0, self.look)

    def of(self, member: Member) -> list[int]:
        """The partitions of a member; two processes of one name both read them."""
        return [partition for partition, owner in enumerate(self._names) if owner == member.name]

    def join(self, member: Member) -> None:
        """Let a process join, or come back. A known name takes over the partitions it had."""
        if not member.alive:
            return
        is_member = member.name in self._members
        self._members[member.name] = member
        if is_member:
            self._world.after(0.1, member.seek)
        else:
            self.assign()

    def assign(self) -> None:
        """Assign all partitions anew; each member learns of it a little later."""
        world, names = self._world, sorted(self._members)
        if not names:
            return
        world.chance.shuffle(names)
        self._names = [names[partition % len(names)] for partition in range(self._partitions)]
        world.say(f"assigned: {self._names}")
        for member in self._members.values():
            world.after(world.chance.uniform(0.1, 1.0), member.seek)

    def look(self) -> None:
        """Give up silent members."""
        world = self._world
        silent = [
            name
            for name, member in self._members.items()
            if member.silent_since is not None and world.now - member.silent_since > self.SESSION_S
        ]
        for name in silent:
            del self._members[name]
        if silent:
            self.assign()
        world.after(1.0, self.look)
