"""A page that logs in with a token: the one who it is on every connection, also where guests are not allowed."""

import pytest

from tests.ports import free_port
from tests.server import Server

pytestmark = pytest.mark.browser

PAGE = """<!doctype html><link rel="icon" href="data:,"><script src="/gotalk/gotalk.js"></script>"""
ROBOT = """
from chat.models import SiteSettings, Token, User
from chat.services.tokens import make_token
SiteSettings.objects.update_or_create(pk=1, defaults={"guests_allowed": False})
user = User.objects.create_user("robot", name="Robot")
print(make_token(Token(user=user, name="page", scopes=["read", "post", "rpc"])))
"""
OPEN = """(token) => {
  globalThis.heard = [];
  globalThis.sock = gotalk.connection({
    token,
    onConnect: async ({ request }) => heard.push((await request("whoami")).name),
  });
  sock.on("close", (error) => heard.push(error && [error.closeCode, error.reason]));
}"""
WHO = "sock.request('whoami').then(({ name }) => name)"


@pytest.fixture
def server(tmp_path):
    """A site that has a robot's token (`token`) and lets no guests in, at a port that stays the same."""
    server = Server(tmp_path / "data", port=free_port())
    server.token = server.manage("shell", "-v0", "-c", ROBOT).strip()
    with server:
        yield server


@pytest.fixture
def page(server, browser):
    page = browser.new_page()
    page.route("**/robot.html", lambda route: route.fulfill(content_type="text/html", body=PAGE))
    page.goto(f"{server.url}/robot.html")
    yield page
    page.close()


def test_server_restarts_under_a_page(server, page):
    """What the page asks meanwhile waits, and is asked as the same person."""
    page.evaluate(OPEN, server.token)
    assert page.evaluate(WHO) == "Robot"
    server.stop()
    page.wait_for_function("heard.length === 2")
    waiting = page.evaluate_handle(f"({{ answer: {WHO} }})")
    server.kill()
    server.start()
    assert waiting.evaluate("({ answer }) => answer") == "Robot"
    assert page.evaluate("heard") == ["Robot", [4503, "restarting"], "Robot"]


def test_token_that_is_refused(server, page):
    """The page is told in the server's words, and does not try again."""
    page.evaluate(OPEN, "nonsense")
    page.wait_for_function("heard.length")
    assert page.evaluate("heard") == [[4401, "this token is unknown, revoked or expired"]]
    assert page.evaluate("sock.keepalive") is None
