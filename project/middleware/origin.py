"""Which pages may open a WebSocket here."""

from collections.abc import Awaitable
from urllib.parse import urlsplit

from asgiref.typing import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, Scope
from django.conf import settings
from django.http.request import validate_host

from chat.queries.tokens import bearer_of
from rpc import CloseCode

DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}


class CheckOrigin:
    """
    A page elsewhere must not use its visitor's cookies here (RFC 6455, section 10.2).

    A browser always sends an Origin; one that is not allowed is refused. A program sends none, or a bearer token,
    which no page can send with a WebSocket; it is let in, and its cookies do not count.
    """

    def __init__(self, application: ASGI3Application) -> None:
        self._application = application

    # Not async: its coroutine would stay in memory for as long as the connection does.
    def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> Awaitable[None]:
        headers = dict(scope["headers"])
        origin = headers.get(b"origin")
        if origin is None or bearer_of(scope) is not None:
            scope["headers"] = [header for header in scope["headers"] if header[0] != b"cookie"]
        elif not origin_allowed(origin.decode("latin-1"), headers.get(b"host", b"").decode("latin-1")):
            return _refuse(receive, send)
        return self._application(scope, receive, send)


async def _refuse(receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    await receive()
    await send({"type": "websocket.close", "code": CloseCode.NOT_ALLOWED})


def origin_allowed(origin: str, host: str) -> bool:
    """Whether a page of `origin` may talk to the site as `host` names it: exact scheme, host and port."""
    asked = _parts(origin)
    if asked is None:
        return False
    if settings.ALLOWED_ORIGINS:
        return asked in {_parts(allowed) for allowed in settings.ALLOWED_ORIGINS}
    own = _parts(f"{'https' if settings.HTTPS else 'http'}://{host}")
    return asked == own and validate_host(asked[1], settings.ALLOWED_HOSTS)


def _parts(origin: str) -> tuple[str, str, int] | None:
    try:
        url = urlsplit(origin)
        port = url.port or DEFAULT_PORTS[url.scheme]
    except (ValueError, KeyError):
        return None
    if not url.hostname or url.path or url.query or url.fragment or url.username is not None:
        return None
    host = f"[{url.hostname}]" if ":" in url.hostname else url.hostname
    return url.scheme, host, port
