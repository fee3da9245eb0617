"""What the subcommands share: how their parsers look, where they connect, and how."""

import argparse
import math
import os
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from rpc import Client, Handlers, Limits, connect
from rpc.addresses import Address
from rpc.cli.failures import EXIT_CODES, NOT_CONNECTED, Failure, usage
from rpc.cli.output import Output

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]
else:
    Subparsers = Any

Run = Callable[[argparse.Namespace, Output], Awaitable[None]]

LARGEST_BYTES = 64 * 1024 * 1024
LIMITS = Limits(
    max_payload_bytes=LARGEST_BYTES,
    max_outbox_bytes=2 * LARGEST_BYTES,
    messages_per_second=None,
    bytes_per_second=None,
)
"""A server that the user chose is trusted further than unknown ones, and decides itself what is too large."""

TIMEOUT = 30.0


class Parser(argparse.ArgumentParser):
    """Options may stand anywhere, even before an optional last argument; argparse itself refuses that."""

    _intermixed = False

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        if self._intermixed:
            return super().parse_known_args(args, namespace)
        # It calls this method in turn, twice.
        self._intermixed = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._intermixed = False


def add_parser(subparsers: Subparsers, name: str, text: str, example: str, run: Run) -> argparse.ArgumentParser:
    """A parser for the subcommand `name`: what it does, an example (after `%(prog)s`), and its function."""
    parser = subparsers.add_parser(
        name,
        help=text.partition("\n")[0],
        description=text,
        epilog=f"example:\n  {example}\n\n{EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    # Also after the subcommand's name, where it must not undo one that stands before it.
    parser.add_argument(
        "-v",
        "--verbosity",
        type=int,
        choices=(0, 1, 2, 3),
        default=argparse.SUPPRESS,
        help="2 also logs connections to standard error",
    )
    parser.set_defaults(run=run)
    return parser


def add_connection_options(parser: argparse.ArgumentParser) -> None:
    """All that `connected` needs but the URL, which a subcommand may make optional."""
    parser.add_argument(
        "--timeout",
        type=seconds,
        default=TIMEOUT,
        metavar="SECONDS",
        help="how long to wait for a connection, and for an answer (30)",
    )
    parser.add_argument(
        "--header",
        type=_header,
        action="append",
        default=[],
        metavar="'NAME: VALUE'",
        help="more HTTP headers, for ws and wss",
    )
    parser.add_argument("--ca", metavar="FILE", help="certificates to trust, for tls and wss (the system's)")
    parser.add_argument("--insecure", action="store_true", help="do not check the certificate, for tls and wss")
    add_json_option(parser, "print errors as JSON objects: error, code, and field and retry_after_ms if known")


def add_json_option(parser: argparse.ArgumentParser, text: str) -> None:
    parser.add_argument("--json", action="store_true", help=text)


@asynccontextmanager
async def connected(
    arguments: argparse.Namespace, handlers: Handlers | None = None, *, reconnect: bool = False
) -> AsyncIterator[Client]:
    """
    A connection to `arguments.url`.

    Raises:
        Failure: there is none.
    """
    url: str = arguments.url.url
    _check_scheme(arguments)
    try:
        client = await connect(
            url,
            handlers=handlers,
            limits=LIMITS,
            ssl=ssl_context(arguments),
            headers=dict(arguments.header),
            timeout=arguments.timeout,
            reconnect=reconnect,
        )
    except TimeoutError:
        raise cannot_connect(url, f"no answer within {arguments.timeout:g} s") from None
    except OSError as error:
        raise cannot_connect(url, reason(error).removeprefix(f"{url}: ")) from None
    async with client:
        yield client


def cannot_connect(url: str, why: str) -> Failure:
    return Failure(f"Cannot connect to {url}: {why}", "cannot_connect", NOT_CONNECTED)


def reason(error: OSError) -> str:
    """The part of an error that helps people."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message}); --ca names one to trust"
    if isinstance(error, ssl.SSLError):
        return str(error)
    # asyncio's texts name addresses again; negative numbers are the resolver's.
    return os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or str(error)


def ssl_context(arguments: argparse.Namespace) -> ssl.SSLContext | None:
    """
    Raises:
        Failure: --ca is not a file of certificates.
    """
    if arguments.url.scheme not in ("tls", "wss"):
        return None
    try:
        context = ssl.create_default_context(cafile=arguments.ca)
    except OSError as error:
        raise usage(f"--ca {arguments.ca}: {error.strerror or error}") from None
    if arguments.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _check_scheme(arguments: argparse.Namespace) -> None:
    """
    Raises:
        Failure: an option has no meaning for that URL, although it was given.
    """
    scheme = arguments.url.scheme
    if arguments.header and not arguments.url.is_websocket:
        raise usage(f"--header goes with ws:// and wss:// only, not with {scheme}://")
    if (arguments.ca or arguments.insecure) and scheme not in ("tls", "wss"):
        raise usage(f"--ca and --insecure go with tls:// and wss:// only, not with {scheme}://")


# --- types of arguments ------------------------------------------------------------------------------------


def url(text: str) -> Address:
    """
    Raises:
        ArgumentTypeError: it is not an address.
    """
    try:
        return Address.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def seconds(text: str) -> float:
    """
    Raises:
        ArgumentTypeError: it is not a time to wait.
    """
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return value


def count(text: str) -> int:
    """
    Raises:
        ArgumentTypeError: it is not a number above 0.
    """
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip() or any(char in text for char in "\r\n"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a header such as 'Authorization: Bearer x'")
    return name.strip(), value.strip()
