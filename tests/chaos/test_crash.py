"""A server that is killed in the middle of posts loses none that it acknowledged, and doubles none."""

import asyncio
from uuid import uuid4

from tests.gotalk_client import Client
from tests.server import Server, visitor_cookie

CLIENTS = 10
POSTS_EACH = 100
KILL_AFTER = 300


class Poster:
    """Posts with one client id each until the server acknowledged it, whatever happens in between."""

    def __init__(self, number: int, server: Server, server_is_back: asyncio.Event) -> None:
        self.number = number
        self.server = server
        self.server_is_back = server_is_back
        # The same person before and after, as a browser with its cookie is.
        self.cookie = visitor_cookie(server)
        self.acknowledged: dict[str, dict] = {}

    async def post_all(self, after_each) -> None:
        bodies = [f"post {self.number}/{count}" for count in range(POSTS_EACH)]
        ids = {body: str(uuid4()) for body in bodies}
        waiting = list(bodies)
        while waiting:
            await self.server_is_back.wait()
            try:
                async with Client(self.server.websocket_url, cookie=self.cookie) as client:
                    while waiting:
                        body = waiting[0]
                        params = {"room": "animals", "message": {"body": body, "client_id": ids[body]}}
                        self.acknowledged[body] = await client.request("send-message", params)
                        waiting.pop(0)
                        after_each()
            except OSError:
                # Killed, or not back yet: the same post goes out again with its client id.
                continue


async def whole_room(server: Server) -> list[dict]:
    async with Client(server.websocket_url) as client:
        return await client.history("animals")


def test_kill_in_the_middle_of_a_thousand_posts(tmp_path):
    """
    Each acknowledged post is there once, where it was acknowledged; each other one is there once after its
    retry; all see one order.
    """
    environment = {"RATE_LIMITS": "off"}
    with Server(tmp_path / "data", environment=environment) as server:
        before, after, views, posters = asyncio.run(kill_while_posting(server))
    stored = [message for message in after if message["body"].startswith("post ")]
    bodies = [message["body"] for message in stored]
    assert len(bodies) == len(set(bodies)) == CLIENTS * POSTS_EACH
    by_body = {message["body"]: message for message in stored}
    for poster in posters:
        for body, receipt in poster.acknowledged.items():
            assert (by_body[body]["id"], by_body[body]["seq"]) == (receipt["id"], receipt["seq"])
    # What was acknowledged before the kill stands where it stood.
    assert before
    assert all(by_body[body]["seq"] == seq for body, seq in before.items())
    assert [message["number"] for message in after] == list(range(1, len(after) + 1))
    assert views[0] == views[1] == [message["id"] for message in after]


async def kill_while_posting(server: Server):
    back = asyncio.Event()
    back.set()
    posters = [Poster(number, server, back) for number in range(CLIENTS)]
    enough = asyncio.Event()
    count = 0

    def after_each() -> None:
        nonlocal count
        count += 1
        if count == KILL_AFTER:
            enough.set()

    async with asyncio.TaskGroup() as group:
        for poster in posters:
            group.create_task(poster.post_all(after_each))
        await enough.wait()
        back.clear()
        server.kill()
        before = {body: ack["seq"] for poster in posters for body, ack in poster.acknowledged.items()}
        await asyncio.to_thread(server.start)
        back.set()
    after = await whole_room(server)
    views = [[message["id"] for message in await whole_room(server)] for _ in range(2)]
    return before, after, views, posters
