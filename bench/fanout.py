"""
How many messages a second one room's posts become at all its hearers.

    python -m bench.fanout [seconds]

N `joined` peers hear the room; one of them posts 64 bytes with K posts that it has not heard itself yet. Every
post is stored first, with `synchronous=FULL`, and goes through the channel layer; what is heard is the whole
message with its author, ids and times, about 330 bytes.
"""

import asyncio
import sys
import time

from bench.load import Hearer, open_all, pinned_server, print_machine, send_message

SETTLE_SECONDS = 1.0
ALL_BUT = 0.999
"""A header that a read cut in two is not counted."""


class Publisher(Hearer):
    running = False
    posted = 0

    def hear(self, data: bytes, heard: int) -> None:
        if self.running and heard:
            self.publish(heard)

    def publish(self, count: int) -> None:
        self.ask(b"".join(send_message(self.posted + number) for number in range(count)))
        self.posted += count


async def measure(
    port: int, hearers: int, window: int, seconds: float, *, kinds: tuple[type[Hearer], type[Publisher]]
) -> tuple[float, float]:
    """Returns deliveries and posts a second; the clock stops when what was posted has been heard."""
    peers: list[Hearer] = list(await open_all(kinds[0], hearers - 1, port))
    (publisher,) = await open_all(kinds[1], 1, port)
    peers.append(publisher)
    publisher.publish(1)
    await asyncio.sleep(SETTLE_SECONDS)
    before, posted = sum(peer.heard for peer in peers), publisher.posted
    began = time.perf_counter()
    publisher.running = True
    publisher.publish(window)
    await asyncio.sleep(seconds)
    publisher.running = False
    expected = (publisher.posted - posted) * hearers
    while (
        sum(peer.heard for peer in peers) - before < expected * ALL_BUT
        and time.perf_counter() - began < 2 * seconds
    ):
        await asyncio.sleep(0.01)
    took = time.perf_counter() - began
    heard = sum(peer.heard for peer in peers) - before
    for peer in peers:
        peer.transport.abort()
    return heard / took, (publisher.posted - posted) / took


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 5.0
    print_machine()
    print("| hearers | window | deliveries/s | posts/s |")
    print("| --- | --- | --- | --- |")
    for hearers in (100, 1000):
        for window in (1, 32):
            with pinned_server() as server:
                deliveries, posts = asyncio.run(
                    measure(server.port, hearers, window, seconds, kinds=(Hearer, Publisher))
                )
            print(f"| {hearers:,} | {window} | {deliveries:,.0f} | {posts:,.0f} |", flush=True)


if __name__ == "__main__":
    main()
