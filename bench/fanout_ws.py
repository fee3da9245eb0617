"""
The fan-out of bench/fanout.py by Node's `ws`, to compare with: nothing is stored, 64 bytes are heard.

    npm install --prefix FOLDER ws
    python -m bench.fanout_ws FOLDER [seconds]
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.fanout import Publisher, measure
from bench.load import NEW_MESSAGE, Hearer, frame, print_machine

SCRIPT = Path(__file__).parent / "peers" / "ws.mjs"
MESSAGE = frame(NEW_MESSAGE.ljust(64, b"x"))


class WsHearer(Hearer):
    """Is ready once it is connected: nobody greets."""

    def data_received(self, data: bytes) -> None:
        if not self.opened.done():
            self.opened.set_result(None)
        heard = data.count(NEW_MESSAGE)
        self.heard += heard
        self.hear(data, heard)


class WsPublisher(WsHearer, Publisher):
    def publish(self, count: int) -> None:
        self.transport.write(MESSAGE * count)
        self.posted += count


@contextmanager
def pinned_peer(folder: str) -> Iterator[int]:
    """The peer on the first core, this process on the last one; yields its port."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[:1])
    with subprocess.Popen(["node", str(SCRIPT)], cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        os.sched_setaffinity(0, cores[-1:])
        assert process.stdout is not None
        yield int(process.stdout.readline())
        process.kill()
    os.sched_setaffinity(0, cores)


def main() -> None:
    folder = sys.argv[1]
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 5.0
    print_machine()
    print("| hearers | window | deliveries/s |")
    print("| --- | --- | --- |")
    for hearers in (100, 1000):
        for window in (1, 32):
            with pinned_peer(folder) as port:
                kinds = (WsHearer, WsPublisher)
                deliveries, _ = asyncio.run(measure(port, hearers, window, seconds, kinds=kinds))
            print(f"| {hearers:,} | {window} | {deliveries:,.0f} |", flush=True)


if __name__ == "__main__":
    main()
