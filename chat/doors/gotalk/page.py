"""The page /rpc/ as people of the site see it: with what each of them may call."""

from django.http import HttpRequest, HttpResponse

from chat.queries.identity import user_and_identity
from chat.queries.rooms import load_site
from chat.realtime.directory import Person
from chat.realtime.visibility import refusal_to_connect
from rpc.contrib.django.views import operations_page


def operations(request: HttpRequest) -> HttpResponse:
    """The page for whoever is logged in, or for the guest of the session."""
    _, who = user_and_identity(request.session)
    return operations_page(request, who, admitted=refusal_to_connect(Person(who), load_site()) is None)
