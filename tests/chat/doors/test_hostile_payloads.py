"""Whatever a client says to whatever the doors know, it hears of its own mistake, and the log has no error."""

import json
import logging
import struct

import msgspec
import pytest
from django.apps import apps
from django.db.models import CharField, TextField

from chat.actions.post import NewMessage
from chat.doors.push.opcodes import Opcode
from chat.doors.push.requests import REQUESTS, Enter, Post
from chat.doors.text.consumer import TextDoor
from chat.models import Contact, Membership, Sanction, SiteSettings, User
from chat.queries.identity import identity_of
from chat.services.push import FIRST_FREE
from rpc import Limits, Peer, RequestFailed, RetryLater, default_handlers, describe
from tests.chat.doors.hostile import NO_JSON, hostile, plain
from tests.deadlines import DEADLINE

UNLIMITED = Limits(messages_per_second=None, bytes_per_second=None)


@pytest.fixture
def owner(alice, hall):
    """Owns a public room and the site; a person is called as the room is, so that one name does for both."""
    User.objects.create_user("hall", name="hall")
    alice.is_staff = alice.is_superuser = True
    alice.save()
    return alice


@pytest.fixture
def at_home(chat, owner, hall):
    """Puts things back for the next operation; returns JSON for properties, by name, with which it can succeed."""
    other = User.objects.get(username="hall")

    def put_back():
        Membership.objects.update_or_create(room=hall, user=owner, defaults={"role": "owner", "left": False})
        Sanction.objects.all().delete()
        SiteSettings.objects.update(calm=False)
        Contact.objects.all().delete()
        Contact.objects.create(asker=other, asked=owner)
        return identity_of(owner)

    async def at_home(page):
        identity = await chat.elsewhere(put_back)
        await chat.runtime.refresh.reload()
        connections = chat.runtime.connections
        own = tuple(each for each in connections.clients if each.person.identity.user_id == owner.pk)
        await connections.become(own, identity)
        receipt = await page.post("hall", "something to do something to")
        return {"id": b"%d" % other.pk, "seq": b"%d" % receipt["seq"], "emoji": '"👍"'.encode()}

    return at_home


@pytest.fixture
def unlimited(monkeypatch):
    """As RATE_LIMITS=off has it: it is not the rate of the connection that is tried."""

    async def serve(transport, scope):
        async with Peer(default_handlers, transport, UNLIMITED, scope=scope) as peer:
            await peer.open()
            await peer.read(transport)

    monkeypatch.setattr("tests.chat.conftest.serve", serve)


@pytest.fixture
def errors(caplog):
    """What the log has of errors since it was last asked, a line each."""

    def errors():
        found = [record for record in caplog.records if record.levelno >= logging.ERROR or record.exc_info]
        caplog.clear()
        return [f"{record.getMessage()}: {record.exc_info and record.exc_info[1]!r}" for record in found]

    return errors


def shown(payload):
    return payload[:60], len(payload)


async def outcome(page, operation, payload):
    try:
        answer = await page.peer.request(operation, payload, bytes, retries=0, timeout=DEADLINE)
    except (RequestFailed, RetryLater) as refused:
        return refused.code
    return "NUL" if b"\\u0000" in answer and operation not in EXAMPLES else "done"


def stored_nul():
    """Columns with a NUL in them, which PostgreSQL would have refused as an error of ours."""
    columns = [
        (model, field.name)
        for model in apps.get_app_config("chat").get_models()
        for field in model._meta.get_fields()
        if isinstance(field, CharField | TextField)
    ]
    return [
        (model.__name__, name)
        for model, name in columns
        if any("\0" in value for value in model._default_manager.values_list(name, flat=True))
    ]


DESCRIPTION = describe(default_handlers)
EXAMPLES = ("echo", "greet")
"""They answer what they are told, and keep nothing."""


