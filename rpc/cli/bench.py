"""`gotalk bench`: how many requests a second a server answers, and how long one takes."""

import argparse
import asyncio
import math
from array import array
from collections import Counter
from contextlib import AsyncExitStack

import msgspec

from rpc import Client, ConnectionClosed, MessageTooBig, RequestFailed, RequestTimeout, RetryLater
from rpc.cli.failures import ANSWERED_WITH_ERROR, NOT_CONNECTED, Failure
from rpc.cli.options import Subparsers, add_connection_options, add_parser, connected, count, seconds, url
from rpc.cli.output import Output
from rpc.cli.params import add_params, payload_of
from rpc.protocol.payloads import to_json

LOST = "connection_closed"


class Figures(msgspec.Struct):
    """`errors` counts by code the requests without a result; times are of those with one."""

    requests_per_second: float
    requests: int
    seconds: float
    clients: int
    pipeline: int
    p50_ms: float | None
    p90_ms: float | None
    p99_ms: float | None
    max_ms: float | None
    errors: dict[str, int]


def add(subparsers: Subparsers) -> None:
    parser = add_parser(
        subparsers,
        "bench",
        "Measures how many requests a second the server answers, and how long one takes.\n"
        "The server's rate limits are part of what is measured.",
        "%(prog)s tcp://127.0.0.1:8001 echo '\"hello\"' --clients 4 --pipeline 16",
        run,
    )
    parser.add_argument("url", type=url, metavar="URL", help="tcp, tls, unix, ws or wss")
    parser.add_argument("operation", nargs="?", default="echo", metavar="OP", help="name of the operation (echo)")
    add_params(parser)
    parser.add_argument("--clients", type=count, default=1, metavar="N", help="connections (1)")
    parser.add_argument(
        "--pipeline", type=count, default=1, metavar="M", help="requests in flight on each connection (1)"
    )
    parser.add_argument("--seconds", type=seconds, default=5.0, metavar="S", help="how long to measure (5)")
    add_connection_options(parser)


async def run(arguments: argparse.Namespace, output: Output) -> None:
    """
    Raises:
        Failure: there was no connection, or a request without a result.
    """
    payload = await payload_of(arguments)
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(connected(arguments)) for _ in range(arguments.clients)]
        bench = Bench(clients, arguments.operation, payload, arguments.timeout)
        figures = await bench.measure(arguments.pipeline, arguments.seconds)
    output.line(to_json(figures) if arguments.json else _text(figures).encode())
    if figures.errors:
        lost = LOST in figures.errors
        raise Failure(
            "Not every request was answered with a result: " + _counted(figures.errors),
            LOST if lost else "failed",
            NOT_CONNECTED if lost else ANSWERED_WITH_ERROR,
        )


class Bench:
    """
    Args:
        clients: the connections.
        operation, payload: the request that each of them repeats.
        timeout: seconds for one answer.
    """

    def __init__(self, clients: list[Client], operation: str, payload: bytes, timeout: float) -> None:
        self._clients = clients
        self._operation = operation
        self._payload = payload
        self._timeout = timeout
        self._loop = asyncio.get_running_loop()
        self._took = array("d")
        self._errors: Counter[str] = Counter()

    async def measure(self, pipeline: int, seconds: float) -> Figures:
        """Send requests for so many seconds, `pipeline` of each client in flight; the last are awaited too."""
        started_at = self._loop.time()
        async with asyncio.TaskGroup() as group:
            for client in self._clients:
                for _ in range(pipeline):
                    group.create_task(self._ask(client, started_at + seconds))
        took = self._loop.time() - started_at
        self._took = array("d", sorted(self._took))
        return Figures(
            requests_per_second=round(len(self._took) / took, 1),
            requests=len(self._took),
            seconds=round(took, 3),
            clients=len(self._clients),
            pipeline=pipeline,
            p50_ms=self._percentile(50),
            p90_ms=self._percentile(90),
            p99_ms=self._percentile(99),
            max_ms=self._percentile(100),
            errors=dict(self._errors.most_common()),
        )

    async def _ask(self, client: Client, until: float) -> None:
        time = self._loop.time
        while (asked_at := time()) < until:
            try:
                await client.request(self._operation, self._payload, bytes, timeout=self._timeout, retries=0)
            except RequestFailed as error:
                self._errors[error.code or error.text] += 1
            except RetryLater as error:
                self._errors[error.code] += 1
            except RequestTimeout:
                self._errors["timeout"] += 1
            except MessageTooBig:
                self._errors["too_large"] += 1
            except ConnectionClosed:
                self._errors[LOST] += 1
                return
            else:
                self._took.append(time() - asked_at)

    def _percentile(self, percent: int) -> float | None:
        """The time within which so many percent of the requests were answered, in milliseconds."""
        if not self._took:
            return None
        return round(self._took[math.ceil(len(self._took) * percent / 100) - 1] * 1000, 3)


def _text(figures: Figures) -> str:
    times = (("p50", figures.p50_ms), ("p90", figures.p90_ms), ("p99", figures.p99_ms), ("max", figures.max_ms))
    lines = [
        f"{figures.requests_per_second:.0f} requests/s: {figures.requests} in {figures.seconds:.2f} s, "
        f"clients {figures.clients}, in flight each {figures.pipeline}",
        "  ".join(f"{name} {'–' if ms is None else f'{ms:.3f} ms'}" for name, ms in times),
        f"errors {_counted(figures.errors) or 0}",
    ]
    return "\n".join(lines)


def _counted(errors: dict[str, int]) -> str:
    return ", ".join(f"{code} {number}" for code, number in errors.items())
