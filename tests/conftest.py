import pytest

from tests.server import Server


@pytest.fixture
def server(tmp_path):
    """A real site of its own: `manage.py serve` in a subprocess, on a free port, over an empty folder."""
    with Server(tmp_path / "data") as running:
        yield running
