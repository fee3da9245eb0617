"""The console: a page that opens any door by hand and shows what goes through it."""

from dataclasses import asdict, dataclass
from typing import Literal

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import get_script_prefix

from chat.web.page import for_everyone_here


@dataclass(frozen=True, slots=True)
class Door:
    name: str
    """A word for the list and for links to the console."""
    path: str
    """From the site's root path on, with a query if the door wants one."""
    wire: Literal["gotalk", "text", "push", "echo"]
    """How its frames are read and written: a key of chat/static/chat/console/wires/registry.js."""


DOORS = (
    Door("gotalk", "/gotalk/", "gotalk"),
    Door("text", "/ws", "text"),
    Door("push", "/push", "push"),
    Door("echo", "/echo", "echo"),
)
"""The doors that are offered; whatever else is here is reached by its address."""


@for_everyone_here
def console(request: HttpRequest) -> HttpResponse:
    root = get_script_prefix().rstrip("/")
    doors = [{**asdict(door), "path": root + door.path} for door in DOORS]
    return render(request, "chat/console.html", {"doors": doors})
