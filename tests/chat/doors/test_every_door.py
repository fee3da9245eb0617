"""One room, five doors: what is said at one is heard at all, in one order, under the same rights."""

import asyncio
import json
import re
import shutil
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import BrowserContext, async_playwright, expect

from tests.browser.chromium import ARGUMENTS, PROGRAM
from tests.chat.doors.five import DEADLINE, Door, Gotalk, InPage, Push, Text
from tests.server import Server

pytestmark = pytest.mark.browser

ROOM = "team"
PASSWORD = "a long enough phrase 42"
PEOPLE = ("page", "web", "tcp", "text", "push")
A_SECOND = 1.0
ENDED = "The connection has ended."
"""What a page says that is not let in again."""

MAKE = f"""
import json
from chat.models import Membership, Room, Token, User
from chat.services.tokens import make_token
User.objects.create_superuser("boss", name="Boss", password={PASSWORD!r})
room = Room.objects.create(name={ROOM!r}, kind="private")
made = {{"room": room.pk, "tokens": {{}}, "people": {{}}}}
for name in {(*PEOPLE, "mal")!r}:
    user = User.objects.create_user(name, name=name.title(), password={PASSWORD!r})
    Membership.objects.create(room=room, user=user)
    token = Token(user=user, name="robot", scopes=["read", "post", "rpc"])
    made["tokens"][name] = make_token(token)
    made["people"][name] = [user.pk, token.pk]
Membership.objects.create(room=room, user=User.objects.get(username="boss"), role="owner")
print(json.dumps(made))
"""


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A folder with a private room, a person for each door and one who is everywhere; and the token of each."""
    folder = tmp_path_factory.mktemp("prepared") / "data"
    return folder, json.loads(Server(folder).manage("shell", "-v", "0", "-c", MAKE).splitlines()[-1])


@pytest.fixture
def site(tmp_path, prepared):
    """A server of its own for each test, over what was prepared."""
    folder, made = prepared
    shutil.copytree(folder, tmp_path / "data")
    environment = {"RATE_LIMITS": "off", "GOTALK_LISTEN": "tcp://127.0.0.1:0"}
    with Server(tmp_path / "data", environment=environment) as server:
        server.made = made
        yield server


class Five:
    """The doors that are open, and the admin."""

    def __init__(self, site: Server, browser) -> None:
        self.site = site
        self._browser = browser
        self._doors: list[Door] = []

    async def open(self, people: dict[str, str]) -> dict[str, Door]:
        """A door of each kind, for the person that is named for it."""
        tokens = self.site.made["tokens"]
        context = await self._browser.new_context()
        url = self.site.websocket_url
        doors = {
            "page": InPage(await context.new_page(), self.site.url, people["page"], PASSWORD, ROOM),
            "web": Gotalk("gotalk over WebSocket", f"{url}/gotalk/", tokens[people["web"]], ROOM),
            "tcp": Gotalk("gotalk over TCP", self.site.gotalk_url, tokens[people["tcp"]], ROOM),
            "text": Text(url, tokens[people["text"]], ROOM),
            "push": Push(url, tokens[people["push"]], ROOM),
        }
        for door in doors.values():
            await door.arrive()
            self._doors.append(door)
        return doors

    async def everyone(self) -> dict[str, Door]:
        return await self.open({name: name for name in PEOPLE})

    async def everywhere(self, name: str) -> dict[str, Door]:
        return await self.open(dict.fromkeys(PEOPLE, name))

    async def admin(self) -> BrowserContext:
        context = await self._browser.new_context()
        page = await context.new_page()
        await page.goto(f"{self.site.url}/admin/")
        await page.locator("[name=username]").fill("boss")
        await page.locator("[name=password]").fill(PASSWORD)
        await page.locator("[type=submit]").first.click()
        await expect(page.locator("#site-name")).to_be_visible()
        return context

    async def close(self) -> None:
        for door in self._doors:
            await door.leave()


@asynccontextmanager
async def five(site):
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=PROGRAM, args=ARGUMENTS)
        doors = Five(site, browser)
        yield doors
        await doors.close()
        await browser.close()


async def submit(admin: BrowserContext, url: str, form: dict[str, str]) -> None:
    """Send a form of the admin, as the page would."""
    token = next(cookie["value"] for cookie in await admin.cookies() if cookie["name"] == "csrftoken")
    answer = await admin.request.post(url, form={"csrfmiddlewaretoken": token, **form}, max_redirects=0)
    assert answer.status == 302, re.findall(r"errorlist.*?</ul>", await answer.text(), re.DOTALL)


async def impose(five: Five, kind: str, **room: str) -> None:
    admin = await five.admin()
    person, _ = five.site.made["people"]["mal"]
    form = {"user": str(person), "kind": kind, "reason": "", "until_0": "", "until_1": "", "room": "", **room}
    await submit(admin, f"{five.site.url}/admin/chat/sanction/add/", form)


async def hear(doors: dict[str, Door], number: int) -> list[list[str]]:
    """What each heard, once it is so much; the page's is what it shows."""
    heard = []
    for door in doors.values():
        if isinstance(door, InPage):
            heard.append(await door.until_shown(number))
        else:
            await door.until(lambda door: len(door.heard) >= number)
            heard.append(door.heard)
    return heard


