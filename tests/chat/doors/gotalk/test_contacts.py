"""Contacts: asked for, accepted by asking back, declined, removed; both people hear of it."""

import asyncio

import pytest

from chat.models import Contact, Membership, Room, Sanction, Token, User
from chat.services.accounts import set_active
from chat.services.contacts import MAX_OPEN_REQUESTS, add_contact
from chat.services.moderation import impose
from chat.services.tokens import make_token
from rpc import OperationError, RequestFailed, RetryLater


def states(entries):
    return [(entry["name"], entry["state"]) for entry in entries]


async def has(page, *expected):
    """The list and the answer to `info` agree."""
    assert states(await page.ask("list-contacts")) == list(expected)
    assert states((await page.ask("info"))["contacts"]) == list(expected)


async def hears(page, name, state):
    await page.hears("contact", lambda entry: (entry["name"], entry["state"]) == (name, state))


@pytest.fixture
def pages(chat, alice, bob):
    async def both():
        return await chat.open(alice), await chat.open(bob)

    return both


async def test_request(chat, pages, alice, bob):
    """Each sees their own side of it, at once, and in all their tabs."""
    mine, theirs = await pages()
    other_tab = await chat.open(alice)
    answer = await mine.ask("add-contact", "Bob")
    assert answer == {"id": bob.pk, "key": f"u{bob.pk}", "name": "Bob", "state": "requested"}
    assert (await theirs.hears("contact")) == {
        "id": alice.pk,
        "key": f"u{alice.pk}",
        "name": "Alice",
        "state": "asked",
    }
    await hears(other_tab, "Bob", "requested")
    await has(mine, ("Bob", "requested"))
    await has(theirs, ("Alice", "asked"))


async def test_asking_back_accepts(chat, pages):
    """Then both are friends."""
    mine, theirs = await pages()
    await mine.ask("add-contact", {"name": "Bob"})
    assert (await theirs.ask("add-contact", "Alice"))["state"] == "friends"
    await hears(mine, "Bob", "friends")
    await hears(theirs, "Alice", "friends")
    await has(mine, ("Bob", "friends"))
    await has(theirs, ("Alice", "friends"))


async def test_asking_twice_is_as_once(chat, pages):
    """Nobody is told again."""
    mine, theirs = await pages()
    for state in ("requested", "requested"):
        assert (await mine.ask("add-contact", "Bob"))["state"] == state
    for state in ("friends", "friends"):
        assert (await theirs.ask("add-contact", "Alice"))["state"] == state
    assert (await mine.ask("add-contact", "Bob"))["state"] == "friends"
    await theirs.ask("remove-contact", "Alice")
    await hears(mine, "Bob", "removed")
    assert [entry["state"] for entry in mine.heard["contact"]] == ["requested", "friends", "removed"]


async def test_declined(chat, pages):
    """The asker is told and sees it in the list; the other person no longer sees it. Twice is as once."""
    mine, theirs = await pages()
    await mine.ask("add-contact", "Bob")
    for _ in range(2):
        assert (await theirs.ask("decline-contact", "Alice"))["state"] == "declined"
    await hears(mine, "Bob", "declined")
    await hears(theirs, "Alice", "declined")
    await has(mine, ("Bob", "declined"))
    await has(theirs)


async def test_who_was_declined_may_not_ask_again(chat, pages):
    """Nor forget it in order to ask again."""
    mine, theirs = await pages()
    await mine.ask("add-contact", "Bob")
    await theirs.ask("decline-contact", "Alice")
    assert await mine.refusal("add-contact", "Bob") == "not_allowed"
    assert await mine.refusal("remove-contact", "Bob") == "not_allowed"
    await has(theirs)


async def test_who_declined_may_ask_later(chat, pages):
    """That accepts after all."""
    mine, theirs = await pages()
    await mine.ask("add-contact", "Bob")
    await theirs.ask("decline-contact", "Alice")
    assert (await theirs.ask("add-contact", "Alice"))["state"] == "friends"
    await hears(mine, "Bob", "friends")


