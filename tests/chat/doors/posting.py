"""The doors through which people post, each spoken to in its own way."""

import json
from urllib.parse import quote

from chat.queries.tokens import SCOPES
from rpc import RequestFailed, RetryLater
from tests.chat.doors.http.test_api import Program
from tests.chat.doors.push.test_push import App

DOORS = ["gotalk", "text", "push", "http"]


async def open_door(chat, dial, token, kind, user):
    """Open a door of the chat for a person."""
    if kind == "gotalk":
        return OverGotalk(await chat.open(user))
    if kind == "text":
        return OverText(dial, user)
    if kind == "push":
        app = App(await dial("/push", user))
        await app.ask(100)
        return OverPush(app)
    _, secret = await chat.elsewhere(token, user, SCOPES)
    return OverHttp(Program(secret))


class Door:
    async def enter(self, room):
        """Nothing is needed before a post."""

    async def post(self, room, message):
        """Returns the code of the refusal, or None when the message is stored."""
        raise NotImplementedError

    async def refusal(self, room, message):
        """Post what is refused; returns the code of the refusal."""
        code = await self.post(room, message)
        assert code is not None, "it was not refused"
        return code


class OverGotalk(Door):
    def __init__(self, page):
        self._page = page

    async def post(self, room, message):
        return await answer(self._page, "send-message", {"room": room, "message": message})


class OverText(Door):
    """One room at a time, with a body that nobody else says."""

    def __init__(self, dial, user):
        self._dial = dial
        self._user = user

    async def enter(self, room):
        self.line = await self._dial(f"/ws/{room}?format=json", self._user)
        await self.line.is_in()

    async def post(self, room, message):
        self.line.say(json.dumps(message))
        while True:
            heard = await self.line.hears()
            if heard.startswith("! {"):
                if "moderated" not in heard:  # what was done to them is told before they try
                    return json.loads(heard[2:])["code"]
            elif message["body"] in heard:
                return None


class OverPush(Door):
    def __init__(self, app):
        self._app = app

    async def enter(self, room):
        await self._app.ask(113, {"room": room})

    async def post(self, room, message):
        return await self._app.answer(115, {"room": room, **message})


class OverHttp(Door):
    def __init__(self, program):
        self._program = program

    async def post(self, room, message):
        status, told = await self._program.call("POST", f"/api/rooms/{quote(room)}/messages", message)
        return None if status == 201 else told["code"]


async def answer(page, operation, params):
    """Ask over gotalk; returns the code of the refusal, or None when it is done."""
    try:
        await page.ask(operation, params)
    except (RequestFailed, RetryLater) as refused:
        return refused.code
    return None
