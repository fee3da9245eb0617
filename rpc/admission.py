"""
Who may connect to this process, over all its ports, and how much it keeps of messages that are not finished:
counted by address and in total. The addresses of one network of IPv6 count as one (`network_of`).
"""

import threading
import time
from collections.abc import Callable

import msgspec

from rpc.limits import TokenBucket
from rpc.networks import network_of

OWN = frozenset(map(network_of, ("", "127.0.0.1", "::1")))
"""The addresses of this machine's own programs, such as probes; the first is that of all unix sockets."""
WELCOME_SECONDS = 7 * 24 * 3600.0
"""How long an address is welcome."""
SWEEP_SIZE = 1000
"""Addresses that are remembered without need, at most, beside twice those that are needed."""


class Caps(msgspec.Struct, frozen=True, kw_only=True):
    """
    Bounds of one process; None is no bound.

    connections: 10,000 at the same time, each with a file descriptor and 30 KiB at least.
    connections_kept: 500 of these, for addresses that are welcome: those of staff, and this machine's own.
    connections_per_address: 500, an office or a school behind one address.
    arrivals_per_second, arrivals_burst: 50 and 500 new connections of one address; the burst is for an office that
        comes back after a restart.
    unfinished_bytes: 64 MiB of messages that have begun to arrive, of all connections together.
    unfinished_bytes_per_address: 16 MiB, four of the largest messages.
    """

    connections: int = 10_000
    connections_kept: int = 500
    connections_per_address: int | None = 500
    arrivals_per_second: int | None = 50
    arrivals_burst: int = 500
    unfinished_bytes: int = 64 * 1024 * 1024
    unfinished_bytes_per_address: int = 16 * 1024 * 1024


class NoRoom(Exception):
    """
    One more connection cannot be taken.

    `at_all`: whether the process is full; otherwise the address has too many, or they come too fast.
    """

    def __init__(self, text: str, *, at_all: bool) -> None:
        super().__init__(text)
        self.at_all = at_all


class _Network:
    """What is counted of one address."""

    __slots__ = ("arrivals", "connections", "holders", "name", "unfinished")

    def __init__(self, name: str, caps: Caps, now: float) -> None:
        self.name = name
        self.connections = 0
        self.unfinished = 0
        """Bytes."""
        self.holders: set[Place] = set()
        """Its connections with an unfinished message."""
        self.arrivals = TokenBucket(caps.arrivals_per_second, caps.arrivals_burst, now)


class Place:
    """One connection, from `Admission.enter` until it calls `leave`."""

    __slots__ = ("_admission", "_end", "_is_ended", "network", "unfinished")

    def __init__(self, admission: "Admission", network: _Network) -> None:
        self._admission: Admission | None = admission
        self.network = network
        self.unfinished = 0
        """Bytes."""
        self._is_ended = False
        self._end: Callable[[], None] = lambda: None

    def ends_by(self, end: Callable[[], None]) -> None:
        """`end` ends the connection; called when it keeps too much of unfinished messages."""
        self._end = end

    def move_to(self, address: str) -> None:
        """
        A proxy's connection is that of this client from now on.

        Raises:
            NoRoom: for the client; the place still has to be left.
        """
        if self._admission is not None:
            self._admission.move(self, address)

    def keep(self, size: int) -> None:
        """
        So many bytes of unfinished messages wait. Where that is too much, the connection that has most is ended: of
        this address, or of the address that has most.
        """
        if size != self.unfinished and self._admission is not None and not self._is_ended:
            self._admission.count_unfinished(self, size)

    def end(self) -> None:
        """Make room: what comes of it from now on does not count."""
        self._is_ended = True
        self._end()

    def leave(self) -> None:
        """The connection is over. A second call does nothing."""
        if self._admission is not None:
            self._admission.forget(self)
            self._admission = None


