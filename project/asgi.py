"""Django for HTTP, the doors for WebSocket; what a peer may not choose is set here, outside of both."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
django_application = get_asgi_application()

# Django must be set up before what uses its models.
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.urls import re_path  # noqa: E402

from chat.doors.echo import EchoDoor  # noqa: E402
from chat.doors.push.consumer import PushDoor  # noqa: E402
from chat.doors.text.consumer import TextDoor  # noqa: E402
from project.middleware.origin import CheckOrigin, NoSuchDoor, OwnRootPath  # noqa: E402
from project.middleware.proxies import RealClient  # noqa: E402
from rpc.contrib.django.consumers import GotalkConsumer  # noqa: E402

application = OwnRootPath(
    ProtocolTypeRouter(
        {
            "http": django_application,
            "websocket": CheckOrigin(
                URLRouter(
                    [
                        re_path(r"^gotalk/?$", GotalkConsumer.as_asgi()),
                        re_path(r"^ws/?$", TextDoor.as_asgi()),
                        re_path(r"^ws/(?P<room>.+)$", TextDoor.as_asgi()),
                        re_path(r"^push/?$", PushDoor.as_asgi()),
                        re_path(r"^echo/?$", EchoDoor.as_asgi()),
                        re_path(r"", NoSuchDoor()),
                    ]
                )
            ),
        }
    )
)
application = RealClient(application)
