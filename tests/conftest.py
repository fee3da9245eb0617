import os
import signal
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management.color import no_style
from django.db import connection
from django.test import TransactionTestCase

from tests.server import Server

TESTS = Path(__file__).parent

# A shell that starts the tests in the background lets them, and so the programs that they start, ignore it.
signal.signal(signal.SIGINT, signal.default_int_handler)

LONGEST = ("packaging", "services", "proof", "browser", "chat/doors", "project")
"""Folders whose tests take long, and begin first: what runs at the end should not keep one worker alone."""
KEPT_TABLES = {"django_migrations", "django_content_type", "auth_permission"}


def empty_tables(case):
    """Delete all rows but those that every test finds: a flush would make these anew, which takes far longer."""
    tables = [name for name in connection.introspection.table_names() if name not in KEPT_TABLES]
    connection.ops.execute_sql_flush(connection.ops.sql_flush(no_style(), tables))


TransactionTestCase._fixture_teardown = empty_tables


def pytest_configure():
    """Each worker has a folder of its own: what a test announces without a hub reaches all hubs of its folder."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker is not None:
        settings.HUBTALK_DATA = Path(settings.HUBTALK_DATA) / worker
        settings.HUBTALK_DATA.mkdir(exist_ok=True)
        os.environ["HUBTALK_DATA"] = str(settings.HUBTALK_DATA)


def pytest_collection_modifyitems(items):
    def place(item):
        path = item.path.relative_to(TESTS).as_posix()
        return next((number for number, folder in enumerate(LONGEST) if path.startswith(folder)), len(LONGEST))

    items.sort(key=place)


class Clock:
    """Seconds, as a test sets them."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def server(tmp_path):
    """A real site of its own: `manage.py serve` in a subprocess, on a free port, over an empty folder."""
    with Server(tmp_path / "data") as running:
        yield running