class Admission:
    """
    Args:
        caps: the bounds.
        is_proxy: whether an address is that of a trusted proxy. Its connections are bounded in total only, until
            they move to their clients' addresses.
        clock: seconds, of a clock that never goes back.
    """

    def __init__(
        self,
        caps: Caps | None = None,
        *,
        is_proxy: Callable[[str], bool] = lambda address: False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.caps = Caps() if caps is None else caps
        self.connections = 0
        self.unfinished = 0
        """Bytes."""
        self._is_proxy = is_proxy
        self._clock = clock
        self._networks: dict[str, _Network] = {}
        self._sweep_at = SWEEP_SIZE
        self._welcome: dict[str, float] = {}
        """Until when."""
        self._welcoming = threading.Lock()

    @property
    def addresses(self) -> int:
        """How many are remembered."""
        return len(self._networks)

    def enter(self, address: str) -> Place:
        """
        Count a new connection from an address, the empty one for a unix socket.

        Raises:
            NoRoom: it has to be refused.
        """
        network = self._network(address)
        may_use_all = self._is_proxy(address) or self._is_welcome(network)
        self._check_total(self.connections + 1, may_use_all=may_use_all)
        if address and not self._is_proxy(address):
            self._count_arrival(network)
        network.connections += 1
        self.connections += 1
        return Place(self, network)

    def welcome(self, address: str) -> None:
        """For a week, this address may use the connections that are kept. Any thread may say so."""
        now = self._clock()
        with self._welcoming:
            still = {name: until for name, until in self._welcome.items() if until > now}
            self._welcome = {**still, network_of(address): now + WELCOME_SECONDS}

    # --- what places call ----------------------------------------------------------------------------------

    def move(self, place: Place, address: str) -> None:
        """See `Place.move_to`."""
        network = self._network(address)
        if network is place.network:
            return
        self._check_total(self.connections, may_use_all=self._is_welcome(network))
        self._count_arrival(network)
        unfinished = place.unfinished
        self.count_unfinished(place, 0)
        place.network.connections -= 1
        place.network = network
        network.connections += 1
        self.count_unfinished(place, unfinished)

    def count_unfinished(self, place: Place, size: int) -> None:
        """See `Place.keep`."""
        network = place.network
        network.unfinished += size - place.unfinished
        self.unfinished += size - place.unfinished
        place.unfinished = size
        if size:
            network.holders.add(place)
        else:
            network.holders.discard(place)
        if network.unfinished > self.caps.unfinished_bytes_per_address:
            self._end_one_of(network)
        elif self.unfinished > self.caps.unfinished_bytes:
            self._end_one_of(max(self._networks.values(), key=lambda each: each.unfinished))

    def forget(self, place: Place) -> None:
        """See `Place.leave`."""
        self.count_unfinished(place, 0)
        place.network.connections -= 1
        self.connections -= 1

    # --- the bounds ----------------------------------------------------------------------------------------

    def _check_total(self, connections: int, *, may_use_all: bool) -> None:
        if connections > self.caps.connections - (0 if may_use_all else self.caps.connections_kept):
            raise NoRoom("too many connections", at_all=True)

    def _is_welcome(self, network: _Network) -> bool:
        return network.name in OWN or self._welcome.get(network.name, 0.0) > self._clock()

    def _count_arrival(self, network: _Network) -> None:
        most, arrivals = self.caps.connections_per_address, network.arrivals
        if most is not None and network.connections >= most:
            raise NoRoom("too many connections of this address", at_all=False)
        arrivals.refill(self._clock())
        if arrivals.tokens < 1:
            raise NoRoom("this address connects too often", at_all=False)
        arrivals.tokens -= 1

    def _end_one_of(self, network: _Network) -> None:
        place = max(network.holders, key=lambda each: each.unfinished)
        # At once, not when it is gone: what comes meanwhile must not end another one.
        self.count_unfinished(place, 0)
        place.end()

    def _network(self, address: str) -> _Network:
        name = network_of(address)
        network = self._networks.get(name)
        if network is None:
            if len(self._networks) >= self._sweep_at:
                self._sweep()
            network = self._networks[name] = _Network(name, self.caps, self._clock())
        return network

    def _sweep(self) -> None:
        """Forget the addresses of which there is nothing to know."""
        now = self._clock()
        for name, network in list(self._networks.items()):
            network.arrivals.refill(now)
            if not network.connections and network.arrivals.tokens >= self.caps.arrivals_burst:
                del self._networks[name]
        self._sweep_at = SWEEP_SIZE + 2 * len(self._networks)
