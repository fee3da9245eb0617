"""How a command that failed ends: with one sentence or one JSON object, and an exit code."""

import sys

from rpc.errors import (
    ConnectionClosed,
    LocalProtocolError,
    MessageTooBig,
    RequestFailed,
    RequestTimeout,
    RetryLater,
    RpcError,
)
from rpc.protocol.payloads import Refusal, to_json

DONE, ANSWERED_WITH_ERROR, USAGE, NOT_CONNECTED, TIMED_OUT, INTERRUPTED = 0, 1, 2, 3, 4, 130

EXIT_CODES = """\
exit codes: 0 done, 1 the server answered with an error, 2 usage, 3 cannot connect or connection lost,
4 timed out, 130 interrupted"""


class Failure(Exception):
    """
    Args:
        text: a sentence for people.
        code: a word for programs.
        exit_code: of the process.
        field, retry_after_ms: as in the error of the server, if it has them.
    """

    def __init__(
        self, text: str, code: str, exit_code: int, field: str | None = None, retry_after_ms: int | None = None
    ) -> None:
        super().__init__(text)
        self.exit_code = exit_code
        self._refusal = Refusal(text, code, field, retry_after_ms)

    def report(self, *, as_json: bool) -> None:
        """Write it to standard error, as a line."""
        refusal = self._refusal
        if as_json:
            line = to_json(refusal).decode()
        else:
            line = printable(refusal.error)
            if refusal.retry_after_ms is not None:
                line += f", retry after {refusal.retry_after_ms} ms"
            if refusal.field is not None:
                line += f" (field {printable(refusal.field)})"
        print(line, file=sys.stderr)


def usage(text: str) -> Failure:
    return Failure(text, "usage", USAGE)


def failure_of(error: RpcError) -> Failure:
    """How the command reports an error of `Client` or `Stream`."""
    match error:
        case RequestFailed():
            return Failure(error.text, error.code or "failed", ANSWERED_WITH_ERROR, error.field)
        case RetryLater():
            return Failure(error.text, error.code, ANSWERED_WITH_ERROR, retry_after_ms=error.retry_after_ms)
        case RequestTimeout():
            return Failure(str(error), "timeout", TIMED_OUT)
        case ConnectionClosed():
            return Failure(str(error), "connection_closed", NOT_CONNECTED)
        case MessageTooBig():
            return Failure(str(error), "too_large", ANSWERED_WITH_ERROR)
        case LocalProtocolError():
            return usage(str(error))
    raise error


def printable(text: str) -> str:
    """On one line, without the codes that a terminal would obey: the text comes from elsewhere."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
