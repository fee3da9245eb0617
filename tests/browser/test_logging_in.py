"""What only a browser shows of logging in: the policy of the pages, cookies across sites, no scripts."""

import pytest
from playwright.sync_api import expect
from pyotp import TOTP

from tests.openid_provider import CLIENT_ID, CLIENT_SECRET, Provider
from tests.server import Server

pytestmark = pytest.mark.browser

PASSWORD = "a long enough phrase 42"
PREPARE = f"""
from chat.models import SiteSettings, User
User.objects.create_superuser("boss", password={PASSWORD!r})
SiteSettings.objects.update(sign_up_by_openid=True, staff_need_two_factors=True)
"""


@pytest.fixture(scope="module")
def provider():
    with Provider() as running:
        yield running


@pytest.fixture(scope="module")
def site(tmp_path_factory, provider):
    environment = {
        **{"OPENID_ISSUER": provider.issuer, "OPENID_CLIENT_ID": CLIENT_ID, "OPENID_CLIENT_SECRET": CLIENT_SECRET},
        "OPENID_NAME": "Example",
    }
    with Server(tmp_path_factory.mktemp("site") / "data", environment=environment) as server:
        server.manage("shell", "-v0", "-c", PREPARE)
        yield server


@pytest.fixture
def page(browser):
    """Of a browser that runs no scripts; at the end it may not have complained."""
    context = browser.new_context(java_script_enabled=False, locale="en-GB")
    page, complaints = context.new_page(), []
    page.on("console", lambda message: complaints.append(message.text))
    yield page
    context.close()
    assert complaints == []


def test_person_logs_in_at_the_provider(site, page):
    """There and back, from another site: the cookie of the attempt comes along, and the policy lets them pass."""
    url = f"http://localhost:{site.port}"
    page.goto(f"{url}/accounts/login/?next=/settings/")
    page.get_by_role("link", name="Log in with Example").click()
    page.wait_for_url(f"{url}/settings/")
    expect(page.get_by_role("heading", name="Two-factor log-in")).to_be_visible()


def test_staff_set_up_two_factors(site, page):
    """On the way to the admin: the picture is drawn, and the admin opens after the code."""
    page.goto(f"{site.url}/admin/chat/room/")
    page.get_by_label("User name").fill("boss")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"{site.url}/settings/two-factor/")
    box = page.get_by_role("img", name="QR code of the secret").locator("svg").bounding_box()
    assert box["width"] == box["height"] > 150
    secret = page.locator(".typed code").inner_text().replace(" ", "")
    page.get_by_role("textbox", name="Code").fill(TOTP(secret).now())
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Switch it on").click()
    code = page.locator(".codes code").first.inner_text()
    page.get_by_role("link", name="Administration").click()
    page.wait_for_url(f"{site.url}/admin/")
    page.context.clear_cookies()
    page.goto(f"{site.url}/accounts/login/")
    page.get_by_label("User name").fill("boss")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("textbox", name="Code").fill(code)
    page.get_by_role("button", name="Log in").click()
    page.goto(f"{site.url}/admin/")
    expect(page.get_by_role("link", name="Rooms", exact=True)).to_be_visible()
