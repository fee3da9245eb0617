"""People who are here: one row a connection, one entry a person, forgotten when the process is."""

from datetime import timedelta

from django.db import OperationalError
from django.utils import timezone

from chat.models import Connection, Process
from chat.queries.presence import EXPIRY, people_online
from chat.realtime import presence
from chat.services import memberships
from chat.services.processes import begin_process, end_process, heartbeat, replace_connections


def keys(people):
    return {each["key"] for each in people}


async def test_list_names_who_is_here_then_members_who_are_not(chat, cellar, alice, bob):
    """With roles; each part by name."""
    page = await chat.open(alice)
    await chat.counts(alice)
    answer = await page.ask("list-members", "cellar")
    assert [(each["name"], each["role"], each["online"]) for each in answer["members"]] == [
        ("Alice", "owner", True),
        ("Bob", "member", False),
    ]


async def test_who_comes_and_goes_is_told_to_those_who_look(chat, hall, alice, bob):
    """Once a person, with the number of those who are here; a second tab is no second person."""
    watcher = await chat.open(alice)
    await watcher.ask("list-members", "hall")
    tabs = [await chat.open(bob)]
    came = await watcher.hears("presence", lambda value: f"u{bob.pk}" in keys(value["joined"]))
    assert (came["room"], came["here"]) == ("hall", 2)
    tabs.append(await chat.open(bob))
    visitor = await chat.open()
    await watcher.hears("presence", lambda value: value["here"] == 3)
    await tabs[0].close()
    await visitor.close()
    gone = await watcher.hears("presence", lambda value: value["left"])
    assert (len(gone["left"]), f"u{bob.pk}" in gone["left"]) == (1, False)
    await tabs[1].close()
    gone = await watcher.hears("presence", lambda value: value["left"])
    assert (gone["left"], gone["here"]) == ([f"u{bob.pk}"], 1)


async def test_who_comes_while_the_database_is_busy_is_seen_later(chat, hall, alice, bob, monkeypatch):
    """They are written when the database takes it."""
    watcher = await chat.open(alice)
    await chat.counts(alice)
    await watcher.ask("list-members", "hall")
    tries = []

    def fail_first(*change):
        tries.append(change)
        if len(tries) == 1:
            raise OperationalError("database is locked")
        return replace_connections(*change)

    monkeypatch.setattr(presence, "replace_connections", fail_first)
    await chat.open(bob)
    await watcher.hears("presence", lambda value: f"u{bob.pk}" in keys(value["joined"]))
    assert len(tries) == 2


async def test_who_does_not_look_is_not_told(chat, hall, cellar, alice, bob, mallory):
    """Comings and goings cost nothing to a page that shows no list, and only the list that it shows."""
    idle, watcher = await chat.open(bob), await chat.open(alice)
    await watcher.ask("list-members", "hall")
    await watcher.ask("list-members", "cellar")
    before = len(watcher.heard["presence"])
    await chat.open(mallory)
    await chat.elsewhere(memberships.join_room, cellar.pk, mallory.pk)
    told = await watcher.hears("presence", lambda value: f"u{mallory.pk}" in keys(value["joined"]))
    assert told["room"] == "cellar"
    assert {value["room"] for value in watcher.heard["presence"][before:]} == {"cellar"}
    assert not idle.heard["presence"]


async def test_private_room_shows_its_members_only(chat, cellar, alice, mallory):
    """Who is on the site is no secret; who belongs to a private room is."""
    owner = await chat.open(alice)
    await chat.open(mallory)
    await chat.open()
    members = (await owner.ask("list-members", "cellar"))["members"]
    assert {each["name"] for each in members} == {"Alice", "Bob"}


