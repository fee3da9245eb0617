"""The file of a unix socket: one that a dead server left behind must go, that of a live server must stay."""

import errno
import os
import socket
import stat

PROBE_TIMEOUT = 1.0


class SocketFile:
    def __init__(self, path: str) -> None:
        self._path = path
        self._inode: int | None = None

    def make_way(self) -> None:
        """
        Remove a socket that a server left behind when it died.

        Raises:
            OSError: EADDRINUSE, a server listens there; EEXIST, it is not a socket.
        """
        try:
            is_socket = stat.S_ISSOCK(os.stat(self._path).st_mode)
        except FileNotFoundError:
            return
        if not is_socket:
            raise OSError(errno.EEXIST, "there is something that is not a socket", self._path)
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.settimeout(PROBE_TIMEOUT)
                probe.connect(self._path)
            except ConnectionRefusedError:
                os.unlink(self._path)
                return
        raise OSError(errno.EADDRINUSE, "a server listens there already", self._path)

    def made(self) -> None:
        """The socket is there now, and this process's own."""
        self._inode = os.stat(self._path).st_ino

    def remove(self) -> None:
        """Remove it, unless another server has taken its place."""
        try:
            if os.stat(self._path).st_ino == self._inode:
                os.unlink(self._path)
        except FileNotFoundError:
            pass
