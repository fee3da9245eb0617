"""A cable between browser and server that a test can pull out or clog: what a poor network does to a page."""

import contextlib
import socket
import threading

CHUNK = 65536
RECEIVE_BUFFER = 65536
"""Of the kernel, for what the server sends: while the cable is clogged no more of it leaves the server."""


class Cable:
    """Passes bytes between a port of its own and another port of this machine, until it is cut."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._is_whole = threading.Event()
        self._is_whole.set()
        self._flows = threading.Event()
        self._flows.set()
        self._sockets: set[socket.socket] = set()
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def cut(self) -> None:
        """End every connection, and each new one at once."""
        self._is_whole.clear()
        with self._lock:
            for each in self._sockets:
                # Closing alone does not wake the thread that reads from it.
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        self._is_whole.set()

    def clog(self) -> None:
        """Pass nothing on, but hold the connections."""
        self._flows.clear()

    def unclog(self) -> None:
        self._flows.set()

    def close(self) -> None:
        self.cut()
        self.unclog()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if not self._is_whole.is_set():
                near.close()
                continue
            far = socket.socket()
            far.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
            far.connect(("127.0.0.1", self._target))
            with self._lock:
                self._sockets |= {near, far}
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._pass, args=(source, sink), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(CHUNK):
                self._flows.wait()
                sink.sendall(data)
        with self._lock:
            self._sockets -= {source, sink}
        for each in (source, sink):
            each.close()
