"""Which application serves which WebSocket path."""

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, Scope
from channels.routing import URLRouter
from django.urls import re_path

from chat.doors.echo import EchoDoor
from chat.doors.push.consumer import PushDoor
from chat.doors.text.consumer import TextDoor
from rpc.close_codes import CloseCode
from rpc.contrib.django.consumers import GotalkConsumer


class NoSuchDoor:
    """Tells a client that asks for an unknown WebSocket path, in a way that browsers show."""

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close", "code": CloseCode.NO_SUCH_ROOM})


router = URLRouter(
    [
        re_path(r"^gotalk/?$", GotalkConsumer.as_asgi()),
        re_path(r"^ws/?$", TextDoor.as_asgi()),
        re_path(r"^ws/(?P<room>.+)$", TextDoor.as_asgi()),
        re_path(r"^push/?$", PushDoor.as_asgi()),
        re_path(r"^echo/?$", EchoDoor.as_asgi()),
        re_path(r"", NoSuchDoor()),
    ]
)
