"""The wires of the text door: messages as lines, plain, with names, or as JSON objects."""

import re
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from chat.queries.structs import Message
from chat.realtime.clients import Wire
from chat.realtime.visibility import because
from chat.services.events import AnyEvent, Changed, Gap, Moderated, Notice, Posted
from rpc.peer.prepared import Frames

MAX_JOINED_CHARS = 16 * 1024
"""Lines that wait together go out in frames of about this size: common clients take no more than 1 MiB."""

_NEWLINE = re.compile(r"\r\n|\r|\n")
_json = msgspec.json.Encoder().encode

Show = Callable[[Message], str]
"""A message as one line."""


def one_line(text: str) -> str:
    """The text with its newlines made spaces, and nothing around it."""
    return _NEWLINE.sub(" ", text).strip()


class Lines(Frames):
    """
    Lines for any number of sockets, several in one frame.

    Args:
        posts: new messages, by seq and in its order.
        others: what stands in no order with them.
        gap: what was posted before may have been lost.
    """

    def __init__(self, posts: list[tuple[int, str]], others: Iterable[str] = (), *, gap: bool = False) -> None:
        self.posts = posts
        self.others = tuple(others)
        self.gap = gap
        super().__init__(_joined([*(line for _, line in posts), *self.others]))

    @property
    def newest(self) -> int:
        return self.posts[-1][0] if self.posts else 0

    def after(self, seq: int) -> "Lines":
        """Without the posts up to `seq`."""
        if not self.posts or self.posts[0][0] > seq:
            return self
        return Lines([post for post in self.posts if post[0] > seq], self.others, gap=self.gap)

    def beside(self) -> "Lines | None":
        return Lines([], self.others, gap=self.gap) if self.others or self.gap else None


def _joined(lines: list[str]) -> Iterable[str]:
    frame: list[str] = []
    size = 0
    for line in lines:
        if frame and size + len(line) > MAX_JOINED_CHARS:
            yield "\n".join(frame)
            frame, size = [], 0
        frame.append(line)
        size += len(line) + 1
    if frame:
        yield "\n".join(frame)


class JsonMessage(msgspec.Struct):
    author: str
    body: str
    seq: int
    at: str
    id: int


def _plain(message: Message) -> str:
    return one_line(message.body)


def _named(message: Message) -> str:
    return f"{one_line(message.author)}: {one_line(message.body)}"


def _object(message: Message) -> JsonMessage:
    return JsonMessage(message.author, message.body, message.seq, message.at, message.id)


def _as_json(message: Message) -> str:
    return _text(_object(message))


def _text(value: Any) -> str:
    return _json(value).decode()


def _changes(event: AnyEvent) -> Iterable[str]:
    """What the JSON wire tells beside new messages."""
    if isinstance(event, Changed):
        for message in event.messages:
            if message.deleted:
                yield _text({"deleted": {"seq": message.seq, "id": message.id}})
            elif message.edited_at is not None or event.restored:
                yield _text({"edited": _object(message)})
    elif isinstance(event, Moderated):
        what = {name: getattr(event, name) for name in event.__struct_fields__ if name != "user_id"}
        yield _text({"moderated": what})
    elif isinstance(event, Notice):
        yield _text({"notice": {"level": event.level, "text": event.text}})


_DONE = {
    "mute": "you are muted",
    "ban": "you are banned",
    "kick": "you were removed",
    "unmute": "you are no longer muted",
    "unban": "you are no longer banned",
    "reported": "a message was reported",
    "answered": "your report was answered",
}


def _sentence(event: Moderated) -> str:
    """What was done to a person, for how long, why, and where they object."""
    where = f" in {event.room}" if event.room is not None else ""
    until = f" until {event.until}" if event.until is not None and event.act in ("mute", "ban", "kick") else ""
    return because(f"{_DONE[event.act]}{where}{until}", event.reason, event.objections)


class TextWire(Wire):
    """One way of writing messages as lines."""

    def __init__(self, show: Show, *, tells_changes: bool, error: Callable[[str, str], str]) -> None:
        self._show = show
        self._tells_changes = tells_changes
        self.error = error
        """The line of an error, from its text and its code."""

    def lines_of(self, messages: Iterable[Message]) -> Lines:
        """Messages that are there still, as their lines."""
        return Lines([(message.seq, self._show(message)) for message in messages if not message.deleted])

    def events(self, events: list[AnyEvent]) -> Lines | None:
        posted = [message for event in events if isinstance(event, Posted) for message in event.messages]
        others = [line for event in events for line in _changes(event)] if self._tells_changes else []
        if not self._tells_changes:
            others = [self.error(_sentence(event), event.act) for event in events if isinstance(event, Moderated)]
        gap = any(isinstance(event, Gap) for event in events)
        if not posted and not others and not gap:
            return None
        return Lines([(message.seq, self._show(message)) for message in posted], others, gap=gap)


ERROR_MARK = "! "
"""Begins a line that is for one client only."""


def _plain_error(text: str, code: str) -> str:
    return ERROR_MARK + one_line(text)


def _json_error(text: str, code: str) -> str:
    return ERROR_MARK + _text({"error": text, "code": code})


PLAIN = TextWire(_plain, tells_changes=False, error=_plain_error)
NAMED = TextWire(_named, tells_changes=False, error=_plain_error)
JSON = TextWire(_as_json, tells_changes=True, error=_json_error)
