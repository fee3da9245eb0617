"""
What a person may do: post, edit, remove, moderate, create rooms. `chat.actions.limits` says how often, and
`chat.realtime.visibility` who sees and hears a room.

Pure functions over what the process has cached (`chat.realtime.directory`): no query, no wait. A refusal is an
`OperationError`; its text is for the person, its code for programs.
"""

from datetime import UTC, datetime, timedelta

import emoji

from chat.models import Room
from chat.queries.candidates import Candidate
from chat.queries.rooms import RoomFacts, SiteFacts
from chat.queries.structs import Message as SentMessage
from chat.realtime.directory import MODERATOR, MUTE, OWNER, Directory, Person
from chat.realtime.visibility import sees, under
from chat.services.posts import MAX_BODY_BYTES, MAX_BODY_CHARS
from rpc import OperationError

IMPOSE, LIFT, REMOVE, SITE = "add_sanction", "change_sanction", "change_message", "change_sitesettings"
"""What acts upon the whole site take, by the names of Django's permissions."""


def find_room(directory: Directory, person: Person, name: str) -> RoomFacts:
    """
    A room through the person, never by bare name: one that they may not see does not exist for them.

    Raises:
        OperationError: `no_such_room`.
    """
    room = directory.room_named(name)
    if room is None or not sees(person, room):
        raise _no_such_room()
    return room


def room_still(directory: Directory, room_id: int) -> RoomFacts:
    """
    A room that was found a moment ago, as it is now.

    Raises:
        OperationError: `no_such_room`, it was deleted meanwhile.
    """
    room = directory.rooms.get(room_id)
    if room is None:
        raise _no_such_room()
    return room


def _no_such_room() -> OperationError:
    return OperationError("no such room", code="no_such_room")


def can_moderate(person: Person, room: RoomFacts) -> bool:
    return person.role_in(room) in (MODERATOR, OWNER)


def refusal_to_post(person: Person, room: RoomFacts) -> OperationError | None:
    """Why the person may not post in a room that they see, else None. Waiting is the limits' matter."""
    if room.archived:
        return OperationError("this room is archived", code="archived")
    if room.calm and person.identity.is_guest:
        return calm()
    if room.read_only and not can_moderate(person, room):
        return OperationError("only moderators may post in this room", code="read_only")
    mute = person.sanction(MUTE, room)
    if mute is not None:
        return OperationError(under("muted", mute), code="muted")
    if person.identity.user_id in room.unwanted:
        return unwanted()
    return None


def calm() -> OperationError:
    """The refusal for a guest while they may read only."""
    return OperationError("guests may only read at the moment", code="read_only")


def unwanted() -> OperationError:
    """The refusal for someone who was declined."""
    return OperationError("you may not write to this person", code="not_allowed")


def check_post(person: Person, room: RoomFacts) -> None:
    """
    Raises:
        OperationError: `archived`, `read_only`, `muted`.
    """
    refusal = refusal_to_post(person, room)
    if refusal is not None:
        raise refusal


def clean_text(text: str) -> str:
    """A text of somebody as it is stored: no NUL, which PostgreSQL cannot hold, and no space around it."""
    return text.replace("\0", "").strip()


def check_body(body: str) -> str:
    """
    The text of a message as it is stored.

    Raises:
        OperationError: `bad_text`, `empty_message`, `too_long`.
    """
    body = clean_text(body)
    if not _is_unicode(body):
        raise OperationError("this text is not valid Unicode", code="bad_text", field="body")
    if not body:
        raise OperationError("empty message", code="empty_message", field="body")
    if len(body) > MAX_BODY_CHARS:
        raise OperationError(f"a message has at most {MAX_BODY_CHARS} characters", code="too_long", field="body")
    if len(body.encode()) > MAX_BODY_BYTES:
        raise OperationError(f"a message has at most {MAX_BODY_BYTES} bytes", code="too_long", field="body")
    return body


