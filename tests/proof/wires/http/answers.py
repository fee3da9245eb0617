"""Answers of a web server, read strictly (RFC 9112)."""

import re
from typing import NamedTuple

from tests.proof.wires.findings import Finding

_STATUS_LINE = re.compile(rb"HTTP/1\.1 ([1-5]\d\d) [ -~]+")
_CHUNK_SIZE = re.compile(rb"[0-9a-fA-F]{1,8}")


class Answer(NamedTuple):
    status: int
    headers: dict[bytes, bytes]
    body: bytes

    def __str__(self) -> str:
        return f"{self.status} {self.body[:200]!r}"


class AnswerReader:
    """Reads the answers of one connection."""

    def __init__(self) -> None:
        self._data = bytearray()

    @property
    def is_amid(self) -> bool:
        """Whether something came that is not a whole answer."""
        return bool(self._data)

    def feed(self, data: bytes) -> None:
        self._data += data

    def next_answer(self, *, to_head: bool) -> Answer | None:
        """
        The next one that is complete, if there is one; `to_head` says that it has no body.

        Raises:
            Finding: a server may not send that.
        """
        head_end = self._data.find(b"\r\n\r\n")
        if head_end < 0:
            return None
        first, *lines = bytes(self._data[:head_end]).split(b"\r\n")
        status = _STATUS_LINE.fullmatch(first)
        if status is None:
            raise Finding(f"no status line: {first[:200]!r}")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines)}
        whole = (b"", head_end + 4) if to_head else self._body(headers, head_end + 4)
        if whole is None:
            return None
        body, end = whole
        del self._data[:end]
        return Answer(int(status[1]), headers, body)

    def _body(self, headers: dict[bytes, bytes], start: int) -> tuple[bytes, int] | None:
        """A body that begins at `start`, and where it ends; None if its end is missing."""
        length = headers.get(b"content-length")
        if (length is None) != (headers.get(b"transfer-encoding") == b"chunked"):
            raise Finding(f"how long is this body? {headers}")
        if length is None:
            return self._chunks(start)
        end = start + int(length)
        return None if len(self._data) < end else (bytes(self._data[start:end]), end)

    def _chunks(self, start: int) -> tuple[bytes, int] | None:
        body, size = b"", None
        while size != 0:
            line_end = self._data.find(b"\r\n", start)
            if line_end < 0:
                return None
            line = bytes(self._data[start:line_end])
            if not _CHUNK_SIZE.fullmatch(line):
                raise Finding(f"the size of a chunk is {line[:50]!r}")
            size, start = int(line, 16), line_end + 2
            end = start + size
            if len(self._data) < end + 2:
                return None
            if self._data[end : end + 2] != b"\r\n":
                raise Finding(f"a chunk does not end where it says: {bytes(self._data[end : end + 50])!r}")
            body += self._data[start:end]
            start = end + 2
        return body, start
