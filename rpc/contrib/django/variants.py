"""A text that is served as it is or gzipped, and not again to whoever has it."""

import gzip
import hashlib
from functools import cached_property

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response


class Variants:
    """Each variant has its own strong tag (RFC 9110, section 8.8.3), for their bytes differ."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._digest = hashlib.sha256(content).hexdigest()[:32]

    @cached_property
    def _gzipped(self) -> bytes:
        # mtime 0: the same bytes in every process, as a strong tag promises.
        return gzip.compress(self._content, mtime=0)

    def answer(self, request: HttpRequest, content_type: str, cache_control: str) -> HttpResponseBase:
        """The answer to GET and HEAD; 304 for whoever has the variant already, 405 for other methods."""
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        accepts_gzip = _accepts_gzip(request.headers.get("Accept-Encoding", ""))
        content, etag = self._content, f'"{self._digest}"'
        if accepts_gzip:
            content, etag = self._gzipped, f'"{self._digest}-gzip"'
        response = HttpResponse(content, content_type=content_type)
        if accepts_gzip:
            response["Content-Encoding"] = "gzip"
        response["Content-Length"] = str(len(content))
        response["ETag"] = etag
        response["Vary"] = "Accept-Encoding"
        response["Cache-Control"] = cache_control
        return get_conditional_response(request, etag=etag, response=response) or response


def _accepts_gzip(accept_encoding: str) -> bool:
    for offer in accept_encoding.lower().split(","):
        coding, _, weight = offer.replace(" ", "").partition(";")
        if coding == "gzip":
            return weight.rstrip("0.") != "q="
    return False
