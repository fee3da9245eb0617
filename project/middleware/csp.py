"""The Content-Security-Policy of every page: nothing inline, nothing from elsewhere."""

from collections.abc import Awaitable, Callable

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import async_only_middleware

GetResponse = Callable[[HttpRequest], Awaitable[HttpResponse]]


# Async, so that no thread waits while an async view does.
@async_only_middleware
def content_security_policy(get_response: GetResponse) -> GetResponse:
    """Middleware that sends the policy with every answer."""

    async def middleware(request: HttpRequest) -> HttpResponse:
        response = await get_response(request)
        response["Content-Security-Policy"] = policy_for(request)
        response["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
        return response

    return middleware


def policy_for(request: HttpRequest) -> str:
    # Older Safari does not count ws: as 'self', so the WebSocket's origin is named.
    try:
        websocket = f"{'wss' if request.is_secure() else 'ws'}://{request.get_host()}"
    except DisallowedHost:
        # The answer says so already.
        websocket = ""
    return "; ".join(
        (
            "default-src 'self'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            f"connect-src 'self' {websocket}".rstrip(),
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )
