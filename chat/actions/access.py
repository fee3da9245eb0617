"""
What a person may do: asked of the table in `chat.actions.roles`. `chat.actions.limits` says how often, and
`chat.realtime.visibility` who sees and hears a room.

Pure functions over what the process has cached (`chat.realtime.directory`): no query, no wait. A refusal is an
`OperationError`; its text is for the person, its code for programs.
"""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import emoji

from chat.actions.roles import Closing, Right, Role, Standing, Verb
from chat.models import Room
from chat.queries.candidates import Candidate
from chat.queries.identity import SanctionFacts
from chat.queries.moderation.switches import Why
from chat.queries.rooms import RoomFacts, SiteFacts
from chat.queries.structs import Message as SentMessage
from chat.realtime.directory import MUTE, Directory, Person
from chat.realtime.visibility import because, for_now, sees, under
from chat.services.posts import MAX_BODY_BYTES, MAX_BODY_CHARS
from rpc import OperationError


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


def role_of(person: Person, room: RoomFacts) -> Role:
    """What they are in a room that they see."""
    role = person.role_in(room)
    return Role.VISITOR if role is None else Role[role.upper()]


def standing_of(person: Person) -> Standing:
    if person.identity.is_staff:
        return Standing.STAFF
    return Standing.GUEST if person.identity.user_id is None else Standing.ACCOUNT


def may(person: Person, verb: Verb, room: RoomFacts | None = None) -> bool:
    """Whether their role or right gives it to them; what closes it is the matter of `refusal`."""
    match verb.least:
        case Role() as least:
            assert room is not None
            return role_of(person, room) >= least
        case Standing() as least:
            return standing_of(person) >= least
        case Right() as right:
            return right in person.identity.rights


def refusal(
    person: Person, verb: Verb, room: RoomFacts | None = None, *, calm: bool = False
) -> OperationError | None:
    """
    Why the person may not do this, in a room that they see or on the whole site, else None. Waiting is the limits'
    matter. `calm`: where there is no room to tell, whether guests read only.
    """
    if not may(person, verb, room):
        return _too_little(verb.least)
    found = closed(person, verb, room, calm=calm)
    return _refused(found, person.directory.site.objections) if found is not None else None


def _too_little(least: Role | Standing | Right) -> OperationError:
    """The refusal for want of a role or right."""
    match least:
        case Role.OWNER:
            return OperationError("only an owner may do this to an owner", code="not_allowed")
        case Role():
            return OperationError("only moderators of the room may do this", code="not_allowed")
        case Standing.STAFF:
            return OperationError("only staff may do this", code="not_allowed")
        case Standing():
            return OperationError("log in to do this", code="log_in")
        case Right():
            return OperationError("you may not do this on the whole site", code="not_allowed")


class Closed(NamedTuple):
    """What takes a verb from somebody, and why; of a sanction, which one."""

    by: Closing
    why: Why | SanctionFacts = Why()

    @property
    def for_address(self) -> bool:
        """Whether another guest of their address did something, not they."""
        return isinstance(self.why, SanctionFacts) and self.why.by_address


def closed(person: Person, verb: Verb, room: RoomFacts | None = None, *, calm: bool = False) -> Closed | None:
    """What takes from a person what their role or right gives them, the first in the row of the table; or None."""
    found = (_closed(person, closing, room, calm=calm) for closing in verb.closed_by)
    return next((each for each in found if each is not None), None)


def _closed(person: Person, closing: Closing, room: RoomFacts | None, *, calm: bool) -> Closed | None:
    match closing:
        case Closing.ARCHIVED if room is not None and room.archived:
            return Closed(closing)
        case Closing.CALM if person.identity.is_guest and (calm if room is None else room.calm):
            return Closed(closing) if room is None else Closed(closing, room.why_calm)
        case Closing.READ_ONLY if room is not None and room.read_only:
            if not may(person, Verb.WRITE_IN_READ_ONLY, room):
                return Closed(closing, room.why_read_only)
        case Closing.MUTED if mute := person.sanction(MUTE, room):
            return Closed(closing, mute)
        case Closing.DECLINED if room is not None and person.identity.user_id in room.unwanted:
            return Closed(closing)
    return None


