"""However many ask at once, a process needs no more connections to PostgreSQL than it has threads."""

import asyncio

import psycopg
import pytest

from tests.proof.witness import attack
from tests.server import Server

pytestmark = pytest.mark.services

WEB_THREADS = 3
OTHER_CONNECTIONS = 13
"""docs/configuration.md: those of a process beside its threads for pages."""


def test_pages_at_once_share_the_connections(tmp_path, database_url):
    """Three hundred: each is made, and their connections are few and stay."""
    environment = {"DATABASE_URL": database_url, "WEB_THREADS": str(WEB_THREADS)}
    with Server(tmp_path / "data", environment=environment) as server:
        seen = asyncio.run(attack(server, "pages"))
        assert seen.statuses == {200}
        with psycopg.connect(database_url) as connection:
            asked = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            (count,) = connection.execute(asked).fetchone()
    # This one is among them.
    assert WEB_THREADS < count - 1 <= WEB_THREADS + OTHER_CONNECTIONS
