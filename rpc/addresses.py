"""Where a gotalk peer listens or is found: `tcp://host:port`, `tls://host:port`, `unix:///path`, `ws://…`, `wss://…`."""

from typing import Self
from urllib.parse import unquote, urlsplit

import msgspec

DEFAULT_PORT = 1234
"""Of tcp and tls: what the examples of the public Go package listen on."""


class Address(msgspec.Struct, frozen=True):
    """`path` is the socket's for unix; for ws and wss `url` says all, and `port` is 0 where it names none."""

    scheme: str
    host: str
    port: int
    path: str
    url: str

    @classmethod
    def parse(cls, url: str) -> Self:
        """
        Raises:
            ValueError: it is not an address; the text says what is wrong with it.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise ValueError(f"{url!r} is not an address: {error}") from None
        scheme = parts.scheme
        if scheme in ("ws", "wss") and parts.hostname:
            return cls(scheme, parts.hostname, port or 0, parts.path, url)
        if scheme == "unix" and parts.path and not parts.netloc:
            return cls(scheme, "", 0, unquote(parts.path), url)
        if scheme in ("tcp", "tls") and parts.hostname and parts.path in ("", "/"):
            return cls(scheme, parts.hostname, DEFAULT_PORT if port is None else port, "", url)
        raise ValueError(
            f"{url!r} is not an address such as tcp://127.0.0.1:8001, tls://…, unix:///path, ws://… or wss://…"
        )

    @property
    def is_websocket(self) -> bool:
        return self.scheme in ("ws", "wss")

    @property
    def origin(self) -> str:
        """For ws and wss, the origin of the server's own pages as a browser sends it (RFC 6454, section 6.2)."""
        scheme, default = ("https", 443) if self.scheme == "wss" else ("http", 80)
        host = self._bracketed if self.host.isascii() else self.host.encode("idna").decode()
        return f"{scheme}://{host}" if self.port in (0, default) else f"{scheme}://{host}:{self.port}"

    def with_port(self, port: int) -> str:
        """The URL with the port that is really listened on."""
        return f"{self.scheme}://{self._bracketed}:{port}"

    @property
    def _bracketed(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host
