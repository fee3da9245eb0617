"""How often pages and forms may be asked for: by address, or by person where somebody is logged in."""

import pytest
from django.test import AsyncClient
from django.urls import reverse

from chat.actions import limits
from chat.actions.limits import RATES
from chat.models import SiteSettings, User
from chat.queries.rates import Rate
from chat.services.entry.password_links import make_link

HERE, SAME, THERE = "2001:db8:1:2::7", "2001:db8:1:2:ffff::9", "2001:db8:1:3::7"
TWICE = Rate(2, 1 / 60)
"""Two at once, and then none for an hour."""
PASSWORD = "correct horse battery"


class Browser(AsyncClient):
    """A browser at an address, before the site as it is served."""

    def __init__(self, address=HERE):
        super().__init__(headers={"Accept": "text/html"})
        self.address = address

    def _base_scope(self, **request):
        return {**super()._base_scope(**request), "client": [self.address, 4711]}


async def page(browser):
    return await browser.get(reverse("login"))


async def api(browser):
    return await browser.get("/api/rooms/hall/messages")


async def visit(browser):
    return await browser.get(reverse("chat:page"))


async def sign_up(browser):
    return await browser.post(reverse("signup"), {"username": ""})


async def password(browser):
    return await browser.post(reverse("password_change"), {"old_password": ""})


async def token(browser):
    return await browser.post(reverse("chat:settings"), {"name": ""})


async def openid(browser):
    return await browser.get(reverse("openid_back"))


PAGES = {
    **{"page": page, "api": api, "visit": visit, "sign-up": sign_up, "password": password, "token": token},
    "openid": openid,
}
"""What is asked for, by the rate that it counts against."""
BY_PERSON = {"password", "token"}


@pytest.fixture
def chat(chat, settings):
    settings.RATE_LIMITS = True
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.OPENID_ISSUER = "https://id.example.org"
    SiteSettings.objects.update(sign_up=SiteSettings.SignUp.OPEN)
    return chat


@pytest.fixture
def strict(monkeypatch):
    return lambda what: monkeypatch.setattr(limits, "RATES", {**RATES, what: TWICE})


@pytest.mark.parametrize("what", sorted(PAGES.keys() - BY_PERSON))
async def test_address_that_asks_too_often(chat, strict, what):
    """Twice, whatever cookies it sends; its neighbours of the same network wait too, the next network does not."""
    strict(what)
    assert 429 not in {(await PAGES[what](Browser(address))).status_code for address in (HERE, SAME)}
    for address in (HERE, SAME):
        refused = await PAGES[what](Browser(address))
        assert refused.status_code == 429
        assert 3000 < int(refused["Retry-After"]) <= 3601 * 1.25
    assert (await PAGES[what](Browser(THERE))).status_code != 429


@pytest.mark.parametrize("what", sorted(BY_PERSON))
async def test_person_who_does_something_too_often(chat, alice, bob, strict, what):
    """Wherever they come from; the next person at the same address does not wait."""
    strict(what)
    statuses = []
    for address in (HERE, THERE, "192.0.2.1"):
        browser = Browser(address)
        await browser.aforce_login(alice)
        statuses.append((await PAGES[what](browser)).status_code)
    assert statuses == [200, 200, 429]
    browser = Browser(HERE)
    await browser.aforce_login(bob)
    assert (await PAGES[what](browser)).status_code == 200


async def test_link_to_a_password(chat, alice, bob, strict):
    """Who chooses a password by a link is nobody yet: their address counts."""
    strict("password")
    where = await chat.elsewhere(make_link, alice, by=bob)
    browser = Browser()
    asked = await browser.get(reverse("set_password", kwargs=where))
    statuses = [(await browser.post(asked["Location"], {"new_password1": ""})).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]


async def test_guest_with_a_session_is_no_new_guest(chat, strict):
    """Only sessions count that are made."""
    strict("visit")
    browser = Browser()
    assert {(await visit(browser)).status_code for _ in range(4)} == {200}


async def test_looking_at_a_form_is_not_sending_it(chat, strict):
    """Only what is sent counts as more than a page."""
    strict("sign-up")
    browser = Browser()
    assert {(await browser.get(reverse("signup"))).status_code for _ in range(4)} == {200}


async def test_programs_are_told_in_json(chat, strict):
    """As the API answers everything."""
    strict("api")
    for _ in range(3):
        refused = await api(Browser())
    assert refused.json()["code"] == "too_fast"
    assert refused.json()["retry_after_ms"] > 3_000_000


async def test_people_are_told_on_a_page_of_the_site(chat, strict):
    """In its look and in their language."""
    strict("page")
    browser = Browser()
    for _ in range(3):
        refused = await browser.get(reverse("login"), headers={"Accept-Language": "zh-hans"})
    assert "请求过多" in refused.content.decode()
    assert "Content-Security-Policy" in refused


@pytest.mark.parametrize("path", ["/healthz", "/metrics"])
async def test_what_does_not_count(chat, strict, path):
    """Monitors ask often."""
    strict("page")
    browser = Browser()
    for _ in range(4):
        answer = await browser.get(path)
        assert answer.status_code != 429
        answer.close()


async def test_address_that_is_nobodys_own(chat, strict):
    """Of this machine, where a proxy may be: everybody behind it would wait."""
    strict("page")
    assert {(await page(Browser("127.0.0.1"))).status_code for _ in range(4)} == {200}


async def test_nothing_is_stored_for_who_is_refused(chat, strict):
    """Neither an account nor a token."""
    strict("sign-up")
    form = {"password1": PASSWORD, "password2": PASSWORD}
    for name in ("one", "two", "three"):
        await Browser().post(reverse("signup"), {"username": name, "name": name, **form})
    names = await chat.elsewhere(lambda: set(User.objects.values_list("username", flat=True)))
    assert names == {"one", "two"}


async def test_limits_can_be_switched_off(chat, strict, settings):
    """For benchmarks."""
    strict("page")
    settings.RATE_LIMITS = False
    assert {(await page(Browser())).status_code for _ in range(4)} == {200}