def check_remove(person: Person, room: RoomFacts, message: SentMessage) -> None:
    """
    Own messages may be removed by whoever may post; any by a moderator.

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
    if site.calm and person.identity.is_guest:
        return False
    return (site.rooms_by_everyone or person.identity.is_staff) and person.sanction(MUTE) is None


def check_create_room(person: Person, site: SiteFacts) -> None:
    """
    Raises:
        OperationError: `not_allowed`.
    """
    if not may_create_rooms(person, site):
        raise OperationError("you may not create rooms here", code="not_allowed")


def check_not_muted(person: Person, room: RoomFacts | None = None) -> None:
    """
    Whoever may not write says nothing in another way either: by a name, a topic, a request.

    Raises:
        OperationError: `muted`, everywhere or in the room.
    """
    mute = person.sanction(MUTE, room)
    if mute is not None:
        raise OperationError(under("muted", mute), code="muted")


def check_emoji(text: str) -> str:
    """
    A reaction is one emoji of Unicode's list, returned as that list writes it: the same one is not two reactions.

    Raises:
        OperationError: `bad_emoji`.
    """
    if not emoji.is_emoji(text):
        raise OperationError("a reaction must be an emoji", code="bad_emoji", field="emoji")
    return emoji.emojize(emoji.demojize(text))


def check_moderate(person: Person, room: RoomFacts) -> None:
    """
    Raises:
        OperationError: `not_allowed`.
    """
    if not can_moderate(person, room):
        raise OperationError("only moderators of the room may do this", code="not_allowed")


def check_invite(person: Person, room: RoomFacts, *, has_left: bool) -> None:
    """
    Into a private room its moderators invite; into a public one everyone who sees it, but whoever left it is
    brought back by its moderators only. A conversation of two stays one. `has_left`: the invited person.

    Raises:
        OperationError: `not_allowed`, `muted`.
    """
    if room.kind == Room.Kind.DIRECT:
        raise OperationError("a direct room has only its two people", code="not_allowed")
    if room.kind == Room.Kind.PRIVATE:
        check_moderate(person, room)
    elif has_left and not can_moderate(person, room):
        raise OperationError("this person has left the room", code="not_allowed")
    if room.calm and person.identity.is_guest:
        raise calm()
    check_not_muted(person, room)


def check_kick(person: Person, room: RoomFacts, user_id: int, *, is_owner: bool, exceeds: bool) -> None:
    """
    Moderators remove members and other moderators, owners everyone but themselves, and nobody who has
    a right in the admin that the person lacks. `is_owner`, `exceeds`: the other is an owner, has such a right.

    Raises:
        OperationError: `not_allowed`.
    """
    check_moderate(person, room)
    if user_id == person.identity.user_id:
        raise OperationError("leave the room instead", code="not_allowed")
    if exceeds:
        raise OperationError("this person has rights that you lack", code="not_allowed")
    if is_owner and person.role_in(room) != OWNER:
        raise OperationError("only an owner may remove an owner", code="not_allowed")


def check_sanction(person: Person, room: RoomFacts, other: Candidate) -> None:
    """
    Moderators mute and ban whom they may remove.

    Raises:
        OperationError: `not_allowed`.
    """
    check_moderate(person, room)
    _check_other(person, other)
    if other.is_owner and person.role_in(room) != OWNER:
        raise OperationError("only an owner may do this to an owner", code="not_allowed")


def check_right(person: Person, right: str) -> None:
    """
    Beyond rooms the chat asks for the right that the admin asks for.

    Raises:
        OperationError: `not_allowed`.
    """
    if right not in person.identity.rights:
        raise OperationError("you may not do this on the whole site", code="not_allowed")


def check_act_everywhere(person: Person, right: str, other: Candidate) -> None:
    """
    Admins with the right to do so act upon people on the whole site, but not on those who have more rights.

    Raises:
        OperationError: `not_allowed`.
    """
    check_right(person, right)
    _check_other(person, other)


def _check_other(person: Person, other: Candidate) -> None:
    if other.id == person.identity.user_id:
        raise OperationError("you cannot do this to yourself", code="not_allowed")
    if other.exceeds:
        raise OperationError("this person has rights that you lack", code="not_allowed")


def _is_unicode(text: str) -> bool:
    """Whether the text can be encoded: half of a surrogate pair has no UTF-8, and no database takes it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
