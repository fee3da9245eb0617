"""What the kernel keeps of a socket's bytes, beyond the buffers of this program."""

import socket
import struct
import sys

if sys.platform == "linux":
    import fcntl
    import termios

    def unacknowledged(connection: socket.socket) -> int:
        """
        Bytes that were written and that the remote's host has not confirmed (tcp(7), SIOCOUTQ); 0 of a socket that
        is closed, and where the system does not say.
        """
        try:
            return int(struct.unpack("i", fcntl.ioctl(connection, termios.TIOCOUTQ, bytes(4)))[0])
        except (OSError, ValueError):
            return 0

else:

    def unacknowledged(connection: socket.socket) -> int:
        return 0
