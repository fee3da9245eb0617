"""Who may be connected, and which rooms they see, hear and list. What they may do: `chat.actions.access`."""

from datetime import UTC, datetime

from chat.models import Room
from chat.queries.identity import SanctionFacts
from chat.queries.rooms import RoomFacts, SiteFacts
from chat.realtime.directory import BAN, Person
from rpc import CloseCode


def refusal_to_connect(person: Person, site: SiteFacts) -> tuple[CloseCode, str] | None:
    """Close code and words for those who may not be connected at all, else None."""
    who = person.identity
    if not who.is_active:
        return CloseCode.NOT_ALLOWED, "this account is switched off"
    ban = person.sanction(BAN)
    if ban is not None:
        # Who shares their address with somebody banned gets in by logging in, at every door.
        code = CloseCode.LOG_IN if ban.by_address else CloseCode.NOT_ALLOWED
        return code, under("banned", ban, site.objections)
    if who.is_guest and not site.guests_allowed:
        return CloseCode.LOG_IN, "log in to talk here"
    return None


def sees(person: Person, room: RoomFacts) -> bool:
    """Public rooms are for everyone, others for their members; a ban in the room closes both."""
    if person.sanction(BAN, room) is not None:
        return False
    if room.kind == Room.Kind.DIRECT:
        # Whoever leaves a conversation of two has put it out of sight, no more.
        return room.id in person.identity.memberships
    return room.kind == Room.Kind.PUBLIC or person.membership_in(room) is not None


def hears(person: Person, room: RoomFacts) -> bool:
    """
    Whether what happens in the room is for this person: a member's, or a public one with auto join that they
    did not leave, archived or not. A direct room they hear always, as it comes back with the next message.
    """
    if not sees(person, room):
        return False
    if room.kind == Room.Kind.DIRECT:
        return True
    membership = person.identity.memberships.get(room.id)
    if membership is not None:
        return not membership.left
    return room.auto_join


def lists(person: Person, room: RoomFacts) -> bool:
    """Whether the room is in their list: one that they hear, unless they put it out of sight."""
    return hears(person, room) and (room.kind != Room.Kind.DIRECT or person.membership_in(room) is not None)


def may_stay(person: Person, room: RoomFacts) -> bool:
    """Whether they may go on hearing a room that they entered: until they leave it, or it closes to them."""
    membership = person.identity.memberships.get(room.id)
    return sees(person, room) and (membership is None or not membership.left)


def under(what: str, sanction: SanctionFacts, objections: str) -> str:
    """A refusal because somebody is `what`, such as muted: until when, and why, or what helps."""
    text = f"guests from your address are {what}" if sanction.by_address else f"you are {what}"
    text += for_now(sanction.until)
    if sanction.by_address:
        text += "; people who log in are not"
    return because(text, sanction.reason, objections)


def for_now(until: float | None) -> str:
    """When what holds is over, in seconds of the epoch; nothing for what has no end."""
    return f" until {datetime.fromtimestamp(until, UTC):%Y-%m-%d %H:%M} UTC" if until is not None else ""


def because(text: str, reason: str, objections: str) -> str:
    """A refusal with the reason that a moderator gave, and where one objects, as far as these are known."""
    said = f"{text}: {reason}" if reason else text
    return f"{said} (objections: {objections})" if objections else said
