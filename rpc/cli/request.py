"""`gotalk request`: send a request, and print the answer."""

import argparse
import asyncio

from rpc import Client, RpcError, Stream
from rpc.cli.failures import ANSWERED_WITH_ERROR, Failure
from rpc.cli.options import Subparsers, add_connection_options, add_parser, connected, url
from rpc.cli.output import Output, formatted
from rpc.cli.params import STANDARD_INPUT, add_params, parts_of, payload_of


def add(subparsers: Subparsers) -> None:
    parser = add_parser(
        subparsers,
        "request",
        "Sends a request and prints its result as JSON.\nThe params are JSON; without any they are null.",
        "%(prog)s tcp://127.0.0.1:8001 echo '\"hello\"'",
        run,
    )
    parser.add_argument("url", type=url, metavar="URL", help="tcp, tls, unix, ws or wss")
    parser.add_argument("operation", metavar="OP", help="name of the operation")
    add_params(parser)
    parser.add_argument("--pretty", action="store_true", help="indent the result")
    parser.add_argument(
        "--stream",
        action="store_true",
        help="print each part of the result on a line as it comes; with - send each line of standard input "
        "as a part",
    )
    add_connection_options(parser)


async def run(arguments: argparse.Namespace, output: Output) -> None:
    """
    Raises:
        Failure, RpcError: there is no answer, or it is an error.
    """
    if arguments.stream:
        await _stream(arguments, output)
        return
    payload = await payload_of(arguments)
    async with connected(arguments) as client:
        result = await client.request(arguments.operation, payload, bytes, timeout=arguments.timeout)
    _print(result, arguments, output)


def _print(payload: bytes, arguments: argparse.Namespace, output: Output) -> None:
    if arguments.raw:
        output.write(payload)
        return
    json = formatted(payload, pretty=arguments.pretty)
    if json is None:
        raise Failure("The result is not valid JSON; --raw prints it", "not_json", ANSWERED_WITH_ERROR)
    output.line(json)


# --- in parts ----------------------------------------------------------------------------------------------


async def _stream(arguments: argparse.Namespace, output: Output) -> None:
    from_input = arguments.params == STANDARD_INPUT
    single = None if from_input else await payload_of(arguments)
    async with connected(arguments) as client, _opened(client, arguments, single) as stream:
        with output.watched():
            await _both_ways(stream, arguments, output, sends=from_input)


def _opened(client: Client, arguments: argparse.Namespace, single: bytes | None) -> Stream:
    operation, timeout = arguments.operation, arguments.timeout
    if single is None:
        return client.stream(operation, result_type=bytes, timeout=timeout)
    return client.stream(operation, single, bytes, timeout=timeout)


async def _both_ways(stream: Stream, arguments: argparse.Namespace, output: Output, *, sends: bool) -> None:
    """Send and print at the same time, until the result ends, a line is not valid, or nobody reads."""
    printing = asyncio.create_task(_print_parts(stream, arguments, output))
    unread = asyncio.create_task(output.gone.wait())
    running: set[asyncio.Task[object]] = {printing, unread}
    if sends:
        running.add(asyncio.create_task(_send_parts(stream, raw=arguments.raw)))
    try:
        while not printing.done() and not unread.done():
            done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            running -= done
            for task in done:
                await task
    finally:
        for task in (*running, printing, unread):
            task.cancel()
        await asyncio.gather(*running, printing, unread, return_exceptions=True)


async def _print_parts(stream: Stream, arguments: argparse.Namespace, output: Output) -> None:
    async for part in stream:
        _print(part, arguments, output)


async def _send_parts(stream: Stream, *, raw: bool) -> None:
    try:
        async for part in parts_of(raw=raw):
            await stream.send(part)
        await stream.end()
    except RpcError:
        pass  # The reader of the result gets the same error, after the parts that came before.
