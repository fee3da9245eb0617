"""Which application serves which WebSocket path: the chat's doors, then the routes of further apps."""

import re
from collections.abc import Iterator
from importlib import import_module

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, Scope
from channels.routing import URLRouter
from django.apps import AppConfig, apps
from django.core.exceptions import ImproperlyConfigured
from django.urls import URLPattern, re_path
from django.utils.module_loading import module_has_submodule

from chat.doors.echo import EchoDoor
from chat.doors.person import PersonMiddleware
from chat.doors.push.consumer import PushDoor
from chat.doors.text.consumer import TextDoor
from rpc.close_codes import CloseCode
from rpc.contrib.django.consumers import GotalkConsumer

DOORS = [
    re_path(r"^gotalk/?$", GotalkConsumer.as_asgi()),
    re_path(r"^ws/?$", TextDoor.as_asgi()),
    re_path(r"^ws/(?P<room>.+)$", TextDoor.as_asgi()),
    re_path(r"^push/?$", PushDoor.as_asgi()),
    re_path(r"^echo/?$", EchoDoor.as_asgi()),
]


class UnknownPath:
    """Tells a client that asks for an unknown WebSocket path, in a way that browsers show."""

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close", "code": CloseCode.NO_SUCH_ROOM})


def websocket_router() -> URLRouter:
    """
    The doors, the routes of every installed app, and an answer to all other paths.

    Raises:
        ImproperlyConfigured: an app's route would never be reached.
    """
    return URLRouter([*DOORS, *_routes_of_apps(), re_path(r"", UnknownPath())])


def _routes_of_apps() -> Iterator[URLPattern]:
    reserved = {_first_word(door) for door in DOORS}
    owners: dict[str, str] = {}
    for app in apps.get_app_configs():
        for route in _routes_of(app):
            pattern, module = str(route.pattern), f"{app.name}.routing"
            if _first_word(route) in reserved:
                raise ImproperlyConfigured(
                    f"{module}: the WebSocket route {pattern!r} must not begin with {_first_word(route)}, which "
                    "belongs to the chat. Let it begin with another word, such as the name of the app."
                )
            if pattern in owners:
                raise ImproperlyConfigured(
                    f"{module}: the WebSocket route {pattern!r} is one of {owners[pattern]} already. Change either."
                )
            owners[pattern] = module
            yield URLPattern(route.pattern, PersonMiddleware(route.callback), route.default_args, route.name)


def _routes_of(app: AppConfig) -> list[URLPattern]:
    """The `websocket_urlpatterns` of an app's module `routing`, which is where Channels' documentation has them."""
    if app.name == "project" or not module_has_submodule(app.module, "routing"):
        return []
    patterns = getattr(import_module(f"{app.name}.routing"), "websocket_urlpatterns", [])
    # A router prepares those of its patterns that lead to another router.
    return URLRouter(patterns).routes


def _first_word(route: URLPattern) -> str:
    return re.match(r"\^?([\w-]*)", str(route.pattern))[1]
