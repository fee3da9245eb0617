"""Which lines the log keeps."""

import logging

import pytest

from project import logs


@pytest.fixture
def clock(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(logs.time, "monotonic", lambda: now[0])
    return now


def record(message, *args, name="chat.doors.socket", level=logging.INFO, exc_info=None):
    return logging.LogRecord(name, level, "", 0, message, args, exc_info)


def kept(seldom, *records):
    return [each.getMessage() for each in records if seldom.filter(each)]


def test_many_lines_of_a_cause_become_few(clock):
    """Whatever stands in them; the next one tells how many there were."""
    seldom = logs.Seldom()
    lines = [record("closing with %d", number) for number in range(100)]
    assert kept(seldom, *lines) == [f"closing with {number}" for number in range(logs.AT_ONCE)]
    clock[0] = 1.0
    assert kept(seldom, record("closing with %d", 1), record("closing with %d", 2)) == [
        f"closing with 1 (and {100 - logs.AT_ONCE} more like this)"
    ]


def test_other_causes_are_told_meanwhile(clock):
    """Another sentence, another level, another part of the site."""
    seldom = logs.Seldom()
    kept(seldom, *(record("closing with %d", number) for number in range(100)))
    others = (
        record("closed"),
        record("closing with %d", 1, level=logging.ERROR),
        record("closing with %d", 1, name="rpc"),
    )
    assert len(kept(seldom, *others)) == 3


def test_what_clients_put_together_is_one_cause(clock):
    """Django's lines about requests that it refuses have what the client sent in them."""
    seldom = logs.Seldom()
    lines = [record(f"Invalid HTTP_HOST header: x{number}", name="django.security") for number in range(100)]
    assert len(kept(seldom, *lines)) == logs.AT_ONCE


def test_tracebacks_and_log_ins_stay(clock):
    """The id that a person was told is found there, and each password that somebody tried."""
    seldom = logs.Seldom()
    failed = [record("%s failed", "it", exc_info=(RuntimeError, RuntimeError(), None)) for _ in range(100)]
    tried = [record("log-in of %s", "alice", name="hubtalk.log_in") for _ in range(100)]
    assert len(kept(seldom, *failed, *tried)) == 200
