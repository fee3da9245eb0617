"""
How many echo requests a second the server answers, and how long one takes.

    python -m bench.rpc_echo [seconds]

The server is `manage.py serve` with RATE_LIMITS=off and all other limits on, pinned to the first core; the
load runs here, pinned to the second, over raw sockets so that it is never what is measured. A payload has
64 bytes. A request is done when its whole answer has arrived; all that were asked are awaited before the
clock stops.
"""

import selectors
import socket
import sys
import time
from dataclasses import dataclass

from bench.load import HANDSHAKE, HELLO, frame, pinned_server, print_machine

PAYLOAD = bytes(range(64))
ANSWER_BYTES = 13 + len(PAYLOAD)


@dataclass
class Payloads:
    """Counts the payload bytes of a server's frames, cut anywhere."""

    total: int = 0
    missing: int = 0
    rest: bytes = b""

    def feed(self, data: bytes) -> None:
        data = self.rest + data
        at = 0
        while at < len(data):
            if self.missing:
                taken = min(self.missing, len(data) - at)
                self.missing -= taken
                self.total += taken
                at += taken
                continue
            start = 2
            size = data[at + 1] if at + 1 < len(data) else 0
            if size == 126:
                start = 4
                size = int.from_bytes(data[at + 2 : at + 4])
            elif size == 127:
                start = 10
                size = int.from_bytes(data[at + 2 : at + 10])
            if len(data) < at + start:
                break
            at += start
            self.missing = size
        self.rest = data[at:]


class Connection:
    def __init__(self, port: int, *, joined: bool, window: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.joined = joined
        self.window = window
        self.asked = 0
        self.latencies: list[float] = []
        self._payloads = Payloads()
        self._done_bytes = 0
        self._open()

    def _open(self) -> None:
        self.socket.sendall(HANDSHAKE)
        received = b""
        while b"\r\n\r\n" not in received:
            received += self.socket.recv(65536)
        self.socket.sendall(frame(b"01") + (frame(HELLO) if self.joined else b""))
        self._payloads.feed(received.split(b"\r\n\r\n", 1)[1])
        # What the chat tells a new connection is not an answer: wait until it has said it all.
        self.socket.settimeout(0.5)
        try:
            while True:
                self._payloads.feed(self.socket.recv(65536))
        except TimeoutError:
            self.socket.settimeout(None)
        self._greeting_bytes = self._payloads.total

    @property
    def done(self) -> int:
        return (self._payloads.total - self._greeting_bytes) // ANSWER_BYTES

    def ask(self, number: int) -> None:
        requests = [b"r%04d004echo%08x" % ((self.asked + n) % self.window, len(PAYLOAD)) for n in range(number)]
        self.asked += number
        if self.joined:
            self.socket.sendall(frame(b"".join(header + PAYLOAD for header in requests)))
        else:
            self.socket.sendall(b"".join(frame(header) + frame(PAYLOAD) for header in requests))
        self._asked_at = time.perf_counter()

    def hear(self) -> None:
        self._payloads.feed(self.socket.recv(65536))

    def fill(self) -> None:
        """Ask as many as were answered."""
        free = self.window - (self.asked - self.done)
        if free:
            if self.window == 1:
                self.latencies.append(time.perf_counter() - self._asked_at)
            self.ask(free)


def load(port: int, *, joined: bool, connections: int, window: int, seconds: float) -> tuple[float, list[float]]:
    """Returns answers a second, and the times of single requests when only one is in flight."""
    selector = selectors.DefaultSelector()
    everyone = [Connection(port, joined=joined, window=window) for _ in range(connections)]
    for connection in everyone:
        selector.register(connection.socket, selectors.EVENT_READ, connection)
    began = time.perf_counter()
    for connection in everyone:
        connection.ask(window)
    while time.perf_counter() - began < seconds:
        for key, _ in selector.select(1):
            key.data.hear()
            key.data.fill()
    while any(connection.done < connection.asked for connection in everyone):
        for key, _ in selector.select(1):
            key.data.hear()
    took = time.perf_counter() - began
    for connection in everyone:
        connection.socket.close()
    return sum(connection.done for connection in everyone) / took, everyone[0].latencies


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 5.0
    print_machine()
    print(f"{seconds:g} s a row, payload {len(PAYLOAD)} bytes\n")
    print("| peer | connections × in flight | requests/s | p50 | p99 |")
    print("| --- | --- | --- | --- | --- |")
    with pinned_server() as server:
        for joined in (False, True):
            for connections, window in ((16, 16), (1, 1)):
                rate, latencies = load(
                    server.port, joined=joined, connections=connections, window=window, seconds=seconds
                )
                latencies.sort()
                percentiles = [
                    f"{latencies[int(len(latencies) * share)] * 1000:.2f} ms" if latencies else ""
                    for share in (0.5, 0.99)
                ]
                peer = "joined" if joined else "stock"
                print(
                    f"| {peer} | {connections} × {window} | {rate:,.0f} | {' | '.join(percentiles)} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