def _refused(found: Closed, objections: str) -> OperationError:
    match found:
        case Closed(Closing.MUTED, SanctionFacts() as mute):
            return OperationError(under("muted", mute, objections), code="muted")
        case Closed(Closing.READ_ONLY, why):
            words = "only moderators may post in this room" + for_now(why.until)
            return OperationError(because(words, why.reason, objections), code="read_only")
        case Closed(Closing.CALM, why):
            words = "guests may only read at the moment" + for_now(why.until)
            return OperationError(because(words, why.reason, objections), code="read_only")
        case Closed(Closing.ARCHIVED):
            return OperationError("this room is archived", code="archived")
        case _:
            return unwanted()


def check(person: Person, verb: Verb, room: RoomFacts | None = None) -> None:
    """
    Raises:
        OperationError: `not_allowed`, `log_in`; `archived`, `read_only`, `muted`, if the row names them.
    """
    refused = refusal(person, verb, room)
    if refused is not None:
        raise refused


def unwanted() -> OperationError:
    """The refusal for someone who was declined."""
    return OperationError("you may not write to this person", code="not_allowed")


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
    Raises:
        OperationError: `not_allowed`, and as `check`.
    """
    if message.author_id == person.identity.user_id:
        check(person, Verb.REMOVE, room)
    elif not may(person, Verb.REMOVE_OTHERS, room):
        raise _not_theirs()


def check_edit(person: Person, room: RoomFacts, message: SentMessage, site: SiteFacts) -> None:
    """
    Also within the site's window for edits.

    Raises:
        OperationError: `not_allowed`, and as `check`.
    """
    check(person, Verb.EDIT, room)
    # What closes the room was asked: this is for want of a role.
    if message.author_id != person.identity.user_id and not may(person, Verb.EDIT_OTHERS, room):
        raise _not_theirs()
    window = timedelta(minutes=site.edit_window_minutes)
    age = datetime.now(UTC) - datetime.fromisoformat(message.at)
    if window and age > window and not may(person, Verb.EDIT_LATE, room):
        raise OperationError("it is too late to edit this message", code="not_allowed")


def _not_theirs() -> OperationError:
    return OperationError("this is not your message", code="not_allowed")


def may_create_rooms(person: Person, site: SiteFacts) -> bool:
    verb = Verb.CREATE_ROOM if site.rooms_by_everyone else Verb.CREATE_ROOM_ALWAYS
    return refusal(person, verb, calm=site.calm) is None


def check_create_room(person: Person, site: SiteFacts) -> None:
    """
    Raises:
        OperationError: `not_allowed`.
    """
    if not may_create_rooms(person, site):
        raise OperationError("you may not create rooms here", code="not_allowed")


def check_emoji(text: str) -> str:
    """
    A reaction is one emoji of Unicode's list, returned as that list writes it: the same one is not two reactions.

    Raises:
        OperationError: `bad_emoji`.
    """
    if not emoji.is_emoji(text):
        raise OperationError("a reaction must be an emoji", code="bad_emoji", field="emoji")
    return emoji.emojize(emoji.demojize(text))


def check_invite(person: Person, room: RoomFacts, *, has_left: bool) -> None:
    """
    A conversation of two stays one. `has_left`: the invited person.

    Raises:
        OperationError: `not_allowed`, `read_only`, `muted`.
    """
    if room.kind == Room.Kind.DIRECT:
        raise OperationError("a direct room has only its two people", code="not_allowed")
    if room.kind == Room.Kind.PRIVATE:
        check(person, Verb.INVITE_TO_PRIVATE, room)
    else:
        check(person, Verb.BRING_BACK if has_left else Verb.INVITE, room)


def check_act_on(person: Person, verb: Verb, other: Candidate, room: RoomFacts | None = None) -> None:
    """
    An act upon another person, in a room or everywhere: not upon oneself, nor those who have more rights.

    Raises:
        OperationError: `not_allowed`.
    """
    check(person, verb, room)
    if other.id == person.identity.user_id:
        words = "leave the room instead" if verb is Verb.KICK else "you cannot do this to yourself"
        raise OperationError(words, code="not_allowed")
    if other.exceeds:
        raise OperationError("this person has rights that you lack", code="not_allowed")
    if room is not None and other.is_owner:
        check(person, Verb.ACT_ON_OWNER, room)


def may_act_on(person: Person, verb: Verb, other: Candidate, room: RoomFacts | None = None) -> bool:
    """Whether `check_act_on` lets them."""
    try:
        check_act_on(person, verb, other, room)
    except OperationError:
        return False
    return True


def _is_unicode(text: str) -> bool:
    """Whether the text can be encoded: half of a surrogate pair has no UTF-8, and no database takes it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
