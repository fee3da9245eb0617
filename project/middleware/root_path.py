"""The path under which a proxy serves the site."""

from collections.abc import Awaitable

from asgiref.typing import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, Scope
from django.conf import settings


class OwnRootPath:
    """Sets the root path of the settings, whatever `Daphne-Root-Path` a client sends."""

    def __init__(self, application: ASGI3Application) -> None:
        self._application = application

    # Not async: its coroutine would stay in memory for as long as the connection does.
    def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> Awaitable[None]:
        scope["root_path"] = settings.ROOT_PATH
        return self._application(scope, receive, send)
