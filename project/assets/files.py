"""Static files, answered before Django: nothing of a request for one needs a session, a query or a thread."""

from contextlib import closing
from io import BytesIO
from typing import Any

from asgiref.typing import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, Scope
from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.security import SecurityMiddleware
from servestatic.media_types import MediaTypes
from servestatic.middleware import ServeStaticMiddleware
from servestatic.responders import Redirect, StaticFile

from project.assets.release import release, split_release, text_of
from project.middleware.headers import BrowserRules
from rpc.contrib.django.variants import Variants

BLOCK_BYTES = 64 * 1024
ASK_AGAIN = "max-age=0, public"
"""Names without the release have no version: a browser asks again and gets 304."""
KEEP = "max-age=31536000, public, immutable"
"""A year, in seconds."""


class _FileAnswer(HttpResponse):
    """Status and headers of an answer; the body is read from `file` while it is sent."""

    file: Any = None


class StaticFiles:
    """
    Texts from memory, joined and gzipped when they are first asked for, other files as ServeStatic answers; all
    under the same rules as every other answer. What is no file goes on to the application.

    Files are read on the loop: they are in memory once they were asked for, and a thread takes longer to begin than
    to read one.
    """

    def __init__(self, application: ASGI3Application) -> None:
        self._application = application
        self._serve_static = ServeStaticMiddleware(self._answer)
        self._security = SecurityMiddleware(self._answer)
        self._rules = BrowserRules(self._answer)
        self._types = MediaTypes()
        self._texts: dict[str, Variants] = {}

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        if scope["type"] != "http" or self._find(scope["path"].removeprefix(settings.ROOT_PATH))[0] is None:
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
            body = b"" if request.method == "HEAD" else answer.content
            await send({"type": "http.response.body", "body": body, "more_body": False})
            return
        more = True
        with closing(file):
            while more:
                block = file.read(BLOCK_BYTES)
                more = len(block) == BLOCK_BYTES
                await send({"type": "http.response.body", "body": block, "more_body": more})

    def _find(self, path: str) -> tuple[StaticFile | Redirect | None, str, str]:
        """The file at a path, if there is one, its name, and the release that the path names."""
        prefix = self._serve_static.static_prefix
        if not path.startswith(prefix):
            return None, "", ""
        named, name = split_release(path.removeprefix(prefix))
        find = self._serve_static.find_file if settings.DEBUG else self._serve_static.files.get
        return find(prefix + name), name, named

    async def _answer(self, request: HttpRequest) -> HttpResponseBase:
        found, name, named = self._find(request.path_info)
        assert found is not None
        # Another release's address leads to this one's file, which must not be kept there.
        cache_control = KEEP if named == release() else ASK_AGAIN
        media_type = self._types.get_type(name)
        if _is_text(media_type) and not settings.DEBUG:
            if name not in self._texts:
                self._texts[name] = Variants(text_of(name))
            answer = self._texts[name].answer(request, f"{media_type}; charset=utf-8", cache_control)
        else:
            answer = _as_serve_static(found, request, cache_control)
        # Pages elsewhere load scripts of the site, modules too.
        answer["Access-Control-Allow-Origin"] = "*"
        return answer


def _as_serve_static(found: StaticFile | Redirect, request: HttpRequest, cache_control: str) -> HttpResponse:
    response = found.get_response(request.method or "GET", request.META)
    answer = _FileAnswer(status=int(response.status))
    answer.file = response.file
    del answer["Content-Type"]
    for name, value in response.headers:
        if value is not None:
            answer[name] = value
    answer["Cache-Control"] = cache_control
    return answer


def _is_text(media_type: str) -> bool:
    return media_type.startswith("text/") or media_type in ("application/json", "image/svg+xml")
