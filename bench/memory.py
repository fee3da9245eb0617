"""
What an idle connection costs in memory.

    python -m bench.memory [connections]

Visitors with a name and the list of rooms, all hearing them; the process's resident memory before and after.
"""

import asyncio
import re
import sys
import time
from pathlib import Path

from bench.load import Hearer, open_all, pinned_server, print_machine

FIRST = 100
SETTLE_SECONDS = 3.0


def resident_kilobytes(pid: int | str) -> int:
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1])  # type: ignore[index]


async def measure(port: int, pid: int, connections: int) -> tuple[float, float]:
    """Returns kilobytes a connection and connects a second."""
    await open_all(Hearer, FIRST, port)
    await asyncio.sleep(SETTLE_SECONDS)
    before = resident_kilobytes(pid)
    began = time.perf_counter()
    await open_all(Hearer, connections, port)
    rate = connections / (time.perf_counter() - began)
    await asyncio.sleep(SETTLE_SECONDS)
    return (resident_kilobytes(pid) - before) / connections, rate


def main() -> None:
    connections = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    print_machine()
    with pinned_server() as server:
        kilobytes, rate = asyncio.run(measure(server.port, server.process.pid, connections))
    print(f"{connections:,} connections: {kilobytes:.1f} KB each, opened at {rate:,.0f} a second")


if __name__ == "__main__":
    main()
