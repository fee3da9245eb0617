"""What strangers send stands in the log as part of a line, whatever is in it."""

import logging
import sys

import pytest

from rpc.log_lines import MAX_CHARS, MAX_TRACEBACK_CHARS, LineFormatter, one_line

FORGED = "bye\n2026-11-21 12:00:00,000 INFO hubtalk.log_in: log-in of root from 192.0.2.1"


def written(message, *arguments, error=None):
    info = (type(error), error, error.__traceback__) if error is not None else None
    record = logging.LogRecord("rpc", logging.INFO, "file.py", 1, message, arguments, info)
    return LineFormatter().format(record)


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029"], ids=ascii)
def test_line_end_begins_no_line(end):
    """Of all that Unicode and terminals know."""
    assert len(written("closing with %d: %s", 1000, FORGED.replace("\n", end)).splitlines()) == 1


ESCAPES = ["\x1b[2J", "\x1b]0;title\x07", "\x08" * 9, "\x9b31m", "\u202e", "\u200b", "\ud800", "\0"]


@pytest.mark.parametrize("escape", ESCAPES, ids=ascii)
def test_escape_is_shown_and_does_nothing(escape):
    """A terminal neither moves nor colours nor turns anything for it, and the file stays valid UTF-8."""
    line = written("%s", f"before{escape}after")
    assert line.isprintable()
    line.encode()


def test_long_text_is_cut():
    """A megabyte becomes a short line, which says how long it was."""
    line = written("closing with %d: %s", 1000, "x" * 2**20)
    assert len(line) < MAX_CHARS + 100
    assert line.endswith(f"({2**20 + 19} characters)")


def test_words_are_left_alone():
    """In any language, with emoji."""
    assert one_line("再见 👋 à bientôt") == "再见 👋 à bientôt"


def test_lines_of_a_traceback_are_no_records():
    """What was raised may hold what a stranger sent."""
    try:
        raise ValueError(FORGED + "\x1b[31m")
    except ValueError as error:
        first, *others = written("a handler failed", error=error).split("\n")
    assert first.endswith("INFO rpc: a handler failed")
    assert others and all(line.startswith("    ") and line.isprintable() for line in others)


def test_endless_traceback_is_cut():
    """Its beginning and its end stay."""
    limit = sys.getrecursionlimit()

    def descend(depth):
        if depth:
            return exec("descend(depth - 1)", {"descend": descend, "depth": depth})
        raise ValueError("the reason")

    try:
        descend(limit // 4)
    except (ValueError, RecursionError) as error:
        text = written("failed", error=error)
    assert len(text) < MAX_TRACEBACK_CHARS + 200
    assert text.splitlines()[-1].strip().startswith(("ValueError", "RecursionError"))