async def test_who_declined_may_forget_it(chat, pages):
    """Then the other may ask again."""
    mine, theirs = await pages()
    await mine.ask("add-contact", "Bob")
    await theirs.ask("decline-contact", "Alice")
    await theirs.ask("remove-contact", "Alice")
    await hears(mine, "Bob", "removed")
    assert (await mine.ask("add-contact", "Bob"))["state"] == "requested"


@pytest.mark.parametrize("who", ["asker", "asked"])
async def test_removed(chat, pages, who):
    """Either of two friends ends it for both; twice is as once."""
    mine, theirs = await pages()
    await mine.ask("add-contact", "Bob")
    await theirs.ask("add-contact", "Alice")
    page, name = (mine, "Bob") if who == "asker" else (theirs, "Alice")
    for _ in range(2):
        assert (await page.ask("remove-contact", name))["state"] == "removed"
    await hears(mine, "Bob", "removed")
    await hears(theirs, "Alice", "removed")
    await has(mine)
    await has(theirs)


async def test_request_withdrawn(chat, pages):
    """It is gone from both lists."""
    mine, theirs = await pages()
    await mine.ask("add-contact", "Bob")
    await mine.ask("remove-contact", "Bob")
    await hears(theirs, "Alice", "removed")
    await has(theirs)


@pytest.mark.parametrize("written", ["bob", "BOB", " Ｂob ", "我们都好"])
async def test_name_in_another_spelling(chat, alice, bob, written):
    """Names are compared by their key, and any letters make a name."""
    page = await chat.open(alice)
    await chat.elsewhere(User.objects.create_user, "chen", name="我们都好")
    answer = await page.ask("add-contact", written)
    assert answer["name"] == ("我们都好" if written == "我们都好" else "Bob")


@pytest.mark.parametrize(
    ("name", "code"),
    [
        *(("alice", "not_allowed"), ("nobody here", "no_such_person"), ("", "empty_name"), ("a\0b", "bad_name")),
        *(("\u202ealice", "bad_name"), ("x" * 41, "bad_name")),
    ],
)
@pytest.mark.parametrize("operation", ["add-contact", "decline-contact", "remove-contact"])
async def test_name_of_nobody_one_could_ask(chat, alice, name, code, operation):
    """Oneself, unknown names and what is no name get words of their own."""
    page = await chat.open(alice)
    assert await page.refusal(operation, name) == code


async def test_person_switched_off(chat, alice, bob):
    """They cannot be asked; an old contact can be removed."""
    page = await chat.open(alice)
    await page.ask("add-contact", "Bob")
    await chat.elsewhere(set_active, bob.pk, False)
    await chat.elsewhere(Contact.objects.all().delete)
    assert await page.refusal("add-contact", "Bob") == "not_allowed"
    assert (await page.ask("remove-contact", "Bob"))["state"] == "removed"


async def test_visitor_without_a_row(chat, alice, visitor_session):
    """They have no contacts and cannot become one until they have written something."""
    page, visitor = await chat.open(alice), await chat.open(session=visitor_session)
    assert await visitor.refusal("add-contact", "Alice") == "log_in"
    assert await visitor.ask("list-contacts") == []
    await page.ask("create-room", "hall")
    # Presence gathers before it writes; nobody is called Vera before.
    while (code := await page.refusal("add-contact", "Vera")) != "not_allowed":
        assert code == "no_such_person"
    await visitor.post("hall", "hello")
    assert (await page.ask("add-contact", "Vera"))["state"] == "requested"
    await hears(visitor, "Alice", "asked")


async def test_mallory_hears_nothing_of_others(chat, pages, mallory):
    """Contacts concern the two, and only the person who was asked declines."""
    mine, theirs = await pages()
    page = await chat.open(mallory)
    await mine.ask("add-contact", "Bob")
    await hears(theirs, "Alice", "asked")
    assert await page.refusal("decline-contact", "Alice") == "no_such_request"
    assert await page.refusal("decline-contact", "Bob") == "no_such_request"
    assert await mine.refusal("decline-contact", "Bob") == "no_such_request"
    await theirs.ask("add-contact", "Alice")
    assert await theirs.refusal("decline-contact", "Alice") == "no_such_request"
    await has(page)
    assert page.heard["contact"] == []


