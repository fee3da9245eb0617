"""docs/extending.md, followed to the letter: an app beside the chat, under the real server."""

import asyncio
import re
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from websockets.asyncio.client import connect

from chat.queries.identity import Identity
from project.routing import DOORS
from tests.documents import read, site_of
from tests.gotalk_client import Client, Failed
from tests.server import visitor_cookie

DOCUMENT = "docs/extending.md"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with site_of(DOCUMENT, tmp_path_factory.mktemp("reader")) as site:
        yield site


def test_operation_and_consumer_know_who_asks(site):
    """Both by the session of the visitor's browser, which the chat gave a name."""
    cookie = visitor_cookie(site)

    async def scenario():
        async with (
            Client(site.websocket_url, cookie=cookie) as gotalk,
            connect(
                site.websocket_url + "/greeter/", origin=site.url, additional_headers={"Cookie": cookie}
            ) as greeter,
        ):
            name = (await gotalk.request("whoami"))["name"]
            assert await gotalk.request("greet-me") == f"Hello, {name}!"
            with pytest.raises(Failed) as refused:
                await gotalk.request("greet-all")
            assert refused.value.code == "not_allowed"
            await greeter.send("Good morning")
            assert await greeter.recv() == f"Good morning, {name}!"

    asyncio.run(scenario())


def test_document_lists_what_is_known_of_who_calls():
    """Every field of an identity, and no other."""
    table = read(DOCUMENT).split("It is an `Identity`")[1].split("\n\n")[1]
    listed = [name for row in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split("|")[1])]
    assert listed == list(Identity.__struct_fields__)


def test_chat_works_beside_the_app(site):
    """Its doors are where they were."""

    async def scenario():
        async with connect(site.websocket_url + "/ws") as socket:
            await socket.send("hello")
            assert await socket.recv() == "hello"

    asyncio.run(scenario())


def test_commands_use_the_same_settings(site):
    """Those that the variable names."""
    script = "from django.conf import settings; print('greeter' in settings.INSTALLED_APPS)"
    assert site.manage("shell", "-v0", "-c", script).split() == ["True"]


def test_document_names_every_path_of_the_chat():
    """What an app cannot have."""
    reserved = read(DOCUMENT).split("Paths that begin with")[1].split("belong to the chat")[0]
    words = {re.match(r"\^(\w+)", str(door.pattern))[1] for door in DOORS}
    assert words == set(re.findall(r"`(\w+)`", reserved))


def test_app_takes_longer_bodies_where_its_settings_say_so(site):
    """They reach Django, which knows no such page here; elsewhere the limit of all pages counts."""

    def status(path):
        with pytest.raises(HTTPError) as raised:
            urlopen(site.url + path, data=bytes(100_000), timeout=30)
        with raised.value as answer:
            return answer.status

    assert status("/greeter/pictures/") == 404
    assert status("/greeter/others/") == 413
