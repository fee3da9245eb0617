"""
The tables of docs/moderation.md, run whole: each role tries each row in each kind and state of room, over gotalk,
and posts at every door. What a table gives is done; what it does not give is refused, for a reason that it names.
"""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from chat.models import Contact, Membership, Message, RateLimit, Room, Sanction, SiteSettings, Token, User
from chat.queries.tokens import SCOPES
from chat.services import moderation, rooms
from chat.services.acts.reports import report_message
from chat.services.events import Typing
from chat.services.tokens import make_token
from tests.chat.doors.http.test_api import Program
from tests.chat.doors.posting import DOORS, answer, open_door
from tests.role_tables import DOCUMENT, written

HERE, EVERYWHERE = written()
RIGHTS = ["add_sanction", "change_sanction", "change_message", "change_sitesettings"]
STATES = {"open": {}, "archived": {"archived": True}, "read-only": {"read_only": True}}
SAYS = {
    "archived": "archived",
    "calm": "read_only",
    "read-only": "read_only",
    "muted": "muted",
    "declined": "not_allowed",
}
"""The code by which each word of the column "closed while" is told."""
LONG_AGO = timezone.now() - timedelta(hours=2)
PUBLIC, PRIVATE, DIRECT = "public", "private", "direct"

PEOPLE = {
    "visitor": {},
    "member": {"role": "member"},
    "moderator": {"role": "moderator"},
    "owner": {"role": "owner"},
    "staff outside": {"is_staff": True},
    "staff inside": {"is_staff": True, "role": "member"},
    "admin": {"is_staff": True, "rights": RIGHTS},
    "owner of the site": {"is_staff": True, "is_superuser": True, "role": "member"},
    "guest": {"is_guest": True},
    "guest who owns": {"is_guest": True, "role": "owner"},
    "bot": {"is_bot": True, "role": "member"},
    "muted member": {"role": "member", "is_muted": True},
    "muted moderator": {"role": "moderator", "is_muted": True},
    "muted staff": {"is_staff": True, "is_muted": True, "rights": RIGHTS},
}


class Somebody:
    """A person, with what the table knows of them."""

    def __init__(self, *, role=None, rights=(), is_muted=False, **facts):
        self.user = User.objects.create_user("somebody", name="Somebody", **facts)
        self.role, self.is_muted = role, is_muted
        self.rights = RIGHTS if self.user.is_superuser else rights
        self.user.user_permissions.add(
            *Permission.objects.filter(codename__in=rights, content_type__app_label="chat")
        )
        if is_muted:
            moderation.impose(self.user.pk, Sanction.Kind.MUTE, room_id=None, by=None)

    def sees(self, room):
        return room.kind == PUBLIC or self.role is not None or room.kind == DIRECT

    def rank_in(self, room):
        if room.kind == DIRECT:
            return "member"
        return "owner" if self.user.is_staff else self.role or "visitor"

    @property
    def standing(self):
        return "staff" if self.user.is_staff else "account"


class Place:
    """A room that comes into a state once something was said there."""

    def __init__(self, room, state):
        self.id, self.name, self.kind, self.state = room.pk, room.name, room.kind, state
        self._room = room

    def talk(self, somebody, cast, say):
        """The seqs of messages, and the number of a report."""
        self.own = say(self._room, somebody.user).seq
        self.late = say(self._room, somebody.user).seq
        Message.objects.filter(room=self._room, seq=self.late).update(created_at=LONG_AGO)
        self.theirs, self.others = (say(self._room, cast.author).seq for _ in range(2))
        self.report = report_message(self.id, self.others, by=cast.fan.pk, reason="spam").pk

    def enter_state(self):
        fields = {"read_only": self.state == "read-only", "archived": self.state == "archived"}
        Room.objects.filter(pk=self.id).update(**fields, slow_mode_seconds=0)