async def test_who_leaves_a_room_leaves_its_list(chat, hall, alice, bob):
    """They are still connected, and no longer here in this room."""
    watcher = await chat.open(alice)
    await watcher.ask("list-members", "hall")
    leaver = await chat.open(bob)
    await watcher.hears("presence", lambda value: f"u{bob.pk}" in keys(value["joined"]))
    await leaver.ask("leave-room", "hall")
    await watcher.hears("presence", lambda value: f"u{bob.pk}" in value["left"])
    assert {each["name"] for each in (await watcher.ask("list-members", "hall"))["members"]} == {"Alice"}
    await leaver.ask("join-room", "hall")
    await watcher.hears("presence", lambda value: f"u{bob.pk}" in keys(value["joined"]))


async def test_member_who_was_taken_in_while_away_is_shown_on_arrival(chat, cellar, alice, mallory):
    """What one belongs to is known also of people who are not here."""
    watcher = await chat.open(alice)
    await watcher.ask("list-members", "cellar")
    await chat.elsewhere(memberships.join_room, cellar.pk, mallory.pk)
    await chat.open(mallory)
    await watcher.hears("presence", lambda value: f"u{mallory.pk}" in keys(value["joined"]))


async def test_visitor_who_posts_is_one_person_before_and_after(chat, hall, alice, visitor_session):
    """The account gives them another key: the old one leaves as the new one comes."""
    watcher = await chat.open(alice)
    await watcher.ask("list-members", "hall")
    visitor = await chat.open(session=visitor_session)
    came = await watcher.hears("presence", lambda value: "Vera" in {each["name"] for each in value["joined"]})
    (before,) = [each["key"] for each in came["joined"] if each["name"] == "Vera"]
    await visitor.post("hall", "hello")
    after = (await visitor.ask("whoami"))["key"]
    changed = await watcher.hears("presence", lambda value: after in keys(value["joined"]))
    assert before in changed["left"]
    assert changed["here"] == 2


def connection(process, key="c1", person="u1", name="Alice"):
    return Connection(
        process_id=process,
        key=key,
        person_key=person,
        name=name,
        name_key=name.casefold(),
        name_look=name.casefold(),
        door="web",
    )


def names(change):
    joined, left = change
    return [card.name for card in joined], left


def test_second_connection_of_a_person_is_no_news(db):
    """Nor is the end of one of two."""
    begin_process("p")
    assert names(replace_connections({"c1"}, [connection("p")])) == (["Alice"], [])
    assert names(replace_connections({"c2"}, [connection("p", "c2")])) == ([], [])
    assert names(replace_connections({"c1"}, [])) == ([], [])
    assert names(replace_connections({"c2"}, [])) == ([], ["u1"])


def test_person_on_two_processes_leaves_with_the_last(db):
    """The database counts, not one process."""
    for process, key in (("p", "c1"), ("q", "c2")):
        begin_process(process)
        replace_connections({key}, [connection(process, key)])
    assert names(replace_connections({"c1"}, [])) == ([], [])
    assert names(replace_connections({"c2"}, [])) == ([], ["u1"])


def test_dead_process_is_forgotten_with_its_people(db):
    """Whoever notices first says who left; a person who is also elsewhere stays."""
    for process in ("dead", "alive"):
        begin_process(process)
    replace_connections({"c1", "c2"}, [connection("dead"), connection("dead", "c2", "u2", "Bob")])
    replace_connections({"c3"}, [connection("alive", "c3", "u2", "Bob")])
    Process.objects.filter(pk="dead").update(seen_at=timezone.now() - EXPIRY - timedelta(seconds=1))
    assert [card.name for card in people_online().values()] == ["Bob"]
    heartbeat("alive", [])
    assert list(Process.objects.values_list("pk", flat=True)) == ["alive"]
    assert Connection.objects.count() == 1


def test_process_that_was_forgotten_comes_back_with_its_people(db):
    """A laptop that slept is no new site."""
    begin_process("slept")
    mine = [connection("slept")]
    replace_connections({"c1"}, mine)
    end_process("slept")
    assert names(heartbeat("slept", mine)) == (["Alice"], [])
    assert [card.name for card in people_online().values()] == ["Alice"]
