"""Static files, answered before Django: nothing of a request for one needs a session, a query or a thread."""

from contextlib import closing
from io import BytesIO
from typing import Any

from asgiref.typing import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, Scope
from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse
from django.middleware.security import SecurityMiddleware
from servestatic.middleware import ServeStaticMiddleware
from servestatic.responders import Redirect, StaticFile

from project.middleware.headers import BrowserRules

BLOCK_BYTES = 64 * 1024


class _FileAnswer(HttpResponse):
    """Status and headers of an answer; the body is read from `file` while it is sent."""

    file: Any = None


class StaticFiles:
    """
    Answers as ServeStatic does, under the same rules as every other answer; what is no file goes on to the
    application.

    Files are read on the loop: they are in memory once they were asked for, and a thread takes longer to begin than
    to read one.
    """

    def __init__(self, application: ASGI3Application) -> None:
        self._application = application
        self._serve_static = ServeStaticMiddleware(self._answer)
        self._security = SecurityMiddleware(self._answer)
        self._rules = BrowserRules(self._answer)

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        if scope["type"] != "http" or self._find(scope["path"].removeprefix(settings.ROOT_PATH)) is None:
            await self._application(scope, receive, send)
            return
        try:
            request = ASGIRequest(scope, BytesIO())
            answer = self._security.process_request(request) or await self._rules(request)
        except DisallowedHost:
            # Django says what is wrong with it.
            await self._application(scope, receive, send)
            return
        answer = self._security.process_response(request, answer)
        headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in answer.items()]
        await send(
            {"type": "http.response.start", "status": answer.status_code, "headers": headers, "trailers": False}
        )
        file = getattr(answer, "file", None)
        if file is None:
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        more = True
        with closing(file):
            while more:
                block = file.read(BLOCK_BYTES)
                more = len(block) == BLOCK_BYTES
                await send({"type": "http.response.body", "body": block, "more_body": more})

    def _find(self, path: str) -> StaticFile | Redirect | None:
        if settings.DEBUG:
            return self._serve_static.find_file(path)
        return self._serve_static.files.get(path)

    async def _answer(self, request: HttpRequest) -> HttpResponse:
        found = self._find(request.path_info)
        assert found is not None
        response = found.get_response(request.method or "GET", request.META)
        answer = _FileAnswer(status=int(response.status))
        answer.file = response.file
        del answer["Content-Type"]
        for name, value in response.headers:
            if value is not None:
                answer[name] = value
        return answer