def run(site, scenario):
    async def with_deadline():
        async with asyncio.timeout(4 * DEADLINE), five(site) as doors:
            await scenario(doors)

    asyncio.run(with_deadline())


# --- talking -----------------------------------------------------------------------------------------------


def test_one_message_through_each_door(site):
    """Each arrives at all five, in the same order."""

    async def scenario(five):
        doors = await five.everyone()
        said = []
        for name, door in doors.items():
            said.append(f"from {name}: 群发 🎉")
            await door.say(said[-1])
            await hear(doors, len(said))
        assert await hear(doors, 5) == [said] * 5

    run(site, scenario)


def test_two_hundred_messages_at_once(site):
    """Forty from each door at the same time: the same order everywhere, and each door's own order kept."""

    async def scenario(five):
        doors = await five.everyone()

        async def say_forty(name, door):
            for number in range(40):
                await door.say(f"{name} {number}")

        await asyncio.gather(*(say_forty(*each) for each in doors.items()))
        heard = await hear(doors, 200)
        assert heard == [heard[0]] * 5
        for name in doors:
            assert [text for text in heard[0] if text.startswith(name)] == [f"{name} {n}" for n in range(40)]

    run(site, scenario)


def test_an_edit_and_a_removal(site):
    """They reach the doors that can show them."""

    async def scenario(five):
        doors = await five.everyone()
        await doors["web"].say("tpyo")
        await hear(doors, 1)
        [message] = await doors["web"].ask("list-messages", ROOM)
        await doors["web"].ask("edit-message", {"room": ROOM, "seq": message["seq"], "body": "typo"})
        for name in ("web", "tcp", "text", "push"):
            await doors[name].until(lambda door: door.edited == ["typo"])
        shown = doors["page"].page.locator("#messages .body", has_text="typo")
        await expect(shown).to_be_visible()
        await doors["web"].ask("delete-message", {"room": ROOM, "seq": message["seq"]})
        for name in ("web", "tcp", "text", "push"):
            await doors[name].until(lambda door: door.removed == [message["seq"]])
        await expect(shown).to_have_count(0)

    run(site, scenario)


# --- being stopped -----------------------------------------------------------------------------------------


def test_muted(site):
    """A muted person is refused at every door, and still hears."""

    async def scenario(five):
        doors = await five.everywhere("mal")
        await impose(five, "mute")
        await expect(doors["page"].page.locator("#body")).to_be_hidden(timeout=A_SECOND * 1000)
        for name in ("web", "tcp", "text", "push"):
            await doors[name].say("let me speak")
            await doors[name].until(lambda door: door.refusals == ["muted"])
        others = await five.everyone()
        await others["web"].say("we hear you not")
        assert await hear(doors, 1) == [["we hear you not"]] * 5

    run(site, scenario)


def test_banned(site):
    """A banned person's sockets close at every door, and they cannot come back."""

    async def scenario(five):
        doors = await five.everywhere("mal")
        await impose(five, "ban")
        async with asyncio.timeout(A_SECOND):
            for name in ("web", "tcp", "text", "push"):
                await doors[name].until(lambda door: door.closed)
        await expect(doors["page"].page.get_by_text(ENDED)).to_be_visible()

    run(site, scenario)


def test_kicked(site):
    """Who is taken out of a room hears nothing more of it at any door, and cannot post there."""

    async def scenario(five):
        doors = await five.everywhere("mal")
        owner = await five.admin()
        page = await owner.new_page()
        await page.goto(f"{site.url}/#{ROOM}")
        await expect(page.locator("#connection")).to_be_hidden()
        person, _ = site.made["people"]["mal"]
        kick = "async (asked) => gotalk.connection().requestp('kick', asked)"
        await page.evaluate(kick, {"room": ROOM, "id": person})
        await doors["text"].until(lambda door: door.closed)
        await expect(doors["page"].page.get_by_text("was removed, or you may no longer see it")).to_be_visible()
        others = await five.everyone()
        await others["push"].say("among ourselves")
        await hear(others, 1)
        for name in ("web", "tcp", "push"):
            await doors[name].say("and I?")
            await doors[name].until(lambda door: door.refusals == ["no_such_room"])
            assert doors[name].heard == []

    run(site, scenario)


def test_logged_out(site):
    """The page's log-out closes its sockets; a revoked token those of every other door, within a second."""

    async def scenario(five):
        doors = await five.everywhere("mal")
        admin = await five.admin()
        _, token = site.made["people"]["mal"]
        form = {"action": "revoke", "_selected_action": str(token), "index": "0"}
        await submit(admin, f"{site.url}/admin/chat/token/", form)
        async with asyncio.timeout(A_SECOND):
            for name in ("web", "tcp", "text", "push"):
                await doors[name].until(lambda door: door.closed)
        page = doors["page"].page
        token = next(each["value"] for each in await page.context.cookies() if each["name"] == "csrftoken")
        await page.context.request.post(f"{site.url}/accounts/logout/", form={"csrfmiddlewaretoken": token})
        await expect(page.get_by_text(ENDED)).to_be_visible()

    run(site, scenario)
