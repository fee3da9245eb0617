"""
Who may enter, see, post and moderate: the one place that knows.

Pure functions over what the process has cached (`chat.realtime.directory`): no query, no wait. A refusal is an
`OperationError`, or a `RetryLater` where waiting helps; its text is for the person, its code for programs.
"""

import unicodedata
from datetime import UTC, datetime, timedelta

from chat.models import Room
from chat.names import JOINERS
from chat.realtime.directory import BAN, MODERATOR, MUTE, OWNER, Directory, Person, RoomFacts, SiteFacts
from chat.services.events import Message as SentMessage
from chat.services.posts import MAX_BODY_CHARS
from rpc import CloseCode, OperationError, RetryLater
from rpc.limits import TokenBucket

POSTS_PER_SECOND = 2
POSTS_BURST = 30
"""What one person may post: faster than anyone types, and the lines that someone pastes one by one."""
KEYCAP = "\u20e3"
FLAG_TAGS = frozenset(map(chr, range(0xE0020, 0xE0080)))
"""Invisible letters within the flags of regions (UTS #51, emoji tag sequences)."""


def refusal_to_enter(person: Person, site: SiteFacts) -> tuple[int, str] | None:
    """Close code and words for who may not be connected at all, else None."""
    who = person.identity
    if not who.is_active:
        return CloseCode.NOT_ALLOWED, "this account is switched off"
    ban = person.restraint(BAN)
    if ban is not None:
        return CloseCode.NOT_ALLOWED, _because("you are banned", ban.reason)
    if who.is_guest and not site.guests_allowed:
        return CloseCode.LOG_IN, "log in to talk here"
    return None


def can_see(person: Person, room: RoomFacts) -> bool:
    """Public rooms are for everyone, others for their members; a ban in the room closes both."""
    if person.restraint(BAN, room) is not None:
        return False
    if room.kind == Room.Kind.DIRECT:
        # Who leaves a conversation of two has put it out of sight, no more.
        return room.id in person.identity.places
    return room.kind == Room.Kind.PUBLIC or person.place_in(room) is not None


def hears(person: Person, room: RoomFacts) -> bool:
    """
    Whether what happens in the room is for him: a member's, or a public one with auto join that he did not
    leave. A direct room he hears always, as it comes back with the next message.
    """
    if not can_see(person, room):
        return False
    if room.kind == Room.Kind.DIRECT:
        return True
    place = person.identity.places.get(room.id)
    if place is not None:
        return not place.left
    return room.auto_join and not room.archived


def lists(person: Person, room: RoomFacts) -> bool:
    """Whether the room is in his list: one that he hears, unless he put it out of sight."""
    return hears(person, room) and (room.kind != Room.Kind.DIRECT or person.place_in(room) is not None)


def may_stay(person: Person, room: RoomFacts) -> bool:
    """Whether he may go on hearing a room that he entered: until he leaves it, or it closes to him."""
    place = person.identity.places.get(room.id)
    return can_see(person, room) and (place is None or not place.left)


def find_room(directory: Directory, person: Person, name: str) -> RoomFacts:
    """
    A room through the person, never by bare name: one he may not see does not exist for him.

    Raises:
        OperationError: `no_such_room`.
    """
    room = directory.room_named(name)
    if room is None or not can_see(person, room):
        raise OperationError("no such room", code="no_such_room")
    return room


def can_moderate(person: Person, room: RoomFacts) -> bool:
    return person.role_in(room) in (MODERATOR, OWNER)


def refusal_to_post(person: Person, room: RoomFacts) -> OperationError | None:
    """Why the person may not post in a room that he sees, else None. Waiting is `check_pace`'s matter."""
    if room.archived:
        return OperationError("this room is archived", code="archived")
    if room.read_only and not can_moderate(person, room):
        return OperationError("only moderators may post in this room", code="read_only")
    mute = person.restraint(MUTE, room)
    if mute is not None:
        return OperationError(_because("you are muted", mute.reason), code="muted")
    if person.identity.user_id in room.unwanted:
        return unwanted()
    return None


def unwanted() -> OperationError:
    """The refusal for who was declined."""
    return OperationError("this person cannot be written to", code="not_allowed")


def check_post(person: Person, room: RoomFacts) -> None:
    """
    Raises:
        OperationError: `archived`, `read_only`, `muted`.
    """
    refusal = refusal_to_post(person, room)
    if refusal is not None:
        raise refusal


def check_allowance(person: Person, now: float) -> None:
    """
    Count a post against what one person may post in all rooms; `now` is the monotonic clock in seconds.

    Raises:
        RetryLater: `too_fast`.
    """
    pace = person.pace
    pace.posted_at = now
    if pace.allowance is None:
        pace.allowance = TokenBucket(POSTS_PER_SECOND, POSTS_BURST, now)
    pace.allowance.refill(now)
    if pace.allowance.tokens < 1:
        raise RetryLater(int(pace.allowance.wait * 1000) + 1, "you are posting too fast", code="too_fast")
    pace.allowance.tokens -= 1


