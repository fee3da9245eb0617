"""What a request does, its person does: the log has it from here."""

from collections.abc import Callable
from functools import cache
from uuid import uuid4

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from chat.services.acts.record import ADMIN, Actor, acting

WEB = "web"
REASON = "act_reason"
"""The field of a form in which somebody says why they do what it does."""


def acting_person(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware, after that of the accounts: services know for whom they work."""

    def respond(request: HttpRequest) -> HttpResponse:
        @cache
        def actor() -> Actor:
            # Asked for once something is recorded: most requests need not know who sent them.
            is_admin = request.path.startswith(reverse("admin:index"))
            address = request.META.get("REMOTE_ADDR") or ""
            reason = request.POST.get(REASON, "").strip()
            return Actor(request.user.pk, address, ADMIN if is_admin else WEB, uuid4(), reason)

        with acting(actor):
            return get_response(request)

    return respond
