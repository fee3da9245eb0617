"""
Doors that do not have to exist yet: a WebSocket server of the test's own, at the site's own host and port.

A page may open sockets to its own host only, so browsers are sent to a switchboard, which looks at the first line
of each connection: a path of the stand-in goes to it, everything else to the site.
"""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from websockets.sync.server import ServerConnection, serve

CHUNK = 65536
Handler = Callable[[ServerConnection], None]


@contextmanager
def stand_in(site_port: int, handlers: dict[str, Handler]) -> Iterator[str]:
    """Gives the address of a site that has these paths too; each handler ends its connection by returning."""

    def answer(connection: ServerConnection) -> None:
        assert connection.request is not None
        handlers[connection.request.path.partition("?")[0]](connection)

    with serve(answer, "127.0.0.1", 0) as server, socket.create_server(("127.0.0.1", 0)) as listener:
        ports = dict.fromkeys(handlers, server.socket.getsockname()[1])
        for action in (server.serve_forever, lambda: _accept(listener, ports, site_port)):
            threading.Thread(target=action, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        # Closing alone does not wake the thread that accepts.
        listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, ports: dict[str, int], site_port: int) -> None:
    while True:
        try:
            near, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_connect, args=(near, ports, site_port), daemon=True).start()


def _connect(near: socket.socket, ports: dict[str, int], site_port: int) -> None:
    first = near.recv(CHUNK)
    if not first:
        near.close()
        return
    path = first.split(b" ", 2)[1].partition(b"?")[0].decode("ascii")
    far = socket.create_connection(("127.0.0.1", ports.get(path, site_port)))
    far.sendall(first)
    back = threading.Thread(target=_pass, args=(far, near), daemon=True)
    back.start()
    _pass(near, far)
    back.join()
    near.close()
    far.close()


def _pass(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(CHUNK):
            sink.sendall(data)
    for each in (source, sink):
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