@pytest.mark.parametrize("who", ["owner", "visitor"])
async def test_operations(chat, owner, at_home, unlimited, errors, who):
    """Each of them; what is no JSON is `bad_params` to all that take parameters."""
    wrong = []
    reached = set()
    page = await chat.open(owner)
    asking = page if who == "owner" else await chat.open()
    for name, entry in DESCRIPTION.operations.items():
        samples = await at_home(page)
        takes_any = default_handlers.find_request(name).params_type in (None, bytes)
        for payload in hostile(entry.params, DESCRIPTION.defs, samples):
            code = await outcome(asking, name, payload)
            if code in (None, "internal", "NUL") or (payload in NO_JSON and code != "bad_params" and not takes_any):
                wrong.append((name, *shown(payload), code, errors()))
        samples = await at_home(page)
        for payload in plain(entry.params, DESCRIPTION.defs, samples):
            reached.add((name, await outcome(asking, name, payload)))
    assert wrong == errors() == []
    assert await chat.elsewhere(stored_nul) == []
    assert "bad_params" not in {code for _, code in reached}
    if who == "owner":
        # There is no such token, the name is taken, and nobody reports a message of their own.
        unreached = {"login", "set-name", "report", "answer-report"}
        assert {name for name, code in reached if code == "done"} == DESCRIPTION.operations.keys() - unreached


@pytest.mark.parametrize("who", ["owner", "visitor"])
async def test_notifications(chat, owner, unlimited, errors, who):
    """Each of them, which nobody answers; one behind them is heard."""
    page, other = await chat.open(owner if who == "owner" else None), await chat.open()
    for name, entry in DESCRIPTION.notifications.items():
        for payload in hostile(entry.params, DESCRIPTION.defs, {}):
            page.peer.notify(name, payload)
    page.peer.notify("typing", {"room": "hall"})
    await other.hears("typing")
    assert errors() == []


OPCODES = [*Opcode, 0, 1, max(Opcode) + 1, FIRST_FREE, 0xFFFFFFFF]
ANSWERED = {*REQUESTS, Opcode.HEARTBEAT, Opcode.LOG_IN}


async def test_opcodes(chat, dial, owner, errors):
    """Each of them, and some that are none: each frame is answered, with its own opcode or with 199."""
    client = await dial("/push", owner)
    shapes, defs = msgspec.json.schema_components((Enter, Post))
    payloads = {payload for shape in shapes for payload in hostile(shape, defs, {})}
    wrong = []

    async def code_of_answer(opcode):
        while True:
            frame = (await client.hears()).encode("latin-1")
            (heard,) = struct.unpack(">I", frame[:4])
            if heard == Opcode.ERROR:
                refusal = json.loads(frame[4:])
                assert refusal["opcode"] == opcode
                return refusal["code"]
            # Anything else is an event, such as what was posted to the room that is entered.
            if heard == opcode and opcode in ANSWERED:
                return "done"

    for opcode in OPCODES:
        for payload in (*sorted(payloads), b"", b"hall"):
            client.say(struct.pack(">I", opcode) + payload)
            code = await code_of_answer(opcode)
            if code == "internal" or (opcode not in ANSWERED and code != "unknown_opcode"):
                wrong.append((opcode, *shown(payload), code, errors()))
    assert wrong == errors() == []


@pytest.mark.parametrize("query", ["", "?names=1", "?format=json"])
async def test_lines(chat, dial, owner, hall, errors, query):
    """Each is a message, is refused or is nothing, and the socket stays open."""
    client = await dial(f"/ws/hall{query}", owner)
    await client.is_in()
    (schema,), defs = msgspec.json.schema_components((NewMessage,))
    wrong = []
    for number, payload in enumerate(hostile(schema, defs, {})):
        if len(payload) > TextDoor.max_frame_bytes:
            continue
        mark = f"behind it, {number}"
        client.say(payload)
        client.say(f'{{"body": "{mark}"}}' if "json" in query else mark)
        while mark not in (line := await client.hears()):
            if line.startswith("! ") and "internal" in line:
                wrong.append((*shown(payload), line, errors()))
    assert wrong == errors() == []