class Cast:
    """Those with whom things are done."""

    def __init__(self):
        names = ("author", "target", "boss", "fan", "invited", "leaver", "judge")
        for name in names:
            setattr(self, name, User.objects.create_user(name, name=name.title()))

    def into(self, room):
        for user, role in ((self.author, "member"), (self.target, "member"), (self.boss, "owner")):
            Membership.objects.create(room=room, user=user, role=role)
        if room.kind == PUBLIC:
            Membership.objects.create(room=room, user=self.leaver, left=True)


def places_for(somebody, cast):
    """Rooms of each kind in each state; a direct one is with somebody else each time."""
    for kind in (PUBLIC, PRIVATE):
        for state in STATES:
            room = Room.objects.create(name=f"{kind} {state}", kind=kind)
            cast.into(room)
            if somebody.role is not None:
                Membership.objects.create(room=room, user=somebody.user, role=somebody.role)
            yield Place(room, state)
    for state in (*STATES, "declined"):
        other = User.objects.create_user(state, name=f"Partner {state}")
        room = rooms.open_direct(somebody.user.pk, other.pk)
        if state == "declined":
            Contact.objects.create(asker=somebody.user, asked=other, state=Contact.State.DECLINED)
        yield Place(room, state)


def acts_in(place, cast):
    """What each row is, as {words: requests}; at the end what makes a visitor a member, or ends being one."""
    room = {"room": place.name}
    on_target = {**room, "id": cast.target.pk}
    since = {"since": "2020-01-01T00:00:00Z"}
    everything = {
        "report a message": [("report", {**room, "seq": place.theirs, "reason": "spam"})],
        "react": [("react", {**room, "seq": place.theirs, "emoji": "👍"})],
        "edit one's own messages": [("edit-message", {**room, "seq": place.own, "body": "other"})],
        "edit after the time for edits": [("edit-message", {**room, "seq": place.late, "body": "other"})],
        "edit messages of others": [("edit-message", {**room, "seq": place.theirs, "body": "other"})],
        "remove a message of others": [("delete-message", {**room, "seq": place.theirs})],
        "set the topic": [("set-topic", {**room, "topic": "tea"})],
        "set read-only and slow mode": [
            ("set-read-only", {**room, "on": place.state == "read-only"}),
            ("set-slow-mode", {**room, "seconds": 0}),
        ],
        "see the reports": [("list-reports", place.name)],
        "answer a report": [("answer-report", {**room, "id": place.report})],
        "remove all messages of a person": [("remove-messages", {**on_target, **since})],
        "remove a person": [("kick", on_target)],
        "mute, ban, and end it": [(act, on_target) for act in ("mute", "unmute", "ban", "unban")],
        "do these three to an owner": [
            ("remove-messages", {**room, "id": cast.boss.pk, **since}),
            ("mute", {**room, "id": cast.boss.pk}),
            ("kick", {**room, "id": cast.boss.pk}),
        ],
        "post": [("send-message", {**room, "message": {"body": "hello"}})],
        "read, see who is here": [
            ("list-messages", place.name),
            ("list-members", place.name),
            ("mark-read", {**room, "seq": 1}),
        ],
        "remove one's own messages": [("delete-message", {**room, "seq": place.own})],
        "join": [("join-room", place.name)],
        "leave": [("leave-room", place.name)],
    }
    invite = ("invite", {**room, "name": cast.invited.name})
    if place.kind == PUBLIC:
        brought = [("invite", {**room, "name": cast.leaver.name})]
        return {"invite into a public room": [invite], "bring back who left a public room": brought, **everything}
    if place.kind == PRIVATE:
        return {"invite into a private room": [invite], **everything}
    return everything


ELSEWHERE = {"be seen typing", "write while it is read-only", "write without a wait in slow mode"}
"""Rows with a test of their own, and the one that decides for all that writes in a read-only room."""
FIRST = {
    "edit after the time for edits": "edit one's own messages",
    "do these three to an owner": "mute, ban, and end it",
    "own more rooms than others may": "create rooms, if everyone may",
}
"""What another row has to give as well."""


