"""A log that cannot be forged: whatever a remote says of itself is part of one line, and not a long one."""

import logging

MAX_CHARS = 500
"""Of one message: enough for each of ours."""
MAX_TRACEBACK_CHARS = 20_000


def one_line(text: str, max_chars: int = MAX_CHARS) -> str:
    """The text without line ends, escapes and what else is not printed, which are written as Python does."""
    shown = text if len(text) <= max_chars else f"{text[:max_chars]}… ({len(text)} characters)"
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in shown)


class LineFormatter(logging.Formatter):
    """Each record is one line, and those of a traceback are indented, so that none of them looks like a record."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:
        record.message = one_line(record.message)
        return super().formatMessage(record)

    def formatException(self, ei: object) -> str:
        lines = super().formatException(ei).split("\n")  # type: ignore[arg-type]  # as in logging
        shown = "\n".join(f"    {one_line(line)}" for line in lines)
        if len(shown) <= MAX_TRACEBACK_CHARS:
            return shown
        # What was raised stands at its end.
        half = MAX_TRACEBACK_CHARS // 2
        return f"{shown[:half]}\n    …\n    {shown[-half:]}"
