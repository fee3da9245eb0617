"""How often an address, or a person, may do what is done in forms."""

from asgiref.sync import async_to_sync
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest

from chat.actions.limits import count_visit
from chat.models import User
from chat.queries.guests import client_network
from chat.queries.structs import person_key


def count_form(request: HttpRequest, what: str) -> None:
    """
    Count a form that somebody sends: for the person who is logged in, else for their address, if that tells clients
    apart.

    Args:
        what: a key of `chat.actions.limits.RATES`.

    Raises:
        RetryLater: `too_fast`.
    """
    if request.method != "POST" or not isinstance(request, ASGIRequest):
        return  # the runtime is of the loop that serves
    if isinstance(request.user, User):
        who: str | None = person_key(request.user.pk)
    else:
        who = client_network(request.META.get("REMOTE_ADDR", ""))
    if who is not None:
        async_to_sync(count_visit)(what, who)
