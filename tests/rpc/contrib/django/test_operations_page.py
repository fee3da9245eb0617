"""The page of the operations, as it comes from the server."""

from collections.abc import AsyncIterator
from html.parser import HTMLParser

import msgspec
import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

import rpc.contrib.django.views
from chat.doors.gotalk import person_of
from chat.models import Sanction, SiteSettings, User
from rpc import Handlers, default_handlers

ADDRESS = "/rpc/"


class Cat(msgspec.Struct):
    name: str


class Page(HTMLParser):
    """A page's elements: what each attribute holds anywhere, and all text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.attributes += attrs

    def handle_data(self, data):
        self.text += data

    def all(self, name: str) -> list[str | None]:
        return [value for key, value in self.attributes if key == name]


@pytest.fixture
def site(db):
    return SiteSettings.objects.create(pk=1, guests_allowed=True)


@pytest.fixture
def served(monkeypatch):
    """Handlers that the page shows instead of the chat's."""
    handlers = Handlers()
    monkeypatch.setattr(rpc.contrib.django.views, "default_handlers", handlers)
    return handlers


@pytest.fixture
def page(client, site):
    """Reads the page."""
    return lambda: Page(client.get(ADDRESS).content.decode())


def test_address():
    """Where links lead to."""
    assert reverse("operations") == ADDRESS


def test_frame_of_the_site(page):
    """The site's template replaces the package's: its look, its translations, the way back to the chat."""
    shown = page()
    assert "/jsi18n/" in shown.all("src")
    assert "/" in shown.all("href")
    assert "Operations · Hubtalk" in shown.text
    assert not [link for link in shown.all("href") if link.endswith("rpc/base.css")]


def test_visitor_of_a_site_with_guests(client, site):
    """Who may open the chat may open this page, and gets the session that its socket needs."""
    assert client.get(ADDRESS).status_code == 200
    assert client.session.session_key


def test_visitor_of_a_site_without_guests(client, site):
    """Who must log in for the chat must do so for this page."""
    SiteSettings.objects.update(guests_allowed=False)
    assert client.get(ADDRESS)["Location"] == f"/accounts/login/?next={ADDRESS}"


def test_account_on_a_site_without_guests(client, site):
    """An account sees it."""
    SiteSettings.objects.update(guests_allowed=False)
    client.force_login(User.objects.create_user("alice", name="Alice"))
    assert client.get(ADDRESS).status_code == 200


def test_everything_of_the_chat_is_there(page):
    """Each operation and notification has its place, its doc line and a link that leads there."""
    shown = page()
    for prefix, entries in (
        ("operation", default_handlers.operations()),
        ("notification", default_handlers.notifications()),
    ):
        for name, handler in entries.items():
            assert f"{prefix}-{name}" in shown.all("id")
            assert f"#{prefix}-{name}" in shown.all("href")
            assert handler.doc in shown.text


def test_links_lead_somewhere(page):
    """No link within the page is dead, and no place is there twice."""
    shown = page()
    places = shown.all("id")
    assert len(places) == len(set(places))
    assert {link[1:] for link in shown.all("href") if link.startswith("#")} <= set(places)


def test_params_are_spelled_out(page, served):
    """What one writes is there in full, what comes back is a link to its type."""

    @served.request("pet")
    async def pet(params: str | Cat) -> list[Cat]: ...

    text = " ".join(page().text.split())
    assert "Takes string | Cat interface Cat { name: string; } Returns Cat[] JSON Schema" in text


def test_schema(page, served):
    """It stands as `$ops` tells it."""

    @served.request("pet")
    async def pet(params: int) -> None: ...

    assert '"params": {\n    "type": "integer"\n  }' in page().text


def test_stream(page, served):
    """It is said to take and return parts."""

    @served.stream("double")
    async def double(parts: AsyncIterator[int]) -> AsyncIterator[str]:
        yield ""

    text = " ".join(page().text.split())
    assert "double stream Takes parts number Returns parts string" in text


def test_hostile_words_are_text(client, site, served):
    """A name and a doc line are no markup."""

    @served.request("<b>&'\"")
    async def bold() -> None:
        """Makes <b>bold</b>."""

    html = client.get(ADDRESS).content.decode()
    assert "<b>" not in html
    assert "Makes &lt;b&gt;bold&lt;/b&gt;." in html


# --- what one may call -------------------------------------------------------------------------------------


@pytest.fixture
def guarded(transactional_db, monkeypatch):
    """An operation for each right, guarded by the site's guard."""
    handlers = default_handlers.child()
    monkeypatch.setattr(rpc.contrib.django.views, "default_handlers", handlers)
    rights = {
        "for-strangers": {"public": True},
        "for-people": {},
        "for-tokens": {"requires": "post"},
        "for-keepers": {"requires": "chat.change_room"},
        "for-accounts": {"requires": lambda peer: not person_of(peer).is_guest},
    }
    for name, access in rights.items():
        handlers.request(name, **access)(lambda: None)
    SiteSettings.objects.update_or_create(pk=1, defaults={"guests_allowed": True})
    return handlers


@pytest.fixture
def shown(client):
    """The operations of the fixture above that the page shows, each without its `for`."""

    def shown():
        page = Page(client.get(ADDRESS).content.decode())
        prefix = "operation-for-"
        return {each.removeprefix(prefix) for each in page.all("id") if each and each.startswith(prefix)}

    return shown


def test_guest_sees_what_guests_may_call(guarded, shown):
    """A scope binds tokens only."""
    assert shown() == {"strangers", "people", "tokens"}


def test_person_sees_what_they_may_call(guarded, client, shown):
    """A permission counts from the moment that they have it."""
    alice = User.objects.create_user("alice", name="Alice")
    client.force_login(alice)
    assert shown() == {"strangers", "people", "tokens", "accounts"}
    alice.user_permissions.add(Permission.objects.get(content_type__app_label="chat", codename="change_room"))
    assert shown() == {"strangers", "people", "tokens", "accounts", "keepers"}


def test_banned_person_sees_what_strangers_may_call(guarded, client, shown):
    """As their connections are closed."""
    alice = User.objects.create_superuser("alice", name="Alice")
    Sanction.objects.create(user=alice, kind=Sanction.Kind.BAN)
    client.force_login(alice)
    assert shown() == {"strangers"}


def test_nothing_to_show(page, served):
    """A server without operations has a page."""
    assert page().all("data-kind") == []
