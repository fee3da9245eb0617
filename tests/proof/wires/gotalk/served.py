"""What the server asks of a client, and what the client answers."""

from typing import TYPE_CHECKING

from tests.proof.wires.findings import Finding
from tests.proof.wires.gotalk.calls import Parts
from tests.proof.wires.gotalk.messages import Message, part

if TYPE_CHECKING:
    from tests.proof.wires.gotalk.conversation import Gotalk

BEHAVIOURS = ("R", "S", "E", "e", "silence")
"""How a request is answered: the first word of its name."""


class _Stream:
    """A stream of the server: its parts are sent back."""

    def __init__(self, arriving: Parts, returned: Parts) -> None:
        self.arriving = arriving
        self.returned = returned
        self.has_ended = False


class Served:
    def __init__(self, talk: "Gotalk") -> None:
        self._talk = talk
        self._expected: dict[str, list[int]] = {}
        self._streams: dict[bytes, _Stream] = {}
        self._asked: set[bytes] = set()
        self._put_off: set[str] = set()
        """Names of requests that the server was told to repeat."""

    def expect(self, sizes: list[int]) -> str:
        """The name under which the server is to send parts of these sizes."""
        name = f"mirror {len(self._expected)}"
        self._expected[name] = sizes
        return name

    def take(self, message: Message) -> None:
        """
        An `r`, `s` or `p`.

        Raises:
            Finding: it is not what the server was asked to send.
        """
        if message.kind == "r":
            self._take_request(message)
        elif message.kind == "s":
            self._take_stream(message)
        elif message.id in self._streams:
            self._take_part(self._streams[message.id], message.id, message.payload)
        else:
            raise Finding(f"a part of nothing: {message}")

    def _take_request(self, message: Message) -> None:
        id, payload = message.id, message.payload
        self._asked.add(id)
        behaviour = message.name.split()[0]
        if behaviour not in BEHAVIOURS:
            raise Finding(f"the server asks for {message.name}")
        if behaviour == "e" and message.name in self._put_off:
            behaviour = "R"
        self._put_off.add(message.name)
        half = len(payload) // 2
        answers = {
            "R": [part(b"R", id, payload)],
            "S": [part(b"S", id, each) for each in (payload[:half], payload[half:]) if each]
            + [part(b"S", id, b"")],
            "E": [part(b"E", id, b"no")],
            "e": [part(b"e", id, b"later", b"00000001")],
            "silence": [],
        }
        self._talk.later(self._talk.tell, *answers[behaviour])

    def _take_stream(self, message: Message) -> None:
        sizes = self._expected.get(message.name)
        if sizes is None:
            raise Finding(f"the server asks for {message.name}")
        stream = _Stream(Parts(sizes, b"\0", self._talk.window), Parts(sizes, b"\0", self._talk.server_window))
        self._streams[message.id] = stream
        self._talk.later(self._return, message.id, stream)
        if message.payload:
            self._take_part(stream, message.id, message.payload)

    def _take_part(self, stream: _Stream, id: bytes, payload: bytes) -> None:
        if not payload:
            stream.has_ended = True
            return
        stream.arriving.take(payload)
        self._talk.let_on(id, "p", stream.arriving)

    async def _return(self, id: bytes, stream: _Stream) -> None:
        """Send each part back, as far as the server lets us."""
        arriving, returned, talk = stream.arriving, stream.returned, self._talk
        while not returned.is_done:
            await talk.until(
                lambda: returned.has_credit and returned.moved < arriving.moved, lambda: "no part, or no credit"
            )
            await talk.tell(part(b"S", id, returned.move()))
        await talk.until(lambda: stream.has_ended, lambda: "no end of the server's parts")
        await talk.tell(part(b"S", id, b""))

    def granted(self, id: bytes, credit: int) -> None:
        """The server lets us send more results."""
        if id in self._streams:
            self._streams[id].returned.grant(credit)

    def cancelled(self, id: bytes) -> None:
        """The server waits no longer."""
        if id not in self._asked and id not in self._streams:
            raise Finding(f"the server cancels {id!r}, which it has not asked")
