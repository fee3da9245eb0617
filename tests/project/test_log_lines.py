"""What of the lines about requests the log keeps."""

import logging

from project import logs


def record(status, *, name="django.request", exc_info=None):
    made = logging.LogRecord(name, logging.ERROR, "", 0, "%s: %s", ("Service Unavailable", "/"), exc_info)
    made.status_code = status
    return made


def test_one_line_a_second_tells_of_a_status(monkeypatch):
    """Each status for itself: while the site is busy, everybody who asks would fill the log."""
    now = [0.0]
    monkeypatch.setattr(logs.time, "monotonic", lambda: now[0])
    seldom = logs.Seldom()
    assert [seldom.filter(record(status)) for status in (503, 503, 500, 503)] == [True, False, True, False]
    now[0] = 1.0
    assert seldom.filter(record(503))


def test_tracebacks_and_what_else_is_told_stay():
    """The id in the words that a person was told is found there."""
    seldom = logs.Seldom()
    error = RuntimeError()
    assert all(seldom.filter(record(500, exc_info=(RuntimeError, error, None))) for _ in range(3))
    assert all(seldom.filter(record(503, name="hubtalk.log_in")) for _ in range(3))
