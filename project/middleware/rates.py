"""How often an address may ask for pages, and call the HTTP API: a refusal costs neither a session nor a query."""

from collections.abc import Awaitable, Callable

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import async_only_middleware

from chat.actions.limits import count_visit
from chat.doors.http.answers import is_api, problem_of, refusal
from chat.queries.guests import client_network
from project.middleware.busy import busy_page
from rpc import RetryLater

GetResponse = Callable[[HttpRequest], Awaitable[HttpResponse]]

PROBES = ("/healthz", "/metrics")


@async_only_middleware
def count_requests(get_response: GetResponse) -> GetResponse:
    """Middleware, behind that of the files: a request counts for its address, if that tells clients apart."""

    async def middleware(request: HttpRequest) -> HttpResponse:
        network = client_network(request.META.get("REMOTE_ADDR", ""))
        # The runtime is of the loop that serves.
        if network is None or request.path_info in PROBES or not isinstance(request, ASGIRequest):
            return await get_response(request)
        for_programs = is_api(request.path_info)
        try:
            await count_visit("api" if for_programs else "page", network)
        except RetryLater as error:
            if for_programs:
                return refusal(problem_of(error))
            return await sync_to_async(busy_page)(request, error)
        return await get_response(request)

    return middleware
