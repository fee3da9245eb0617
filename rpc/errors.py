"""
Everything that this package raises.

    RpcError
    ├── OperationError       raised by a handler: the request fails with this text
    ├── RetryLater           raised by a handler, and by `request()`: the same request may succeed later
    ├── Refused              raised by an `opened` hook: the connection is closed with this code
    ├── RequestFailed        the remote answered a request with an error
    ├── RequestTimeout       the remote did not answer a request in time
    ├── ConnectionClosed     the connection ended before the answer, or was closed already
    ├── LocalProtocolError   this program asked for something that the protocol does not allow
    │   └── MessageTooBig    a payload over the limit
    └── RemoteProtocolError  the remote broke the protocol: the connection ends
"""


class RpcError(Exception):
    """Base of all errors of this package."""


class OperationError(RpcError):
    """
    Raised by a handler to fail its request: the only text of ours that the remote sees.

    Args:
        text: a sentence for people.
        code: a word for programs, such as `no_such_room`.
        field: path of the parameter at fault, such as `message.body`.
    """

    def __init__(self, text: str, code: str = "failed", field: str | None = None) -> None:
        super().__init__(text, code, field)
        self.text = text
        self.code = code
        self.field = field

    def __str__(self) -> str:
        return self.text


class RetryLater(RpcError):
    """
    The request was not done, and may be repeated after a while.

    Args:
        retry_after_ms: milliseconds to wait.
        text: a sentence for people.
        code: a word for programs, such as `too_fast`.
    """

    def __init__(self, retry_after_ms: int, text: str, code: str = "retry") -> None:
        super().__init__(retry_after_ms, text, code)
        self.retry_after_ms = retry_after_ms
        self.text = text
        self.code = code

    def __str__(self) -> str:
        return f"{self.text}, retry after {self.retry_after_ms} ms"


class Refused(RpcError):
    """Raised by an `opened` hook: the connection is closed with `close_code` (4000 to 4999) and `text`."""

    def __init__(self, close_code: int, text: str = "") -> None:
        super().__init__(close_code, text)
        self.close_code = close_code
        self.text = text

    def __str__(self) -> str:
        return f"refused with {self.close_code}: {self.text}"


class RequestFailed(RpcError):
    """The remote answered with an error. `code` and `field` are None unless it sends structured errors."""

    def __init__(self, operation: str, text: str, code: str | None = None, field: str | None = None) -> None:
        super().__init__(operation, text, code, field)
        self.operation = operation
        self.text = text
        self.code = code
        self.field = field

    def __str__(self) -> str:
        return f"{self.operation}: {self.text}"


class RequestTimeout(RpcError):
    """No answer came within `timeout` seconds."""

    def __init__(self, operation: str, timeout: float) -> None:
        super().__init__(operation, timeout)
        self.operation = operation
        self.timeout = timeout

    def __str__(self) -> str:
        return f"{self.operation}: no answer within {self.timeout:g} s"


class ConnectionClosed(RpcError):
    """The connection is closed; `code` is the WebSocket close code where there is one."""

    def __init__(self, code: int | None = None, text: str = "") -> None:
        super().__init__(code, text)
        self.code = code
        self.text = text

    def __str__(self) -> str:
        return f"connection closed ({self.code}) {self.text}".rstrip()


class LocalProtocolError(RpcError):
    """This program asked for something that the protocol does not allow."""


class MessageTooBig(LocalProtocolError):
    """A payload of `size` bytes is over the limit of `limit`."""

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(size, limit)
        self.size = size
        self.limit = limit

    def __str__(self) -> str:
        return f"payload of {self.size} bytes is over the limit of {self.limit}"


class RemoteProtocolError(RpcError):
    """The remote broke the protocol; `code` is sent to it in `f` (0 to 3)."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(code, text)
        self.code = code
        self.text = text

    def __str__(self) -> str:
        return f"protocol error {self.code}: {self.text}"
