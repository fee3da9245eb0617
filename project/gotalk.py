"""The listener for gotalk beside the web server: TCP, TLS or a unix socket."""

import ssl

from django.conf import settings

from rpc import Admission, Server, default_handlers, serve
from rpc.contrib.django.conf import run_in_database_thread, site_limits


class CannotListen(Exception):
    """The address cannot be listened on; the text says why and what to do."""


async def listen(url: str, admission: Admission) -> Server:
    """
    Serve the operations of this site's apps at `url`, to those whom `admission` lets in.

    Raises:
        CannotListen: no address, no certificate, or somebody is there already.
    """
    try:
        return await serve(
            url,
            default_handlers,
            site_limits(),
            ssl=_context(url),
            admission=admission,
            run_blocking=run_in_database_thread,
        )
    except ValueError as error:
        raise CannotListen(f"GOTALK_LISTEN: {error}") from None
    except OSError as error:
        reason = error.strerror or error
        raise CannotListen(
            f"Cannot listen on {url} ({reason}). Stop what uses it, or set GOTALK_LISTEN to another address, "
            "or to nothing."
        ) from None


def _context(url: str) -> ssl.SSLContext | None:
    if not url.startswith("tls:"):
        return None
    if not settings.GOTALK_CERTIFICATE:
        raise CannotListen("GOTALK_CERTIFICATE must name the file of a certificate for a tls:// address")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(settings.GOTALK_CERTIFICATE, settings.GOTALK_KEY or None)
    except (OSError, ssl.SSLError) as error:
        raise CannotListen(f"GOTALK_CERTIFICATE or GOTALK_KEY cannot be used: {error}") from None
    return context
