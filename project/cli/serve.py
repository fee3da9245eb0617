"""`gotalk serve`: gotalk as a process of its own, without HTTP."""

import argparse
import asyncio

from django.conf import settings

from project.admission import open_process
from project.middleware.proxies import is_trusted
from project.process import GOTALK_GRACE, Ending, bound_threads, forget_cancelled, share_interpreter
from rpc.cli.failures import NOT_CONNECTED, Failure, usage
from rpc.cli.options import Subparsers, add_json_option, add_parser
from rpc.cli.output import Output


def add(subparsers: Subparsers) -> None:
    parser = add_parser(
        subparsers,
        "serve",
        "Serves this site's operations and rooms over gotalk alone, in a process of its own.\n"
        "The web server is another process, so REDIS_URL must be set. A signal lets what runs be answered\n"
        "and ends it; a second one ends it at once.",
        "REDIS_URL=redis://127.0.0.1:6379/0 %(prog)s tcp://127.0.0.1:8002",
        run,
    )
    parser.add_argument(
        "url",
        nargs="?",
        metavar="URL",
        help="tcp://host:port, tls://host:port or unix:///path (GOTALK_LISTEN)",
    )
    add_json_option(parser, "errors are JSON objects: error and code")


async def run(arguments: argparse.Namespace, output: Output) -> None:
    """
    Raises:
        Failure: it cannot serve, or not there.
    """
    if not settings.REDIS_URL:
        raise usage(
            "REDIS_URL is not set: without Redis this process and the web server would not hear each other. "
            "Set it for both, or let the web server listen itself (manage.py serve --gotalk URL)."
        )
    url = settings.GOTALK_LISTEN if arguments.url is None else arguments.url
    if not url:
        raise usage("GOTALK_LISTEN is empty: say where to listen, such as tcp://127.0.0.1:8001.")
    # Not on top: they are the site, and the other subcommands do without.
    from chat.realtime import runtime
    from project.gotalk import CannotListen, listen

    share_interpreter()
    bound_threads(asyncio.get_running_loop())
    forget_cancelled(asyncio.get_running_loop())
    try:
        server = await listen(url, open_process(is_trusted))
    except CannotListen as error:
        raise Failure(str(error), "cannot_listen", NOT_CONNECTED) from None
    ended = asyncio.Event()
    Ending(ended.set).watch(asyncio.get_running_loop())
    output.line(f"gotalk is at {server.url}".encode())
    output.line(b"Listening")
    await ended.wait()
    try:
        await runtime.drain()
    finally:
        await server.close(GOTALK_GRACE)
