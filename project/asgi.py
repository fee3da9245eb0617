"""Django for HTTP, the doors for WebSocket; what a peer may not choose is set here, outside of both."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
django_application = get_asgi_application()

# Django must be set up before what uses its models.
from channels.routing import ProtocolTypeRouter  # noqa: E402
from channels.sessions import CookieMiddleware  # noqa: E402
from django.conf import settings  # noqa: E402

from project.assets.files import StaticFiles  # noqa: E402
from project.middleware.origin import CheckOrigin  # noqa: E402
from project.middleware.proxies import RealClient  # noqa: E402
from project.middleware.root_path import OwnRootPath  # noqa: E402
from project.middleware.threads import FewThreads  # noqa: E402
from project.refusals import busy  # noqa: E402
from project.routing import websocket_router  # noqa: E402

websocket_application = CheckOrigin(CookieMiddleware(websocket_router()))
http_application = StaticFiles(FewThreads(django_application, settings.WEB_THREADS, busy))
application = RealClient(
    OwnRootPath(ProtocolTypeRouter({"http": http_application, "websocket": websocket_application}))
)
