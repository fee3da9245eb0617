"""Nobody is mistaken for another, or for the site: alice has her name, and mallory tries to look like her."""

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.urls import reverse

from chat.models import Room, SiteSettings, User
from chat.queries.people import new_guest_name
from chat.services.rooms import create_room, direct_name
from rpc import OperationError
from tests.chat.test_names import LOOK_ALIKES

PASSWORD = "correct horse battery"
BLANK = ["\u3164", "\u2800", "\u200d"]
OF_THE_SITE = ["admin", "Adm\u0456n", "system", "SYSTEM", "Hubtalk", "HubtaIk"]


def sign_up(client, **fields):
    data = {"username": "mallory", "name": "", "password1": PASSWORD, "password2": PASSWORD, **fields}
    return client.post(reverse("signup"), data)


@pytest.fixture
def open_site(db):
    return SiteSettings.objects.create(pk=1, guests_allowed=True, sign_up=SiteSettings.SignUp.OPEN)


@pytest.mark.parametrize("name", LOOK_ALIKES, ids=ascii)
async def test_mallory_does_not_rename_herself_to_look_like_alice(chat, alice, mallory, visitor_session, name):
    """Over gotalk: an account, a visitor of the page, and one without a session."""
    for page in (await chat.open(mallory), await chat.open(session=visitor_session), await chat.open()):
        assert await page.refusal("set-name", name) == "name_taken"


async def test_guest_at_the_text_door_who_looks_like_alice_gets_a_number(chat, dial, alice, hall):
    """As one who asks for the very name does."""
    line = await dial("/ws/hall?name=AIice&names=1")
    assert (await line.hears()).startswith("! this name is taken: you are AIice ")


@pytest.mark.parametrize("name", BLANK, ids=ascii)
async def test_name_that_nobody_sees_is_refused(chat, mallory, name):
    """A message from nobody."""
    page = await chat.open(mallory)
    assert await page.refusal("set-name", name) in ("bad_name", "empty_name")


@pytest.mark.parametrize("name", OF_THE_SITE, ids=ascii)
async def test_mallory_does_not_speak_for_the_site(chat, mallory, visitor_session, name):
    """`admin`, `system` and the title are reserved, with all that looks like them."""
    for page in (await chat.open(mallory), await chat.open(session=visitor_session)):
        assert await page.refusal("set-name", name) == "bad_name"


async def test_staff_speak_for_the_site(chat, mallory):
    """Whose word it is."""
    await chat.elsewhere(User.objects.filter(pk=mallory.pk).update, is_staff=True)
    page = await chat.open(mallory)
    assert await page.ask("set-name", "Admin") == {"name": "Admin"}


@pytest.mark.parametrize("name", [*LOOK_ALIKES, *BLANK, *OF_THE_SITE], ids=ascii)
def test_nobody_signs_up_by_a_name_that_misleads(client, open_site, alice, name):
    """The form says why, and no account is made."""
    response = sign_up(client, name=name)
    assert response.status_code == 200
    assert response.context["form"].errors["name"]
    assert not User.objects.filter(username="mallory").exists()


@pytest.mark.parametrize("username", ["admin", "A1ice"])
def test_login_misleads_nobody_where_it_is_the_name(client, open_site, alice, username):
    """Without a name of their own people are called as they log in."""
    assert sign_up(client, username=username).context["form"].errors["name"]


@pytest.mark.parametrize("username", ["alice", "ALICE", "\uff41lice"])
def test_taken_login_without_a_name_is_an_error_on_the_form(client, open_site, alice, username):
    """Not a failure of the server."""
    response = sign_up(client, username=username)
    assert response.status_code == 200
    assert response.context["form"].errors["username"]


def test_visitors_are_not_named_like_the_site(open_site, monkeypatch):
    """Should its title be one of the names that are given to them."""
    SiteSettings.objects.update(title="Ulysses")
    monkeypatch.setattr("chat.names.guests.random.sample", lambda names, count: ["Ulysses", "Tove"])
    assert new_guest_name() == "Tove"


@pytest.mark.parametrize("name", ["ha1l", "h\u0430ll", "ha\u200dll", "hail"], ids=ascii)
async def test_mallory_makes_no_room_that_looks_like_the_hall(chat, hall, mallory, name):
    """What is meant for the one would be said in the other."""
    page = await chat.open(mallory)
    assert await page.refusal("create-room", name) == "name_taken"
    assert await page.refusal("create-room", {"name": name, "kind": "private"}) == "name_taken"


async def test_room_is_still_found_by_its_own_name_only(chat, hall, mallory):
    """Whoever asks for something that looks like it is not led there."""
    page = await chat.open(mallory)
    assert await page.refusal("list-messages", "ha1l") == "no_such_room"


@pytest.mark.parametrize("name", BLANK, ids=ascii)
async def test_room_that_nobody_sees_is_not_made(chat, mallory, name):
    """A list of rooms has no empty lines."""
    page = await chat.open(mallory)
    assert await page.refusal("create-room", name) in ("bad_name", "empty_name")


def test_room_that_looks_like_a_room_of_two_is_not_made(db):
    """Names of direct rooms are kept back, and what looks like them is."""
    for name in (direct_name(10, 12), "dIrect lO-I2", "dir\u0435ct 10-12"):
        with pytest.raises(OperationError, match="reserved"):
            create_room(name, by=None)


@pytest.mark.parametrize("name", ["ha1l", "\u3164"], ids=ascii)
def test_admin_makes_no_room_that_misleads(admin_client, hall, name):
    """A mistake is easily made there too."""
    fields = {"name": name, "kind": "public", "topic": "", "slow_mode_seconds": 0}
    response = admin_client.post(reverse("admin:chat_room_add"), fields)
    assert response.context["adminform"].form.errors["name"]
    assert Room.objects.count() == 1


def test_names_from_before_are_told_apart_by_numbers(transactional_db):
    """Of people staff keep their names, then the older ones; names that nobody sees become words."""
    migrate("0001_initial")
    try:
        with connection.cursor() as cursor:
            for key, name, staff in (
                (1, "AIice", False),
                (2, "Alice", True),
                (3, "\u3164", False),
                (4, "Bob", False),
            ):
                insert(cursor, key, name, staff)
    finally:
        # To the last one: the tests that follow on this database need all of them.
        migrate(*MigrationExecutor(connection).loader.graph.leaf_nodes("chat")[0][1:])
    assert dict(User.objects.values_list("pk", "name")) == {1: "AIice 2", 2: "Alice", 3: "user", 4: "Bob"}
    alice = User.objects.get(pk=2)
    alice.save()
    assert (alice.name_key, alice.name_look) == ("alice", "allce")


def migrate(name):
    MigrationExecutor(connection).migrate([("chat", name)])


def insert(cursor, key, name, staff):
    columns = {
        **{"id": key, "username": f"u{key}", "name": name, "name_key": name, "is_staff": staff, "password": "x"},
        **{"is_superuser": False, "is_active": True, "is_guest": False, "is_bot": False, "language": ""},
        **{"first_name": "", "last_name": "", "email": "", "date_joined": "2026-01-01 00:00:00+00:00"},
    }
    marks = ", ".join(["%s"] * len(columns))
    cursor.execute(f"INSERT INTO chat_user ({', '.join(columns)}) VALUES ({marks})", list(columns.values()))