def closed_by(row, somebody, *, place=None, calm=False):
    """The words of the row that hold here."""
    holds = {"calm"} if calm and somebody.user.is_guest else set()
    if somebody.is_muted:
        holds.add("muted")
    if place is not None and place.state != "open":
        free = HERE["write while it is read-only"].given[somebody.rank_in(place)]
        holds |= {place.state} - ({"read-only"} if free else set())
    return row.closed_by & holds


def reasons_here(words, somebody, place, *, calm):
    """The codes by which the table lets somebody be refused in a room; none: it is done."""
    if not somebody.sees(place):
        return {"no_such_room"}
    reasons = set()
    for each in (words, FIRST.get(words, words)):
        if not HERE[each].given[somebody.rank_in(place)]:
            reasons.add("not_allowed")
        reasons |= {SAYS[word] for word in closed_by(HERE[each], somebody, place=place, calm=calm)}
    return reasons


def reasons_everywhere(words, somebody, standing, *, calm):
    """As `reasons_here`, for the site."""
    reasons = set()
    for each in (words, FIRST.get(words, words)):
        given = EVERYWHERE[each].given[standing]
        if given != "yes" and given not in somebody.rights:
            reasons.add(
                {
                    "ask for a contact, or accept": "log_in",
                    "decline or remove a contact": "log_in",
                    "own more rooms than others may": "too_many_rooms",
                }.get(each, "not_allowed")
            )
        closed = closed_by(EVERYWHERE[each], somebody, calm=calm)
        # Whether somebody may create rooms is one yes or no, which pages are told before they ask.
        reasons |= {"not_allowed" if "create rooms" in each else SAYS[word] for word in closed}
    return reasons


@pytest.fixture
def cast(transactional_db):
    return Cast()


@pytest.fixture
def somebody(request, transactional_db):
    return Somebody(**PEOPLE[request.param])


@pytest.fixture
def places(chat, somebody, cast):
    """All rooms, on a site where typing has no rate."""
    RateLimit.objects.create(name="typing", burst=1000, per_minute=60_000)
    places = list(places_for(somebody, cast))
    for place in places:
        place.enter_state()
    return places


@pytest.fixture
def places_with_words(chat, somebody, cast, say):
    """All rooms, in which something was said, on a site where the time for edits is an hour."""
    SiteSettings.objects.update(edit_window_minutes=60)
    places = list(places_for(somebody, cast))
    for place in places:
        place.talk(somebody, cast, say)
        place.enter_state()
    return places


@pytest.fixture
def calm(request, chat):
    SiteSettings.objects.update(calm=request.param)
    return request.param


def everybody(function):
    return pytest.mark.parametrize("somebody", PEOPLE, indirect=True)(function)


def everybody_and_guests_in_calm(function):
    """Nobody else hears of calm: one of them shows it."""
    cases = [(who, False) for who in PEOPLE] + [(who, True) for who in ("guest", "guest who owns", "member")]
    ids = [f"{who}, calm" if calm else who for who, calm in cases]
    return pytest.mark.parametrize(("somebody", "calm"), cases, indirect=True, ids=ids)(function)


def wrong(told, reasons):
    """Whether what was told is not what the table says: done, or one of its reasons."""
    return told not in (reasons or {None})


@everybody_and_guests_in_calm
async def test_acts_in_rooms(chat, somebody, calm, cast, places_with_words):
    """Each row that is about a room, in public, private and direct rooms, open, archived and read-only."""
    page, found = await chat.open(somebody.user), []
    for place in places_with_words:
        for words, requests in acts_in(place, cast).items():
            reasons = reasons_here(words, somebody, place, calm=calm)
            for operation, params in requests:
                told = await answer(page, operation, params)
                if wrong(told, reasons):
                    found.append((place.name, words, operation, told, reasons))
        if place.kind == DIRECT:
            invitation = {"room": place.name, "name": cast.invited.name}
            assert await answer(page, "invite", invitation) == "not_allowed", place.name
    assert found == []


