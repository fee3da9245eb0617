"""A page written for the stock gotalk.js runs against us unchanged: script tag, connection, three notifications."""

import pytest

from tests.server import Server

pytestmark = pytest.mark.browser

# In the words of the stock library's own documentation and chat example; nothing of ours in it.
PAGE = """<!doctype html>
<meta charset="utf-8">
<script src="/gotalk/gotalk.js"></script>
<script>
var heard = { rooms: [], username: [], newmsg: [] };
gotalk.handleNotification('rooms', function (rooms) { heard.rooms.push(rooms); });
gotalk.handleNotification('username', function (name) { heard.username.push(name); });
gotalk.handleNotification('newmsg', function (m) { heard.newmsg.push(m); });
var s = gotalk.connection();
function ask(op, value) {
  return new Promise(function (resolve) {
    s.request(op, value, function (err, result) { resolve(err ? { error: err.message } : { result: result }); });
  });
}
</script>
"""

TEXTS = {
    "emoji": "😀👩\u200d💻🏴\U000e0067\U000e0062\U000e007f",
    "NUL": "a\0b\0",
    "Chinese": "大家好，猫在键盘上睡着了。",
    "200 KB": "界" * 70_000,
    "all of them": "😀\0猫\ufffd\u2028" * 1000,
}


@pytest.fixture(scope="module")
def page(tmp_path_factory, browser):
    with Server(tmp_path_factory.mktemp("stock") / "data") as server:
        page = browser.new_page()
        page.route("**/stock.html", lambda route: route.fulfill(content_type="text/html", body=PAGE))
        page.goto(f"{server.url}/stock.html")
        page.wait_for_function("heard.username.length && heard.rooms.length")
        yield page
        page.close()


def test_rooms_and_name_arrive_at_once(page):
    """On connect a stock page hears the whole object of rooms and its name."""
    rooms = page.evaluate("heard.rooms[0]")
    assert sorted(rooms) == ["animals", "golang", "jokes"]
    assert all(rooms[name]["name"] == name for name in rooms)
    assert isinstance(page.evaluate("heard.username[0]"), str)


@pytest.mark.parametrize("kind", TEXTS)
def test_text_survives_the_round_trip(page, kind):
    """`requestp('echo', …)` gives back every byte."""
    assert page.evaluate("text => s.requestp('echo', text)", TEXTS[kind]) == TEXTS[kind]


def test_bytes_survive_the_round_trip(page):
    """A buffer request echoes all 256 bytes."""
    echo = """async () => {
      const bytes = new Uint8Array(256).map((_, i) => i);
      const back = await s.bufferRequestp('echo', bytes);
      return Array.from(new Uint8Array(back.buffer || back, back.byteOffset || 0, back.length));
    }"""
    assert page.evaluate(echo) == list(range(256))


def test_what_is_sent_comes_round(page):
    """A post is answered, and heard as `newmsg` with author and body where the example looks for them."""
    answer = page.evaluate("ask('send-message', {room: 'animals', message: {body: 'I like cats 😀'}})")
    assert "error" not in answer
    page.wait_for_function("heard.newmsg.length")
    heard = page.evaluate("heard.newmsg[0]")
    assert heard["room"] == "animals"
    assert heard["message"]["body"] == "I like cats 😀"
    assert heard["message"]["author"] == page.evaluate("heard.username[heard.username.length - 1]")
    listed = page.evaluate("ask('list-messages', 'animals')")["result"]
    assert listed[-1]["body"] == "I like cats 😀"


def test_created_room_is_answered_and_announced(page):
    """`create-room` answers the room, and everyone gets the whole object anew."""
    assert page.evaluate("ask('create-room', 'stock room')")["result"]["name"] == "stock room"
    page.wait_for_function("heard.rooms[heard.rooms.length - 1]['stock room']")


@pytest.mark.parametrize(
    ("operation", "value", "words"),
    [
        ("list-messages", "nowhere", "no such room"),
        ("send-message", {"room": "animals", "message": {"body": ""}}, "empty message"),
        ("create-room", "", "empty name"),
        ("toString", None, 'unknown operation "toString"'),
    ],
)
def test_errors_are_worded_as_in_the_example(page, operation, value, words):
    """The error's message is the text itself."""
    asked = page.evaluate("([op, value]) => ask(op, value)", [operation, value])
    assert asked == {"error": words}


def test_greeting_of_the_documentation(page):
    """The documentation's first example."""
    assert page.evaluate("s.requestp('greet', {name: 'Rasmus'})") == {"greeting": "Hello Rasmus"}
