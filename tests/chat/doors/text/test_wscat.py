"""wscat, the public client for the command line, at the addresses that the documents give it."""

import os
import re
import select
import subprocess
import time

import pytest

from tests.deadlines import DEADLINE
from tests.documents import read
from tests.server import Server

pytestmark = pytest.mark.node

DEBIAN_MODULES = "/usr/share/nodejs"
RETRY_SECONDS = 0.5
"""Seconds after which a line is typed again: wscat forgets what is typed before it is connected."""
PATHS = sorted(
    set(re.findall(r"^wscat -c ws://127\.0\.0\.1:8000(/\S+)$", read("README.md") + read("docs/doors.md"), re.M))
)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("site") / "data") as server:
        yield server


@pytest.mark.parametrize("path", PATHS)
def test_line_comes_back(site, path):
    """What is typed is heard again."""
    command = ["wscat", "-c", site.websocket_url + path]
    environment = {**os.environ, "NODE_PATH": DEBIAN_MODULES}
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as wscat:
        heard = b""
        deadline = time.monotonic() + DEADLINE
        while b"hello from wscat\n" not in heard:
            assert time.monotonic() < deadline, heard
            wscat.stdin.write(b"hello from wscat\n")
            wscat.stdin.flush()
            while select.select([wscat.stdout], [], [], RETRY_SECONDS)[0]:
                heard += os.read(wscat.stdout.fileno(), 1000)
                if b"hello from wscat\n" in heard:
                    break
        wscat.terminate()