def acts_on_site(cast, *, calm):
    """As `acts_in`, for the rows of the site that are asked over gotalk."""
    target, since = {"id": cast.target.pk}, {"since": "2020-01-01T00:00:00Z"}
    return {
        "see one's rooms, contacts, and people": [("info", ""), ("list-contacts", None), ("show-person", target)],
        "take another name": [("set-name", "Renamed")],
        "ask for a contact, or accept": [("add-contact", cast.judge.name)],
        "decline or remove a contact": [("decline-contact", cast.fan.name), ("remove-contact", cast.author.name)],
        "mute or ban everywhere": [("mute", target), ("ban", target)],
        "end such a mute or ban": [("unmute", target), ("unban", target)],
        "remove all messages of a person everywhere": [("remove-messages", {**target, **since})],
        "set calm, close sign-up": [("calm", {"on": calm}), ("close-sign-up", {})],
        "open a direct room": [("open-direct", cast.invited.name)],
        "create rooms, if everyone may": [("create-room", {"name": "new"})],
    }


async def push_over_http(chat, user, scopes, whom):
    """Only programs push, with a token."""
    program = Program(await chat.elsewhere(make_token_for, user, scopes))
    status, told = await program.call("POST", "/api/push", {"user": whom.pk, "opcode": 1200})
    return None if status == 200 else told["code"]


def make_token_for(user, scopes):
    return make_token(Token(user=user, name="robot", scopes=list(scopes)))


@everybody_and_guests_in_calm
async def test_acts_on_the_site(chat, somebody, calm, cast, monkeypatch):
    """Each row that is about no room."""
    await chat.elsewhere(Contact.objects.create, asker=cast.fan, asked=somebody.user)
    page, found, seen = await chat.open(somebody.user), [], set()

    def look(words, told):
        seen.add(words)
        reasons = reasons_everywhere(words, somebody, somebody.standing, calm=calm)
        found.extend((words, each, reasons) for each in told if wrong(each, reasons))

    for words, requests in acts_on_site(cast, calm=calm).items():
        look(words, [await answer(page, *each) for each in requests])
    look("push to a person", [await push_over_http(chat, somebody.user, SCOPES, cast.judge)])
    monkeypatch.setattr("chat.actions.rooms.MAX_ROOMS_OWNED", 0)
    look("own more rooms than others may", [await answer(page, "create-room", {"name": "one more"})])
    await chat.elsewhere(SiteSettings.objects.update, rooms_by_everyone=False)
    await chat.runtime.refresh.reload()
    monkeypatch.undo()
    look("create rooms, if only staff may", [await answer(page, "create-room", {"name": "by staff"})])
    assert found == []
    assert seen == set(EVERYWHERE)


async def test_guest_without_an_account_on_the_site(chat, cast):
    """The column of guests: each row is the first that a visitor tries."""
    found = []
    for words, row in EVERYWHERE.items():
        page = await chat.open()
        operation, params = {
            "see one's rooms, contacts, and people": ("info", ""),
            "take another name": ("set-name", "Vera"),
            "open a direct room": ("open-direct", cast.invited.name),
            "create rooms, if everyone may": ("create-room", {"name": "of a guest"}),
            "ask for a contact, or accept": ("add-contact", cast.judge.name),
            "decline or remove a contact": ("remove-contact", cast.judge.name),
            "mute or ban everywhere": ("ban", {"id": cast.target.pk}),
            "end such a mute or ban": ("unban", {"id": cast.target.pk}),
            "remove all messages of a person everywhere": (
                *("remove-messages", {"id": cast.target.pk, "since": "2020-01-01T00:00:00Z"}),
            ),
            "set calm, close sign-up": ("calm", {"on": True}),
        }.get(words, (None, None))
        if operation is None:
            # Programs push with the token of an account, and the others are for staff.
            assert row.given["guest"] == ""
        elif (await answer(page, operation, params) is None) != (row.given["guest"] == "yes"):
            found.append(words)
    assert found == []


