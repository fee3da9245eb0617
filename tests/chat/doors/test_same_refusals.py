"""What may be done is decided once: every door that can post, edit or react says the same word for a refusal."""

from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone

from chat.models import Room, Sanction
from chat.queries.identity import identity_of
from chat.services import moderation, rooms
from chat.services.posts import MAX_BODY_CHARS
from tests.chat.doors.posting import DOORS, open_door

GONE_SEQ = 999


@pytest.fixture
def door(chat, dial, token):
    """Opens a door of the chat for a person."""
    return partial(open_door, chat, dial, token)


def archive(room, user):
    rooms.change_room(room.pk, archived=True)


def close_to_posts(room, user):
    rooms.change_room(room.pk, read_only=True)


def mute_here(room, user):
    moderation.impose(user.pk, Sanction.Kind.MUTE, room_id=room.pk, by=None)


def mute_everywhere(room, user):
    until = timezone.now() + timedelta(hours=1)
    moderation.impose(user.pk, Sanction.Kind.MUTE, room_id=None, by=None, until=until)


SITUATIONS = [
    pytest.param(archive, {"body": "hello"}, "archived", id="archived"),
    pytest.param(close_to_posts, {"body": "hello"}, "read_only", id="read only"),
    pytest.param(mute_here, {"body": "hello"}, "muted", id="muted in the room"),
    pytest.param(mute_everywhere, {"body": "hello"}, "muted", id="muted everywhere"),
    pytest.param(None, {"body": "\0"}, "empty_message", id="nothing but NUL"),
    pytest.param(None, {"body": "hello", "reply_to": GONE_SEQ}, "no_such_message", id="reply to nothing"),
]


@pytest.mark.parametrize("kind", DOORS)
@pytest.mark.parametrize(("change", "message", "code"), SITUATIONS)
async def test_post_is_refused_with_the_same_code(chat, door, alice, hall, kind, change, message, code):
    """The person, the room and the text decide, never the door."""
    through = await door(kind, alice)
    await through.enter("hall")
    if change is not None:
        await chat.elsewhere(change, hall, alice)
        await chat.runtime.refresh.reload()
        identity = await chat.elsewhere(identity_of, alice)
        await chat.runtime.connections.become(tuple(chat.runtime.connections.clients), identity)
    assert await through.refusal("hall", message) == code


@pytest.mark.parametrize("kind", ["gotalk", "push", "http"])
async def test_text_that_is_too_long_is_refused_with_the_same_code(chat, door, alice, hall, kind):
    """A frame of the text door is bounded below that."""
    through = await door(kind, alice)
    await through.enter("hall")
    assert await through.refusal("hall", {"body": "x" * (MAX_BODY_CHARS + 1)}) == "too_long"


@pytest.mark.parametrize("kind", ["gotalk", "push", "http"])
async def test_room_that_mallory_may_not_see_does_not_exist_at_any_door(chat, door, mallory, cellar, kind):
    """The text door closes with 4404 at the start, as a room is in its address."""
    through = await door(kind, mallory)
    assert await through.refusal("cellar", {"body": "hello"}) == "no_such_room"


@pytest.mark.parametrize("kind", DOORS)
async def test_slow_mode_makes_one_wait_at_every_door(chat, door, alice, hall, kind):
    """The first post counts, through whichever door it came."""
    page = await chat.open(alice)
    through = await door(kind, alice)
    await through.enter("hall")
    await chat.elsewhere(Room.objects.update, slow_mode_seconds=60)
    await chat.runtime.refresh.reload()
    await page.post("hall", "first")
    if kind == "text":
        while "first" not in await through.line.hears():
            pass
    assert await through.refusal("hall", {"body": "second"}) == "slow_mode"


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        pytest.param("edit-message", {"body": "other"}, id="edit"),
        pytest.param("delete-message", {}, id="remove"),
        pytest.param("react", {"emoji": "👍"}, id="react"),
    ],
)
@pytest.mark.parametrize(
    ("change", "code"),
    [(archive, "archived"), (close_to_posts, "read_only"), (mute_here, "muted"), (mute_everywhere, "muted")],
)
async def test_change_is_refused_as_a_post_is(chat, alice, hall, operation, params, change, code):
    """Whoever may not write in a room changes nothing in it either."""
    page = await chat.open(alice)
    seq = (await page.post("hall", "hello"))["seq"]
    await chat.elsewhere(change, hall, alice)
    await page.hears("rooms", lambda rooms: not rooms.get("hall", {"can_post": False})["can_post"])
    assert await page.refusal(operation, {"room": "hall", "seq": seq, **params}) == code
    assert await page.refusal("send-message", {"room": "hall", "message": {"body": "more"}}) == code


async def test_person_who_declined_cannot_be_written_to_through_any_door(chat, door, alice, bob):
    """In the room of the two the contact decides, at every door."""
    page = await chat.open(alice)
    room = (await page.ask("open-direct", "Bob"))["name"]
    await page.ask("add-contact", "Bob")
    await (await chat.open(bob)).ask("decline-contact", "Alice")
    await page.hears("rooms", lambda listed: listed.get(room, {}).get("can_post") is False)
    for kind in ("gotalk", "push", "http"):
        through = await door(kind, alice)
        await through.enter(room)
        assert await through.refusal(room, {"body": "please"}) == "not_allowed", kind
