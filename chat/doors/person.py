"""Who connects, for the consumers of other apps."""

from typing import Any

from chat.queries.identity import open_session, session_key_of, user_and_identity
from chat.realtime.db import read


class PersonMiddleware:
    """
    ASGI middleware that puts into the scope of a WebSocket, inside Channels' `CookieMiddleware`:

    - `session`: Django's session; without a cookie an empty one.
    - `user`: who is logged in, or `AnonymousUser`, as Channels' `AuthMiddleware` does.
    - `person`: the `chat.queries.identity.Identity` of an account or a guest.

    All three come from one read before the handshake is answered, and do not change while the connection lives. The
    chat's own doors do without: they read the person while the runtime hears of changes, so that none is missed.
    """

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        session = open_session(session_key_of(scope))
        user, person = await read(user_and_identity, session)
        return await self.inner({**scope, "session": session, "user": user, "person": person}, receive, send)
