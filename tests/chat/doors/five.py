"""A person at each of the five doors: what each says, hears, is refused, and how it ends."""

import asyncio
import json
import struct
from typing import Any

from playwright.async_api import Page, expect
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from rpc import Client, Handlers, RequestFailed
from rpc import connect as connect_gotalk
from tests.deadlines import DEADLINE

ENTER, SEND, MESSAGE, ERROR = 113, 115, 116, 199


class Door:
    """
    `heard` holds the texts of the room's messages in the order in which they came, `removed` and `edited` what
    became of them, `refusals` the codes or words of what was refused.
    """

    name: str

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.edited: list[str] = []
        self.removed: list[int] = []
        self.refusals: list[str] = []
        self.closed = False
        self.changed = asyncio.Event()

    async def say(self, body: str) -> None:
        raise NotImplementedError

    async def leave(self) -> None:
        raise NotImplementedError

    def note(self, message: dict[str, Any]) -> None:
        if message.get("deleted"):
            self.removed.append(message["seq"])
        elif message.get("edited_at"):
            self.edited.append(message["body"])
        else:
            self.heard.append(message["body"])
        self.changed.set()

    async def until(self, condition: Any) -> None:
        async with asyncio.timeout(DEADLINE):
            while not condition(self):
                self.changed.clear()
                await self.changed.wait()


class Gotalk(Door):
    """gotalk over WebSocket with the token in its header, or over TCP with the operation `login`."""

    def __init__(self, name: str, url: str, token: str, room: str) -> None:
        super().__init__()
        self.name = name
        self._url = url
        self._token = token
        self._room = room

    async def arrive(self) -> None:
        handlers = Handlers()

        @handlers.notification("newmsg")
        async def newmsg(params: dict) -> None:
            if params["room"] == self._room:
                self.note(params["message"])

        @handlers.notification("changed")
        async def changed(params: dict) -> None:
            for message in params["messages"]:
                self.note(message)

        over_tcp = self._url.startswith("tcp")
        headers = {} if over_tcp else {"Authorization": f"Bearer {self._token}"}
        self._client: Client = await connect_gotalk(self._url, handlers=handlers, headers=headers)
        if over_tcp:
            await self._client.request("login", self._token)
        await self._client.request("whoami")
        self._watching = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        await self._client.wait_closed()
        self.closed = True
        self.changed.set()

    async def ask(self, operation: str, params: Any) -> Any:
        return await self._client.request(operation, params)

    async def say(self, body: str) -> None:
        try:
            await self.ask("send-message", {"room": self._room, "message": {"body": body}})
        except RequestFailed as failure:
            self.refusals.append(failure.code or failure.text)
            self.changed.set()

    async def leave(self) -> None:
        await self._client.close()
        await self._watching


class Socket(Door):
    """What the two plain WebSocket doors share."""

    path: str

    def __init__(self, url: str, token: str, room: str) -> None:
        super().__init__()
        self._url = url
        self._token = token
        self._room = room

    async def arrive(self) -> None:
        address = self._url + self.path.format(room=self._room)
        headers = {"Authorization": f"Bearer {self._token}"}
        self._socket: ClientConnection = await connect(address, additional_headers=headers, max_size=None)
        await self.begin()
        self._reading = asyncio.create_task(self._read())

    async def begin(self) -> None:
        """What there is to say first."""

    async def _read(self) -> None:
        try:
            async for frame in self._socket:
                self.take(frame)
        except ConnectionClosed:
            pass
        self.closed = True
        self.changed.set()

    def take(self, frame: str | bytes) -> None:
        raise NotImplementedError

    async def leave(self) -> None:
        await self._socket.close()
        await self._reading


class Text(Socket):
    name = "hub text"
    path = "/ws/{room}?format=json"

    def take(self, frame: str | bytes) -> None:
        assert isinstance(frame, str)
        for line in frame.split("\n"):
            said = json.loads(line.removeprefix("! "))
            if "error" in said:
                self.refusals.append(said["code"])
                self.changed.set()
            elif "deleted" in said:
                self.note({"deleted": True, **said["deleted"]})
            elif "edited" in said:
                self.note({"edited_at": "now", **said["edited"]})
            elif "body" in said:
                self.note(said)

    async def say(self, body: str) -> None:
        try:
            await self._socket.send(json.dumps({"body": body}))
        except ConnectionClosed:
            self.refusals.append("closed")


class Push(Socket):
    name = "push"
    path = "/push"

    async def begin(self) -> None:
        await self._send(ENTER, self._room)
        while True:
            frame = await self._socket.recv()
            if struct.unpack(">I", frame[:4])[0] == ENTER:
                return

    async def _send(self, opcode: int, payload: Any) -> None:
        data = payload.encode() if isinstance(payload, str) else json.dumps(payload).encode()
        await self._socket.send(struct.pack(">I", opcode) + data)

    def take(self, frame: str | bytes) -> None:
        assert isinstance(frame, bytes)
        (opcode,) = struct.unpack(">I", frame[:4])
        payload = json.loads(frame[4:])
        if opcode == MESSAGE:
            self.note(payload["message"])
        elif opcode == ERROR:
            self.refusals.append(payload["code"])
            self.changed.set()

    async def say(self, body: str) -> None:
        try:
            await self._send(SEND, {"room": self._room, "body": body})
        except ConnectionClosed:
            self.refusals.append("closed")


class InPage(Door):
    """Someone in the browser, logged in by the form."""

    name = "page"

    def __init__(self, page: Page, url: str, username: str, password: str, room: str) -> None:
        super().__init__()
        self.page = page
        self._url = url
        self._username = username
        self._password = password
        self._room = room

    async def arrive(self) -> None:
        await self.page.goto(f"{self._url}/accounts/login/")
        await self.page.locator("[name=username]").fill(self._username)
        await self.page.locator("[name=password]").fill(self._password)
        await self.page.locator("form [type=submit]").click()
        await self.page.goto(f"{self._url}/#{self._room}")
        await expect(self.page.locator("#room-name")).to_contain_text(self._room)
        await expect(self.page.locator("#connection")).to_be_hidden()
        await expect(self.page.locator("#compose")).to_be_visible()

    async def say(self, body: str) -> None:
        await self.page.locator("#body").fill(body)
        await self.page.locator("#body").press("Enter")

    async def shown(self) -> list[str]:
        lines = self.page.locator("#messages li.message .body")
        return await lines.evaluate_all("(lines) => lines.map((line) => line.textContent)")

    async def until_shown(self, number: int) -> list[str]:
        """The texts that stand there, once there are so many and none waits to be sent."""
        sent = self.page.locator("#messages li.message[data-seq]")
        await expect(sent).to_have_count(number, timeout=DEADLINE * 1000)
        return await self.shown()

    async def leave(self) -> None:
        await self.page.context.close()
