"""Serves the site under the hardened Daphne, until a signal ends it."""

import os
from argparse import ArgumentParser
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError
from twisted.internet.error import CannotListenError

from chat.models import SiteSettings
from chat.realtime import runtime
from chat.services.entry.setup import new_setup_token
from project.admission import open_process
from project.asgi import application
from project.daphne.server import HubtalkServer
from project.gotalk import CannotListen, listen
from project.middleware.proxies import is_trusted, real_address
from project.process import GOTALK_GRACE, share_interpreter
from project.refusals import max_body_bytes, refusal
from rpc import Server
from rpc.contrib.django.conf import site_limits
from rpc.limits import SKIP_FACTOR, Limits


class Command(BaseCommand):
    help = "Serves the site under Daphne, until SIGINT or SIGTERM ends it; a second signal ends it at once."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default=settings.HOST, help="address to listen on (HOST)")
        parser.add_argument(
            "--port", type=int, default=settings.PORT, help="port to listen on; 0: a free one (PORT)"
        )
        parser.add_argument(
            "--gotalk",
            default=settings.GOTALK_LISTEN,
            metavar="URL",
            help="address for gotalk peers, such as tcp://127.0.0.1:8001; '' for none (GOTALK_LISTEN)",
        )
        parser.add_argument("--prepare", action="store_true", help="first migrate, and seed an empty site")

    def handle(self, *args: Any, host: str, port: int, gotalk: str, prepare: bool, **options: Any) -> None:
        if prepare:
            self._prepare(local=_is_local(host, gotalk))
        setup_token = new_setup_token()
        who_may_come = _who_may_come()
        share_interpreter()
        admission = open_process(is_trusted)
        beside: list[Server] = []

        async def start() -> None:
            if gotalk:
                beside.append(await listen(gotalk, admission))

        async def drain() -> None:
            await runtime.drain()
            for each in beside:
                await each.close(GOTALK_GRACE)

        server = HubtalkServer(
            application,
            host=host,
            port=port,
            max_message_bytes=SKIP_FACTOR * Limits().max_payload_bytes,
            max_body_bytes=max_body_bytes,
            refusal=refusal,
            limits=site_limits(),
            admission=admission,
            real_address=lambda peer, forwarded: real_address(peer, forwarded, settings.TRUSTED_PROXIES),
            start=start,
            drain=drain,
            listening=lambda port: self._say_where(host, port, setup_token, beside, who_may_come),
        )
        try:
            server.run()
        except CannotListen as error:
            raise CommandError(str(error)) from None
        except CannotListenError as error:
            reason = os.strerror(error.socketError.errno) if error.socketError.errno else str(error.socketError)
            raise CommandError(
                f"Cannot listen on {host}:{port} ({reason}). Stop the program that uses it, or set another PORT."
            ) from None

    def _prepare(self, *, local: bool) -> None:
        try:
            call_command("migrate", verbosity=0, interactive=False)
            # Whoever tries it out at home finds everything open; elsewhere strangers would.
            call_command("seed", open=local)
        except OperationalError as error:
            raise CommandError(f"The database cannot be used: {error}") from None

    def _say_where(
        self, host: str, port: int, setup_token: str | None, beside: list[Server], who_may_come: str
    ) -> None:
        shown = "127.0.0.1" if host in ("0.0.0.0", "::") else f"[{host}]" if ":" in host else host
        address = f"http://{shown}:{port}{settings.ROOT_PATH}"
        # Over http browsers send no cookies then, so the link would lead nowhere.
        names = [name for name in settings.PUBLIC_HOSTS if not name.startswith(("*", "."))]
        public = f"https://{names[0]}{settings.ROOT_PATH}" if settings.HTTPS and names else address
        self.stdout.write(f"Hubtalk is at {address}/")
        for each in beside:
            self.stdout.write(f"gotalk is at {each.url}")
        if setup_token is not None:
            self.stdout.write(f"Choose the admin's name and password at {public}/setup/{setup_token}/ (works once)")
        self.stdout.write(who_may_come)
        self.stdout.write("Listening")
        self.stdout.flush()


def _is_local(host: str, gotalk: str) -> bool:
    """Whether only this machine reaches the site, as far as the settings say."""
    hosts = [host, *settings.PUBLIC_HOSTS]
    if gotalk and not gotalk.startswith("unix:"):
        hosts.append(urlsplit(gotalk).hostname or "")
    through_proxy = settings.HTTPS or settings.TRUSTED_PROXIES
    return not through_proxy and all(map(_is_loopback, hosts))


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _who_may_come() -> str:
    site = SiteSettings.current()
    guests = "Guests may enter" if site.guests_allowed else "Guests may not enter"
    sign_up = {"open": "everyone may sign up", "invitation": "people sign up by invitation"}
    return f"{guests}, and {sign_up.get(site.sign_up, 'nobody signs up')}"
