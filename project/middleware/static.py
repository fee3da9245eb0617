"""Static files, without a thread for each."""

from collections.abc import AsyncIterator
from typing import Protocol

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from servestatic.middleware import ServeStaticMiddleware
from servestatic.responders import Redirect, StaticFile

BLOCK_BYTES = 64 * 1024


class _File(Protocol):
    def read(self, size: int, /) -> bytes: ...

    def close(self) -> None: ...


class _Blocks:
    """Reads a file on the thread of the request, block by block, and closes it."""

    def __init__(self, file: _File) -> None:
        self._read = sync_to_async(file.read)
        self.close = file.close
        """Django calls it after an answer, but not when the client has gone."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        more = True
        try:
            while more:
                block = await self._read(BLOCK_BYTES)
                more = len(block) == BLOCK_BYTES
                yield block
        finally:
            self.close()


class StaticFiles(ServeStaticMiddleware):
    """ServeStatic, which would start a thread for each file that it reads."""

    @staticmethod
    async def aserve(static_file: StaticFile | Redirect, request: HttpRequest) -> HttpResponseBase:
        found = await sync_to_async(static_file.get_response)(request.method or "GET", request.META)
        status = int(found.status)
        response: HttpResponseBase
        if found.file is None:
            response = HttpResponse(status=status)
        else:
            response = StreamingHttpResponse(_Blocks(found.file), status=status)
        del response["Content-Type"]
        for name, value in found.headers:
            if value is not None:
                response[name] = value
        return response