@everybody
async def test_posts_at_every_door(chat, dial, token, somebody, places):
    """The door makes no difference; the text door closes before a room that one does not see."""
    found = []
    for kind in DOORS:
        door = await open_door(chat, dial, token, kind, somebody.user)
        for place in places:
            reasons = reasons_here("post", somebody, place, calm=False)
            if somebody.sees(place):
                await door.enter(place.name)
            elif kind == "text":
                line = await dial(f"/ws/{place.name}", somebody.user)
                assert await line.is_closed() == 4404
                continue
            told = await door.post(place.name, {"body": f"{kind} in {place.name}"})
            if wrong(told, reasons):
                found.append((kind, place.name, told, reasons))
    assert found == []


@everybody
async def test_typing(chat, somebody, cast, places):
    """It has no answer: others see it, or they do not."""
    page, watcher, found = await chat.open(somebody.user), await chat.open(cast.author), []
    for place in places:
        if place.kind != DIRECT:
            reasons = reasons_here("be seen typing", somebody, place, calm=False)
            page.peer.notify("typing", {"room": place.name})
            await page.ask("whoami")
            # Events of a room keep their order: what was typed before this is heard before it.
            chat.runtime.hub.publish(Typing(place.id, place.name, ["the end"]))
            await watcher.hears("typing", {"room": place.name, "names": ["the end"]}.__eq__)
            typing = {"room": place.name, "names": [somebody.user.name]}
            was_seen = typing in watcher.heard["typing"]
            if was_seen == bool(reasons):
                found.append((place.name, was_seen, reasons))
    assert found == []


@everybody
async def test_slow_mode(chat, somebody, cast):
    """Those whom the table lets write without a wait post twice."""
    room = await chat.elsewhere(Room.objects.create, name="slow", slow_mode_seconds=3600)
    if somebody.role is not None:
        await chat.elsewhere(Membership.objects.create, room=room, user=somebody.user, role=somebody.role)
    await chat.runtime.refresh.reload()
    page = await chat.open(somebody.user)
    told = [await answer(page, "send-message", {"room": "slow", "message": {"body": each}}) for each in "ab"]
    given = HERE["write without a wait in slow mode"].given[somebody.rank_in(room)]
    again = None if given else "slow_mode"
    assert told == (["muted", "muted"] if somebody.is_muted else [None, again])


@pytest.mark.parametrize("scope", ["read", "post", "push"])
@pytest.mark.parametrize("somebody", ["owner of the site"], indirect=True)
async def test_token_of_one_scope(chat, somebody, cast, places_with_words, scope):
    """A bot that may do everything does what its token is for; `rpc` lets it connect, and do nothing else."""
    scopes = {scope, "rpc"}
    secret = await chat.elsewhere(make_token_for, somebody.user, scopes)
    await chat.elsewhere(Contact.objects.create, asker=cast.fan, asked=somebody.user)
    page = await chat.dial(bearer=secret)
    acts, found = {**acts_in(places_with_words[0], cast), **acts_on_site(cast, calm=False)}, []
    for words, requests in acts.items():
        reasons = set() if (HERE | EVERYWHERE)[words].scopes <= scopes else {"not_allowed"}
        told = [await answer(page, *each) for each in requests]
        found.extend((words, each) for each in told if wrong(each, reasons))
    assert found == []
    pushed = await push_over_http(chat, somebody.user, scopes, cast.judge)
    assert pushed == (None if EVERYWHERE["push to a person"].scopes <= scopes else "not_allowed")


@pytest.mark.parametrize("somebody", ["member"], indirect=True)
def test_every_row_is_tried(places_with_words, cast):
    """A row that is written is run, and so is each operation of the chat but those that ask nothing of anybody."""
    acts = {words: requests for place in places_with_words for words, requests in acts_in(place, cast).items()}
    assert set(acts) | ELSEWHERE == set(HERE)
    on_site = acts_on_site(cast, calm=False)
    operations = {operation for requests in (acts | on_site).values() for operation, _ in requests}
    document = (DOCUMENT.parent / "operations.md").read_text().split("## Operations")[1].split("\n\n")[1]
    # `sync` leaves out what one does not see, and refuses nothing.
    free = {"whoami", "login", "sync", "echo", "greet"}
    assert operations | free == set(re.findall(r"^\| `([\w-]+)`", document, re.MULTILINE))
