import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.certificate import make_certificate

ROOT = Path(__file__).resolve().parents[2]
STOP_TIMEOUT = 15.0


@pytest.fixture(scope="module")
def site() -> Iterator[dict[str, str]]:
    with running_site() as addresses:
        yield addresses


@contextmanager
def running_site(*options: str) -> Iterator[dict[str, str]]:
    """Addresses of tests.peers.site by scheme, and the certificate's path."""
    # A unix socket's path has to be short, so not pytest's folder.
    with tempfile.TemporaryDirectory() as folder:
        certificate, _ = make_certificate(Path(folder))
        command = [sys.executable, "-m", "tests.peers.site", folder, *options]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            yield {**json.loads(process.stdout.readline()), "certificate": str(certificate)}
            process.terminate()
            assert process.wait(STOP_TIMEOUT) == 0
