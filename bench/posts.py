"""
How many posts a second are stored and acknowledged, with how long a wait.

    python -m bench.posts [seconds]

Each client posts 64 bytes to one room, waits for the answer, and posts again; all hear every post. The server
and the load share the machine's cores. SQLite with `synchronous=FULL`.
"""

import asyncio
import os
import sys
import time

from bench.load import Hearer, open_all, pinned_server, print_machine, send_message

WARM_UP_SECONDS = 2.0


class Poster(Hearer):
    running = False
    answered = 0

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    def post(self) -> None:
        self._asked_at = time.perf_counter()
        self._answer = b"R%04x0000" % (self.answered % 0x10000)
        self.ask(send_message(self.answered))

    def hear(self, data: bytes, heard: int) -> None:
        if self.running and self._answer in data:
            self.waits.append(time.perf_counter() - self._asked_at)
            self.answered += 1
            self.post()


async def measure(port: int, clients: int, seconds: float) -> tuple[float, list[float]]:
    """Returns answered posts a second and the sorted waits, in seconds."""
    posters = await open_all(Poster, clients, port)
    for poster in posters:
        poster.running = True
        poster.post()
    await asyncio.sleep(WARM_UP_SECONDS)
    before = sum(poster.answered for poster in posters)
    for poster in posters:
        poster.waits.clear()
    began = time.perf_counter()
    await asyncio.sleep(seconds)
    rate = (sum(poster.answered for poster in posters) - before) / (time.perf_counter() - began)
    waits = sorted(wait for poster in posters for wait in poster.waits)
    for poster in posters:
        poster.running = False
        poster.transport.abort()
    return rate, waits


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 5.0
    print_machine()
    print("| clients | posts/s | p50 | p99 |")
    print("| --- | --- | --- | --- |")
    for clients in (16, 64, 256):
        with pinned_server() as server:
            os.sched_setaffinity(server.process.pid, range(os.cpu_count() or 1))
            rate, waits = asyncio.run(measure(server.port, clients, seconds))
        p50, p99 = (waits[int(len(waits) * share)] * 1000 for share in (0.5, 0.99))
        print(f"| {clients} | {rate:,.0f} | {p50:.1f} ms | {p99:.1f} ms |", flush=True)


if __name__ == "__main__":
    main()