async def test_muted_person_does_not_ask(chat, pages, bob):
    """A request is a word to somebody; declining one is not."""
    mine, theirs = await pages()
    await chat.elsewhere(impose, bob.pk, Sanction.Kind.MUTE, room_id=None, by=None)
    await theirs.hears("rooms")
    await mine.ask("add-contact", "Bob")
    while (code := await theirs.refusal("add-contact", "nobody")) != "muted":
        assert code == "no_such_person"
    assert (await theirs.ask("decline-contact", "Alice"))["state"] == "declined"


@pytest.mark.parametrize(
    ("scopes", "refused"),
    [(("rpc", "read"), ["add-contact", "decline-contact", "remove-contact"]), (("rpc", "post"), ["list-contacts"])],
)
async def test_token_for_something_else(chat, alice, bob, scopes, refused):
    """Reading the list and changing it are two rights."""

    def prepare():
        return make_token(Token(user=alice, name="robot", scopes=list(scopes)))

    page = await chat.open(bearer=await chat.elsewhere(prepare))
    for operation in refused:
        assert await page.refusal(operation, None if operation == "list-contacts" else "Bob") == "not_allowed"


async def test_requests_without_end(chat, alice, bob, settings):
    """They count against the same rate limit as posts."""
    settings.RATE_LIMITS = True
    page = await chat.open(alice)
    codes = set()
    for _ in range(60):
        try:
            await page.ask("add-contact", "Bob")
        except RetryLater as refused:
            codes.add(refused.code)
    assert codes == {"too_fast"}


def test_open_requests_are_counted(transactional_db, alice, bob):
    """Nobody asks a whole town."""
    others = [
        User(username=f"u{n}", name=f"U {n}", name_key=f"u {n}", name_look=f"u {n}")
        for n in range(MAX_OPEN_REQUESTS)
    ]
    User.objects.bulk_create(others)
    for other in others:
        add_contact(alice.pk, other.name)
    with pytest.raises(OperationError, match="too many") as refused:
        add_contact(alice.pk, "Bob")
    assert refused.value.code == "too_many"


async def test_info_about_somebody(chat, alice, bob, mallory, hall, cellar):
    """What the two share: rooms that both see, and the contact itself."""
    mine, hers = await chat.open(alice), await chat.open(mallory)
    await mine.ask("add-contact", "Bob")
    about = await mine.ask("info", "BOB")
    assert about["user"] == {"key": f"u{bob.pk}", "id": bob.pk, "name": "Bob", "is_guest": False, "is_bot": False}
    assert [room["name"] for room in about["rooms"]] == ["cellar"]
    assert states(about["contacts"]) == [("Bob", "requested")]
    about = await hers.ask("info", "Bob")
    assert (about["rooms"], about["contacts"]) == ([], [])
    assert await mine.refusal("info", "nobody") == "no_such_person"


async def test_two_who_ask_each_other_at_once(chat, pages):
    """There is one contact, and they are friends."""
    mine, theirs = await pages()
    answers = await asyncio.gather(mine.ask("add-contact", "Bob"), theirs.ask("add-contact", "Alice"))
    assert sorted(answer["state"] for answer in answers) == ["friends", "requested"]
    assert await chat.elsewhere(Contact.objects.count) == 1


@pytest.fixture
def room_of_two(alice, bob):
    room = Room.objects.create(name="the two", kind=Room.Kind.DIRECT)
    for person in (alice, bob):
        Membership.objects.create(room=room, user=person)


async def test_decline_closes_the_room_of_the_two(chat, room_of_two, pages):
    """A person who was declined may not write there from that moment; once accepted they may."""
    mine, theirs = await pages()
    assert await _may_post(mine)
    await mine.ask("add-contact", "Bob")
    await theirs.ask("decline-contact", "Alice")
    while await _may_post(mine):
        await mine.hears("newmsg")
    await theirs.ask("add-contact", "Alice")
    while not await _may_post(mine):
        await mine.ask("whoami")


async def _may_post(page):
    try:
        await page.post("the two", "still there?")
    except RequestFailed as refused:
        assert refused.code == "not_allowed"
        return False
    return True
