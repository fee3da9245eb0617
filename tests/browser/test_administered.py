"""What an administrator changes is so on every open page at once."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

A_SECOND = 1000
PASSWORD = "a long enough phrase 42"


BAN = """
from chat.models import User
from chat.services.moderation import impose
impose(User.objects.get(name="%s").pk, "ban", room_id=None, by=None, reason="spam")
"""


@pytest.fixture(scope="module")
def admin(site, browser):
    """The first visitor became the admin through the link that the server printed."""
    page = browser.new_context().new_page()
    page.goto(site.setup_url)
    page.locator("[name=username]").fill("boss")
    for field in ("password1", "password2"):
        page.locator(f"[name={field}]").fill(PASSWORD)
    page.locator("form [type=submit]").click()
    page.wait_for_url(f"{site.url}/**")
    yield page
    page.context.close()


def change(admin: Page, url: str, room: str, field: str, value: str | bool) -> None:
    """Change one field of a room on its page of the admin."""
    admin.goto(f"{url}/admin/chat/room/")
    admin.locator("#result_list").get_by_role("link", name=room, exact=True).click()
    admin.wait_for_url("**/change/**")
    control = admin.locator(f"[name={field}]")
    if isinstance(value, bool):
        control.set_checked(value)
    elif control.evaluate("(field) => field.tagName") == "SELECT":
        control.select_option(value)
    else:
        control.fill(value)
    admin.locator("[name=_save]").click()
    admin.wait_for_url("**/admin/chat/room/")


def test_a_topic_and_a_new_name_follow(arrive, admin, site):
    """The head, the list and the address change; one goes on talking in the same room."""
    tess = arrive("golang")
    change(admin, site.url, "golang", "topic", "Gophers & friends")
    expect(tess.page.locator("#room-topic")).to_have_text("Gophers & friends", timeout=A_SECOND)
    change(admin, site.url, "golang", "name", "gophers")
    expect(tess.page.locator("#room-name")).to_contain_text("gophers", timeout=A_SECOND)
    assert tess.page.url.endswith("#gophers")
    tess.say("still here")
    tess.reload()
    tess.sees("still here")


def test_a_room_that_becomes_read_only_says_so(arrive, admin, site):
    """The field makes room for the reason, and comes back with the draft."""
    tess = arrive("jokes")
    tess.field.fill("knock knock")
    change(admin, site.url, "jokes", "read_only", True)
    closed = tess.page.get_by_text("Only moderators may post in this room.")
    expect(closed).to_be_visible(timeout=A_SECOND)
    expect(tess.field).to_be_hidden()
    change(admin, site.url, "jokes", "read_only", False)
    expect(tess.field).to_be_visible(timeout=A_SECOND)
    expect(tess.field).to_have_value("knock knock")


def test_a_room_that_becomes_private_is_left_with_an_explanation(arrive, admin, site):
    """Who is no member sees nothing more of it, and why."""
    tess = arrive("animals")
    tess.say("said in public")
    visitor = arrive("animals")
    visitor.sees("said in public")
    change(admin, site.url, "animals", "kind", "private")
    expect(visitor.page.locator("#empty")).to_contain_text(
        "was removed, or you may no longer see it", timeout=A_SECOND
    )
    expect(visitor.page.get_by_text("said in public")).to_have_count(0)
    assert "animals" not in visitor.rooms
    change(admin, site.url, "animals", "kind", "public")
    visitor.sees("said in public")


def test_a_room_that_is_archived_can_be_read(arrive, admin, site):
    """By those who never were its members too, on the open page and when they come again; it says so."""
    tess = arrive("jokes")
    tess.say("worth keeping")
    visitor, elsewhere = arrive("jokes"), arrive("animals")
    change(admin, site.url, "jokes", "archived", True)
    closed = "This room is archived: you can read it, but nobody can post in it."
    for each in (tess, visitor):
        expect(each.page.get_by_text(closed)).to_be_visible()
        expect(each.field).to_be_hidden()
        each.sees("worth keeping")
        each.page.reload()
        expect(each.page.get_by_text(closed)).to_be_visible()
        each.sees("worth keeping")
    expect(elsewhere.page.locator(".room.archived .name")).to_have_text("jokes")
    change(admin, site.url, "jokes", "archived", False)
    for each in (tess, visitor):
        expect(each.field).to_be_visible()
    visitor.say("open again")
    tess.sees("open again")


def test_a_visitor_who_gets_an_account_stays_in_the_room(arrive, admin, site):
    """Also in one that is archived meanwhile: with an account of their own, in another tab."""
    vera = arrive("jokes")
    vera.say("my first words")
    vera.go("animals")
    change(admin, site.url, "animals", "archived", True)
    expect(vera.field).to_be_hidden()
    # The first of the rooms that are not archived.
    assert arrive().page.url.endswith("#jokes")
    second = Visitor.arrive(vera.page.context.new_page(), site.url, "jokes")
    second.page.goto(f"{site.url}/accounts/signup/")
    second.page.locator("[name=username]").fill("vera")
    for field in ("password1", "password2"):
        second.page.locator(f"[name={field}]").fill(PASSWORD)
    second.page.locator("form [type=submit]").click()
    second.go("animals")
    for page in (vera.page, second.page):
        assert "animals" in page.locator(".room .name").all_inner_texts()
        expect(page.locator("#room-name")).to_contain_text("animals")
        expect(page.locator("#empty")).not_to_contain_text("was removed")
    change(admin, site.url, "animals", "archived", False)
    expect(second.field).to_be_visible()
    second.say("still here")
    vera.sees("still here")
    assert second.complaints == []


def test_a_room_that_is_deleted_is_left_with_an_explanation(arrive, admin, site):
    """The admin is told how much goes with it, and every open page that it went."""
    tess, visitor = arrive("jokes"), arrive("jokes")
    tess.page.locator("#create-room").click()
    tess.page.get_by_label("Name", exact=True).fill("attic")
    tess.page.get_by_role("button", name="Create", exact=True).click()
    expect(tess.page.locator("#room-name")).to_contain_text("attic")
    tess.say("old things")
    visitor.go("attic")
    visitor.sees("old things")
    admin.goto(f"{site.url}/admin/chat/room/")
    admin.locator("#result_list").get_by_role("link", name="attic", exact=True).click()
    admin.get_by_role("link", name="Delete", exact=True).click()
    expect(admin.locator("#content")).to_contain_text("Messages: 1")
    admin.locator("#content [type=submit]").click()
    expect(admin.locator(".success")).to_be_visible()
    for each in (tess, visitor):
        expect(each.page.locator("#empty")).to_contain_text("was removed, or you may no longer")
        expect(each.page.get_by_text("old things")).to_have_count(0)
        assert "attic" not in each.rooms


def test_a_message_that_a_moderator_removes_is_gone_everywhere(arrive, admin, site):
    """The moderator gives a reason; everyone keeps a tombstone."""
    tess = arrive("animals")
    tess.say("something rude")
    moderator = Visitor.arrive(admin.context.new_page(), site.url, "animals")
    moderator.act("something rude", "delete")
    moderator.page.get_by_label("Reason, for the record").fill("rude")
    moderator.page.locator("#delete-dialog").get_by_role("button", name="Delete").click()
    expect(tess.page.get_by_text("something rude")).to_have_count(0, timeout=A_SECOND)
    tess.sees("message removed")
    assert moderator.complaints == []


def test_who_logs_out_in_one_page_is_told_in_the_others(arrive, admin, site):
    """No page goes on as someone who has left."""
    other = Visitor.arrive(admin.context.new_page(), site.url, "jokes")
    leaving = Visitor.arrive(admin.context.new_page(), site.url, "jokes")
    leaving.page.locator("#me").click()
    leaving.page.get_by_role("button", name="Log out").click()
    expect(other.page.locator("#connection")).to_contain_text("You were signed out.", timeout=A_SECOND)
    expect(other.field).to_be_hidden()
    assert other.complaints == []


def test_who_is_banned_is_told_that_and_nothing_else(arrive, site):
    """At once, and when they load the page again: it does not seem to connect."""
    mallory = arrive("animals")
    mallory.say("spam")
    site.manage("shell", "-v0", "-c", BAN % mallory.name)
    said = mallory.page.locator("#connection")
    expect(said).to_contain_text("You may not enter this site: you are banned: spam.")
    mallory.page.reload()
    expect(said).to_contain_text("You may not enter this site: you are banned: spam.")
    expect(mallory.page.locator("#talk")).not_to_contain_text("Connecting")
