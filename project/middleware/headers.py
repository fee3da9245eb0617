"""What every answer tells browsers: nothing inline, nothing from elsewhere, no frames, no devices."""

from dataclasses import replace
from typing import Any

from csp.middleware import CSPMiddleware, PolicyParts
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponseBase

HEADERS = {
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    # Pages elsewhere may load scripts that are meant for them, and nothing else: `SHARED`.
    "Cross-Origin-Resource-Policy": "same-origin",
}
SHARED = ("/gotalk/", "/static/")
"""Beginnings of the paths of what pages of other origins may load."""


class BrowserRules(CSPMiddleware):
    """
    django-csp's policy and further headers. Views have a policy of their own by django-csp's decorators, and
    whatever header a view sets stays.
    """

    # Async, so that no thread waits while an async view does.
    sync_capable = False

    async def __acall__(self, request: HttpRequest) -> HttpResponseBase:
        self.process_request(request)
        response = await self.get_response(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if request.path_info.startswith(SHARED):
            response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        return self.process_response(request, response)

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        """Names the WebSocket's origin, which older Safari does not count as 'self'."""
        parts = super().get_policy_parts(request, response, report_only)
        try:
            websocket = f"{'wss' if request.is_secure() else 'ws'}://{request.get_host()}"
        except DisallowedHost:
            # The answer says so already.
            return parts
        update: dict[str, Any] = dict(parts.update or {})
        update["connect-src"] = [*update.get("connect-src", ()), websocket]
        return replace(parts, update=update)
