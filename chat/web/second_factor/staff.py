"""Staff who need a second factor set it up before the admin opens."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import NoReverseMatch, reverse
from django.utils.deprecation import MiddlewareMixin

from chat.models import User
from chat.services.entry.second_factors import is_missing


class RequireTwoFactors(MiddlewareMixin):
    """After the middleware of the accounts: no view of the admin is called for staff who lack theirs."""

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        if _is_of_admin(request.path) and isinstance(request.user, User) and is_missing(request.user):
            return redirect("chat:two-factor")
        return None


def _is_of_admin(path: str) -> bool:
    """Whatever is below its address, also what Django's admin did not make; a site may have none."""
    try:
        return path.startswith(reverse("admin:index"))
    except NoReverseMatch:
        return False
