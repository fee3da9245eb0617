"""Standard output for values: bytes whatever the locale says, flushed at once, until nobody reads them."""

import asyncio
import os
import select
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from rpc.cli.failures import ANSWERED_WITH_ERROR, Failure
from rpc.protocol.payloads import UNREADABLE


class Output:
    """Once `gone` is set, nothing more is written."""

    def __init__(self) -> None:
        self.gone = asyncio.Event()
        """Nobody reads any more, or nothing can be written."""
        self._error: OSError | None = None

    def line(self, data: bytes) -> None:
        self.write(data + b"\n")

    def write(self, data: bytes) -> None:
        if self.gone.is_set():
            return
        try:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        except OSError as error:
            self._error = error
            self.gone.set()
            # Python would try to write what is still buffered at the end of the process, and complain.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def check(self) -> None:
        """
        Raises:
            Failure: something could not be written, for another reason than a closed pipe.
        """
        if self._error is not None and not isinstance(self._error, BrokenPipeError):
            text = f"Cannot write to standard output: {self._error.strerror}"
            raise Failure(text, "output", ANSWERED_WITH_ERROR)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Within the block, notice even without writing that the reader of a pipe has closed it."""
        if not _is_pipe():
            yield
            return
        loop = asyncio.get_running_loop()
        # The writing end of a pipe is never readable; to a selector it becomes so by the error.
        loop.add_reader(sys.stdout.fileno(), self._pipe_changed)
        try:
            yield
        finally:
            loop.remove_reader(sys.stdout.fileno())

    def _pipe_changed(self) -> None:
        poll = select.poll()
        poll.register(sys.stdout.fileno(), 0)
        if poll.poll(0):
            self.gone.set()
        asyncio.get_running_loop().remove_reader(sys.stdout.fileno())


def _is_pipe() -> bool:
    try:
        return stat.S_ISFIFO(os.fstat(sys.stdout.fileno()).st_mode)
    except (OSError, ValueError):
        return False


def formatted(payload: bytes, *, pretty: bool = False) -> bytes | None:
    """JSON on one line, or indented, its numbers and texts untouched; None if it is not valid. Empty is null."""
    try:
        json = msgspec.json.format(payload or b"null", indent=2 if pretty else -1)
        json.decode()
    except UNREADABLE:
        return None
    return json
