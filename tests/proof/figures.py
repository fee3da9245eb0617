"""Figures of a server: what its process takes, and what it counts itself."""

import asyncio
import re
from pathlib import Path
from urllib.request import Request, urlopen

from tests.server import Server

METRICS_TOKEN = "figures"
"""With which a server is started that tells what it counts."""


def of_process(pid: int, name: str) -> int:
    """A figure of /proc/PID/status; memory is in KiB."""
    return int(re.search(rf"^{name}:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)[1])


async def connections(server: Server) -> int:
    """How many the server counts."""
    asked = Request(f"{server.url}/metrics", headers={"Authorization": f"Bearer {METRICS_TOKEN}"})
    figures = await asyncio.to_thread(lambda: urlopen(asked, timeout=30).read().decode())
    return int(float(re.search(r"^hubtalk_connections (\S+)", figures, re.MULTILINE)[1]))
