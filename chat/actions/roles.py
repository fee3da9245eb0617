"""
Who may do what: one table, which every action asks through `chat.actions.access`; docs/moderation.md and the admin
show it.

Not in it: who may be connected and who sees a room (`chat.realtime.visibility`), what staff may do in the admin
(Django's permissions), and who has a right that somebody else lacks (`chat.queries.rights`).
"""

from enum import Enum, IntEnum, StrEnum

from django.utils.translation import gettext_noop as _

from chat.queries import tokens


class Role(IntEnum):
    """
    What somebody is in a room that they see; each may what those before may. Whoever belongs to no public room is
    a visitor there; staff own each room that they see, except direct ones, which nobody owns.
    """

    VISITOR = 1
    MEMBER = 2
    MODERATOR = 3
    OWNER = 4


class Standing(IntEnum):
    """What somebody is on the site, outside of rooms. A guest who posts gets an account without a password."""

    GUEST = 1
    ACCOUNT = 2
    STAFF = 3


class Right(StrEnum):
    """A permission of Django, of which staff have some and superusers all."""

    IMPOSE = "add_sanction"
    LIFT = "change_sanction"
    REMOVE = "change_message"
    SITE = "change_sitesettings"


class Closing(StrEnum):
    """What takes from somebody what their role gives them."""

    ARCHIVED = _("archived")
    CALM = _("calm")
    READ_ONLY = _("read-only")
    MUTED = _("muted")
    DECLINED = _("declined")


READING = (tokens.READ,)
WRITING = (tokens.POST,)
NO_WORDS = (Closing.ARCHIVED, Closing.CALM, Closing.READ_ONLY, Closing.MUTED, Closing.DECLINED)


class Verb(Enum):
    """
    What is done, with one row of the table: in words; the least role, or the right; what closes it, in the order in
    which it is asked; the scopes that a token needs for it.
    """

    # In a room.
    READ = _("read, see who is here"), Role.VISITOR, (), READING
    REPORT = _("report a message"), Role.VISITOR
    JOIN = _("join"), Role.VISITOR
    LEAVE = _("leave"), Role.VISITOR
    POST = _("post"), Role.VISITOR, NO_WORDS
    TYPE = _("be seen typing"), Role.VISITOR, NO_WORDS, READING
    REACT = _("react"), Role.VISITOR, NO_WORDS, READING + WRITING
    EDIT = _("edit one's own messages"), Role.VISITOR, NO_WORDS
    REMOVE = _("remove one's own messages"), Role.VISITOR, NO_WORDS
    INVITE = _("invite into a public room"), Role.VISITOR, (Closing.CALM, Closing.MUTED)
    INVITE_TO_PRIVATE = _("invite into a private room"), Role.MODERATOR, (Closing.CALM, Closing.MUTED)
    BRING_BACK = _("bring back who left a public room"), Role.MODERATOR, (Closing.CALM, Closing.MUTED)
    WRITE_IN_READ_ONLY = _("write while it is read-only"), Role.MODERATOR
    SKIP_SLOW_MODE = _("write without a wait in slow mode"), Role.MODERATOR
    EDIT_LATE = _("edit after the time for edits"), Role.MODERATOR
    EDIT_OTHERS = _("edit messages of others"), Role.MODERATOR, NO_WORDS
    REMOVE_OTHERS = _("remove a message of others"), Role.MODERATOR
    SET_TOPIC = _("set the topic"), Role.MODERATOR, (Closing.MUTED,)
    SET_SWITCHES = _("set read-only and slow mode"), Role.MODERATOR
    LIST_REPORTS = _("see the reports"), Role.MODERATOR, (), READING
    ANSWER_REPORT = _("answer a report"), Role.MODERATOR
    REMOVE_ALL = _("remove all messages of a person"), Role.MODERATOR
    KICK = _("remove a person"), Role.MODERATOR
    MUTE_OR_BAN = _("mute, ban, and end it"), Role.MODERATOR
    ACT_ON_OWNER = _("do these three to an owner"), Role.OWNER

    # On the whole site.
    LIST = _("see one's rooms, contacts, and people"), Standing.GUEST, (), READING
    RENAME = _("take another name"), Standing.GUEST, (Closing.MUTED,)
    OPEN_DIRECT = _("open a direct room"), Standing.GUEST, (Closing.MUTED,)
    CREATE_ROOM = _("create rooms, if everyone may"), Standing.GUEST, (Closing.CALM, Closing.MUTED)
    CREATE_ROOM_ALWAYS = _("create rooms, if only staff may"), Standing.STAFF, (Closing.CALM, Closing.MUTED)
    OWN_MANY_ROOMS = _("own more rooms than others may"), Standing.STAFF
    ASK_FOR_CONTACT = _("ask for a contact, or accept"), Standing.ACCOUNT, (Closing.MUTED,)
    END_CONTACT = _("decline or remove a contact"), Standing.ACCOUNT
    PUSH = _("push to a person"), Standing.STAFF, (), (tokens.PUSH,)
    MUTE_OR_BAN_EVERYWHERE = _("mute or ban everywhere"), Right.IMPOSE
    END_EVERYWHERE = _("end such a mute or ban"), Right.LIFT
    REMOVE_ALL_EVERYWHERE = _("remove all messages of a person everywhere"), Right.REMOVE
    CHANGE_SITE = _("set calm, close sign-up"), Right.SITE

    def __init__(
        self,
        words: str,
        least: Role | Standing | Right,
        closed_by: tuple[Closing, ...] = (),
        scopes: tuple[str, ...] = WRITING,
    ) -> None:
        self.words = words
        self.least = least
        self.closed_by = closed_by
        self.scopes = scopes

    @property
    def word(self) -> str:
        """How the wires call it, such as `set-topic`."""
        return self.name.lower().replace("_", "-")

    @property
    def in_a_room(self) -> bool:
        return isinstance(self.least, Role)

    def given_to(self, rank: Role | Standing) -> bool | Right:
        """Whether people of a rank may do it, or the right that they need for it."""
        if isinstance(self.least, Right):
            return rank == Standing.STAFF and self.least
        return rank >= self.least
