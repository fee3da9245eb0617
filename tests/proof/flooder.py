"""Someone who means no good, in a process of its own: `python -m tests.proof.flooder KIND HOST PORT SECONDS`."""

import socket
import sys
import threading
import time
from contextlib import suppress
from itertools import count

KIBI = bytes(1024)


def request(number: int, operation: bytes, payload: bytes) -> bytes:
    return b"r%04x%03x%b%08x%b" % (number % 65536, len(operation), operation, len(payload), payload)


def requests_in_flight(number: int) -> bytes:
    return b"".join(request(number * 64 + each, b"hang", b"") for each in range(64))


def messages(number: int) -> bytes:
    return b"".join(request(number * 64 + each, b"echo", b"") for each in range(64))


def bytes_(number: int) -> bytes:
    return request(number, b"echo", 512 * KIBI)


def payload_too_large(number: int) -> bytes:
    return request(number, b"echo", 2048 * KIBI)


def payload_far_too_large(number: int) -> bytes:
    return b"r%04x004echo7fffffff" % (number % 65536) + 64 * KIBI


def notifications(number: int) -> bytes:
    return 64 * b"n004told00000002{}"


def streams(number: int) -> bytes:
    return b"".join(b"s%04x005never00000000" % ((number * 64 + each) % 65536) for each in range(64))


def parts(number: int) -> bytes:
    return (b"s0001005never00000000" if number == 0 else b"") + 64 * (b"p000100000400" + KIBI)


def garbage(number: int) -> bytes:
    return 64 * b"\x00not a message\xff"


def answers_to_nothing(number: int) -> bytes:
    return 64 * b"R000100000000"


def heartbeats(number: int) -> bytes:
    return 64 * b"h000000000000"


def results_that_are_not_read(number: int) -> bytes:
    return request(number, b"echo", 64 * KIBI)


KINDS = {
    each.__name__: each
    for each in (
        requests_in_flight,
        messages,
        bytes_,
        payload_too_large,
        payload_far_too_large,
        notifications,
        streams,
        parts,
        garbage,
        answers_to_nothing,
        heartbeats,
        results_that_are_not_read,
    )
}
SILENT = "connections_that_say_nothing"
MAX_SILENT = 500


def drain(connection: socket.socket) -> None:
    with suppress(OSError):
        while connection.recv(1 << 16):
            pass


def flood(kind: str, address: tuple[str, int], end: float) -> None:
    """Connect, send as fast as it is taken, and again whenever one is thrown out."""
    while time.monotonic() < end:
        with suppress(OSError), socket.create_connection(address, timeout=1) as connection:
            connection.sendall(b"01")
            if kind != results_that_are_not_read.__name__:
                threading.Thread(target=drain, args=[connection], daemon=True).start()
            for number in count():
                if time.monotonic() >= end:
                    return
                connection.sendall(KINDS[kind](number))


def say_nothing(address: tuple[str, int], end: float) -> None:
    """Open connections without a word, as many as may be."""
    connections = []
    while time.monotonic() < end:
        with suppress(OSError):
            connections.append(socket.create_connection(address, timeout=1))
        if len(connections) > MAX_SILENT:
            connections.pop(0).close()


def main(kind: str, host: str, port: str, seconds: str) -> None:
    end = time.monotonic() + float(seconds)
    print("begun", flush=True)
    if kind == SILENT:
        say_nothing((host, int(port)), end)
    else:
        flood(kind, (host, int(port)), end)


if __name__ == "__main__":
    main(*sys.argv[1:])