def check_pace(person: Person, room: RoomFacts, now: float) -> None:
    """
    Count a post against slow mode; `now` is the monotonic clock in seconds.

    Raises:
        RetryLater: `slow_mode`.
    """
    if room.slow_mode_seconds and not can_moderate(person, room):
        pace = person.pace
        pace.posted_at = now
        wait = pace.last_posts.get(room.id, float("-inf")) + room.slow_mode_seconds - now
        if wait > 0:
            raise RetryLater(int(wait * 1000) + 1, "slow mode: one post at a time", code="slow_mode")
        pace.last_posts[room.id] = now


def check_body(body: str) -> str:
    """
    The text as it is stored: no NUL, which PostgreSQL cannot hold, and no space around it.

    Raises:
        OperationError: `bad_text`, `empty_message`, `too_long`.
    """
    body = body.replace("\0", "").strip()
    if not _is_unicode(body):
        raise OperationError("this text is not valid Unicode", code="bad_text", field="message.body")
    if not body:
        raise OperationError("empty message", code="empty_message", field="message.body")
    if len(body) > MAX_BODY_CHARS:
        raise OperationError(
            f"a message has at most {MAX_BODY_CHARS} characters", code="too_long", field="message.body"
        )
    return body


def check_remove(person: Person, room: RoomFacts, message: SentMessage) -> None:
    """
    Own messages may be removed by who may post; any by a moderator.

    Raises:
        OperationError: `not_allowed`, and as `check_post`.
    """
    check_post(person, room)
    if message.author_id != person.identity.user_id and not can_moderate(person, room):
        raise OperationError("this is not your message", code="not_allowed")


def check_edit(person: Person, room: RoomFacts, message: SentMessage, site: SiteFacts) -> None:
    """
    As `check_remove`, and within the site's window for edits unless one moderates.

    Raises:
        OperationError: `not_allowed`, and as `check_post`.
    """
    check_remove(person, room, message)
    window = timedelta(minutes=site.edit_window_minutes)
    age = datetime.now(UTC) - datetime.fromisoformat(message.at)
    if window and age > window and not can_moderate(person, room):
        raise OperationError("it is too late to edit this message", code="not_allowed")


def may_create_rooms(person: Person, site: SiteFacts) -> bool:
    return (site.rooms_by_everyone or person.identity.is_staff) and person.restraint(MUTE) is None


def check_create_room(person: Person, site: SiteFacts) -> None:
    """
    Raises:
        OperationError: `not_allowed`.
    """
    if not may_create_rooms(person, site):
        raise OperationError("you may not create rooms here", code="not_allowed")


def check_ask(person: Person) -> None:
    """
    A request to be in touch is a word to somebody.

    Raises:
        OperationError: `muted`, everywhere.
    """
    mute = person.restraint(MUTE)
    if mute is not None:
        raise OperationError(_because("you are muted", mute.reason), code="muted")


def check_emoji(text: str) -> str:
    """
    A reaction is a symbol, not a word.

    Raises:
        OperationError: `bad_emoji`.
    """
    kinds = {unicodedata.category(char) for char in text if char not in JOINERS and char not in FLAG_TAGS}
    is_symbol = "So" in kinds or KEYCAP in text
    if not is_symbol or any(kind[0] in "LZC" for kind in kinds):
        raise OperationError("a reaction is an emoji", code="bad_emoji", field="emoji")
    return text


def check_moderate(person: Person, room: RoomFacts) -> None:
    """
    Raises:
        OperationError: `not_allowed`.
    """
    if not can_moderate(person, room):
        raise OperationError("only moderators of the room may do this", code="not_allowed")


def check_invite(person: Person, room: RoomFacts, *, has_left: bool) -> None:
    """
    Into a private room its moderators invite; into a public one everyone who sees it, but who left it is
    brought back by its moderators only. A conversation of two stays one. `has_left`: the invited person.

    Raises:
        OperationError: `not_allowed`, `muted`.
    """
    if room.kind == Room.Kind.DIRECT:
        raise OperationError("nobody else belongs into a conversation of two", code="not_allowed")
    if room.kind == Room.Kind.PRIVATE:
        check_moderate(person, room)
    elif has_left and not can_moderate(person, room):
        raise OperationError("this person has left the room", code="not_allowed")
    mute = person.restraint(MUTE, room)
    if mute is not None:
        raise OperationError(_because("you are muted", mute.reason), code="muted")


def check_kick(person: Person, room: RoomFacts, user_id: int, *, is_owner: bool) -> None:
    """
    Moderators remove members and other moderators, owners everyone but themselves. `is_owner`: the other is.

    Raises:
        OperationError: `not_allowed`.
    """
    check_moderate(person, room)
    if user_id == person.identity.user_id:
        raise OperationError("leave the room instead", code="not_allowed")
    if is_owner and person.role_in(room) != OWNER:
        raise OperationError("only an owner may remove an owner", code="not_allowed")


def _is_unicode(text: str) -> bool:
    """Whether the text can be encoded: half of a surrogate pair has no UTF-8, and no database takes it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _because(text: str, reason: str) -> str:
    return f"{text}: {reason}" if reason else text
