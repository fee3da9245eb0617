"""gotalk.js, at a fixed address that pages written for the stock file know."""

import gzip
import hashlib
from functools import cache
from pathlib import Path
from typing import NamedTuple

from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

_SCRIPT = Path(__file__).parent / "static" / "rpc" / "gotalk.js"

_MAX_AGE = 300
"""Seconds a browser may use the script without asking: its address never changes, its content does."""


class _Variant(NamedTuple):
    content: bytes
    etag: str


@cache
def _variants() -> tuple[_Variant, _Variant]:
    """The script as it is and gzipped; each has its own strong tag, for their bytes differ."""
    content = _SCRIPT.read_bytes()
    digest = hashlib.sha256(content).hexdigest()[:32]
    # mtime 0: the same bytes in every process, as a strong tag promises.
    return _Variant(content, f'"{digest}"'), _Variant(gzip.compress(content, mtime=0), f'"{digest}-gzip"')


def _accepts_gzip(accept_encoding: str) -> bool:
    for offer in accept_encoding.lower().split(","):
        coding, _, weight = offer.replace(" ", "").partition(";")
        if coding == "gzip":
            return weight.rstrip("0.") != "q="
    return False


@require_safe
def gotalk_js(request: HttpRequest) -> HttpResponse:
    plain, gzipped = _variants()
    accepts_gzip = _accepts_gzip(request.headers.get("Accept-Encoding", ""))
    variant = gzipped if accepts_gzip else plain
    response = HttpResponse(variant.content, content_type="text/javascript; charset=utf-8")
    if accepts_gzip:
        response["Content-Encoding"] = "gzip"
    response["ETag"] = variant.etag
    response["Vary"] = "Accept-Encoding"
    response["Cache-Control"] = f"public, max-age={_MAX_AGE}"
    return get_conditional_response(request, etag=variant.etag, response=response) or response
