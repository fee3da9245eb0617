"""What a moderator or admin took back is shown at every door as it was before."""

import json
import random

import pytest
from django.test import AsyncClient

from chat.models import Act, Token
from chat.services import messages
from chat.services.acts.undo import take_back
from chat.services.tokens import make_token
from rpc import OperationError
from tests.chat.deeds import some_act, take_back_everything

STEPS = 14


async def views(chat, dial, people, spoken, secrets):
    """What each person is shown of each room at each door, without the versions."""
    seen = {}
    for person, secret in zip(people, secrets, strict=True):
        page = await chat.open(person)
        listed = page.heard["rooms"][-1]
        seen[person.username, "rooms"] = {
            name: {key: value for key, value in room.items() if key != "version"} for name, room in listed.items()
        }
        for room in spoken:
            key = person.username, room.name
            if room.name not in listed:
                continue
            messages = await page.ask("list-messages", room.name)
            seen[*key, "gotalk"] = [{**message, "version": 0} for message in messages]
            bearer = {"Authorization": f"Bearer {secret}"}
            answer = await AsyncClient().get(f"/api/rooms/{room.name}/messages", headers=bearer)
            seen[*key, "http"] = [{**message, "version": 0} for message in answer.json()["messages"]]
            lines = await dial(f"/ws/{room.name}?format=json&since=0", bearer=secret)
            standing = [message for message in messages if not message["deleted"]]
            text = []
            while len(text) < len(standing):
                text += [json.loads(line)["body"] for line in (await lines.hears()).split("\n")]
            seen[*key, "text"] = text
    return seen


@pytest.mark.parametrize("seed", range(3))
async def test_every_door_shows_what_it_showed_before(chat, dial, by, people, spoken, owner, seed):
    """Gotalk, HTTP and text, for a member, the owner and somebody else."""
    dice = random.Random(1000 + seed)
    secrets = [await chat.elsewhere(_token_of, person) for person in people]
    before = await views(chat, dial, people, spoken, secrets)

    def act():
        with by(owner):
            for _ in range(STEPS):
                try:
                    some_act(dice, people, spoken, owner)
                except OperationError:
                    continue

    def undo():
        with by(owner):
            take_back_everything()

    await chat.elsewhere(act)
    await chat.elsewhere(undo)
    await _settled(chat)
    assert await views(chat, dial, people, spoken, secrets) == before


def _token_of(person):
    return make_token(Token(user=person, name="t", scopes=["read", "post", "rpc"]))


async def _settled(chat):
    """This process has read again what changed."""
    await chat.runtime.refresh.reload()


async def test_restored_message_is_told_at_open_sockets(chat, dial, by, alice, bob, hall):
    """The page gets its text, and so does a client of the text door that shows changes."""
    page = await chat.open(alice)
    lines = await (await dial("/ws/hall?format=json", bob)).is_in()
    posted = await page.post("hall", "not so bad")
    while "not so bad" not in await lines.hears():
        """Lines before it."""
    await chat.elsewhere(messages.remove_message, hall.pk, posted["seq"], by=bob.pk)
    assert "deleted" in await lines.hears()
    await page.hears("changed", lambda change: change["messages"][0]["deleted"])
    act = await chat.elsewhere(Act.objects.get)
    await chat.elsewhere(take_back, act.pk)
    assert (await page.hears("changed"))["messages"][0]["body"] == "not so bad"
    assert json.loads(await lines.hears())["edited"]["body"] == "not so bad"
