"""Two people who find each other: contacts, a conversation of their own, rooms by invitation, and the way out."""

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

A_SECOND = 1000
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.fixture
def pair(arrive) -> tuple[Visitor, Visitor]:
    """Two guests who have both said something, so that the server knows them."""
    tess, ulysses = arrive("animals"), arrive("animals")
    tess.say(f"{tess.name} is here")
    ulysses.say(f"{ulysses.name} is here")
    return tess, ulysses


def person(visitor: Visitor, other: str) -> Locator:
    return visitor.page.locator("#people-list").get_by_role("button", name=other)


def contact(visitor: Visitor, other: str) -> Locator:
    return visitor.page.locator("#contact-list .contact", has_text=other)


def choose(visitor: Visitor, other: str, choice: str) -> None:
    """On the card of a person in the list of people."""
    person(visitor, other).click()
    visitor.page.get_by_role("dialog", name=other).get_by_role("button", name=choice).click()


def turn_to(visitor: Visitor, other: str) -> None:
    """Open the conversation with a person."""
    choose(visitor, other, "Message")
    expect(visitor.page.locator("#room-name")).to_contain_text(other)


def direct_room(visitor: Visitor, other: str) -> Locator:
    return visitor.page.locator("#direct-list .room", has=visitor.page.get_by_text(other, exact=True))


def create(visitor: Visitor, name: str, *, private: bool) -> None:
    visitor.page.locator("#create-room").click()
    visitor.page.get_by_label("Name", exact=True).fill(name)
    visitor.page.locator("#create-dialog [name=private]").set_checked(private)
    visitor.page.get_by_role("button", name="Create", exact=True).click()
    expect(visitor.page.locator("#room-name")).to_contain_text(name)


def invite(visitor: Visitor, other: str) -> None:
    visitor.page.locator("#open-details").click()
    visitor.page.get_by_role("button", name="Invite…").click()
    dialog = visitor.page.get_by_role("dialog", name="Invite to this room")
    dialog.get_by_label("Name").fill(other)
    dialog.get_by_role("button", name="Invite", exact=True).click()
    expect(dialog).to_be_hidden()


def test_one_asks_and_the_other_accepts(pair):
    """The request waits where it is seen; both have a contact then, and either ends it for both."""
    tess, ulysses = pair
    choose(tess, ulysses.name, "Add contact")
    expect(contact(tess, ulysses.name)).to_contain_text("asked")
    expect(ulysses.page.locator("#contact-count")).to_contain_text("1 request", timeout=A_SECOND)
    expect(ulysses.page.locator("#contact-news")).to_contain_text(f"{tess.name}")
    ulysses.page.get_by_role("button", name=re.compile("Accept the request")).click()
    expect(ulysses.page.locator("#contact-count")).to_be_hidden()
    for visitor, other in ((tess, ulysses.name), (ulysses, tess.name)):
        expect(contact(visitor, other)).to_have_class(re.compile("friends"))
    ulysses.reload()
    contact(ulysses, tess.name).click()
    ulysses.page.get_by_role("button", name="Remove contact").click()
    expect(contact(tess, ulysses.name)).to_have_count(0)
    expect(contact(ulysses, tess.name)).to_have_count(0)


def test_one_asks_by_name_and_the_other_declines(pair):
    """The request is gone for both; who was declined may not write either."""
    tess, ulysses = pair
    tess.page.locator("#add-contact").click()
    dialog = tess.page.get_by_role("dialog", name="Add a contact")
    dialog.get_by_label("Name").fill("nobody at all")
    dialog.get_by_role("button", name="Ask").click()
    expect(dialog.get_by_role("alert")).to_be_visible()
    dialog.get_by_label("Name").fill(ulysses.name)
    dialog.get_by_role("button", name="Ask").click()
    expect(dialog).to_be_hidden()
    ulysses.page.get_by_role("button", name=re.compile("Decline the request")).click()
    expect(contact(ulysses, tess.name)).to_have_count(0)
    expect(contact(tess, ulysses.name)).to_have_count(0)
    person(tess, ulysses.name).click()
    card = tess.page.get_by_role("dialog", name=ulysses.name)
    expect(card).to_contain_text("here now")
    expect(card.locator("[data-choice]")).to_have_count(0)


def test_two_talk_to_each_other_alone(arrive, pair):
    """The first message brings the room, under the other's name, unseen; nobody else sees it."""
    tess, ulysses = pair
    mallory = arrive("animals")
    turn_to(tess, ulysses.name)
    expect(direct_room(ulysses, tess.name)).to_have_count(0)
    tess.say("just us?")
    expect(direct_room(ulysses, tess.name).locator('.count [aria-hidden="true"]')).to_have_text(
        "1", timeout=A_SECOND
    )
    direct_room(ulysses, tess.name).click()
    ulysses.sees("just us?")
    expect(ulysses.page).to_have_title(f"{tess.name} · Hubtalk")
    ulysses.say("just us")
    tess.sees("just us")
    expect(mallory.page.locator("#direct-list .room")).to_have_count(0)


def test_nobody_is_listed_twice(pair):
    """Who is a contact and has a direct room stands there once, with a face; a request is answered beside it."""
    tess, ulysses = pair
    turn_to(tess, ulysses.name)
    tess.say("may I?")
    expect(direct_room(ulysses, tess.name)).to_be_visible()
    choose(ulysses, tess.name, "Add contact")
    tess.page.get_by_role("button", name=re.compile("Accept the request")).click()
    expect(tess.page.locator("#contact-count")).to_be_hidden()
    for visitor, other in ((tess, ulysses.name), (ulysses, tess.name)):
        section = visitor.page.locator("#contacts")
        expect(section.get_by_text(other, exact=True)).to_have_count(1)
        expect(direct_room(visitor, other).locator(".avatar")).to_be_visible()


def test_other_name_is_the_rooms_name_at_once(pair):
    """In the list and over the conversation."""
    tess, ulysses = pair
    turn_to(tess, ulysses.name)
    ulysses.page.locator("#me").click()
    ulysses.page.get_by_label("Another name").fill("Odysseus 9")
    ulysses.page.get_by_role("button", name="Rename").click()
    expect(tess.page.locator("#room-name")).to_contain_text("Odysseus 9", timeout=A_SECOND)
    expect(direct_room(tess, "Odysseus 9")).to_be_visible()


def test_hidden_conversation_comes_back_with_a_message(pair):
    """It is out of sight until then."""
    tess, ulysses = pair
    turn_to(tess, ulysses.name)
    tess.say("hello")
    direct_room(ulysses, tess.name).click()
    ulysses.sees("hello")
    ulysses.page.locator("#open-details").click()
    ulysses.page.get_by_role("button", name="Hide conversation").click()
    expect(direct_room(ulysses, tess.name)).to_have_count(0)
    tess.say("still there?")
    expect(direct_room(ulysses, tess.name)).to_be_visible(timeout=A_SECOND)
    direct_room(ulysses, tess.name).click()
    ulysses.sees("still there?")


def test_who_is_removed_from_a_private_room_loses_it_at_once(pair):
    """An owner invites and removes; the page of who was removed says that the room is gone."""
    tess, ulysses = pair
    create(tess, "the back room", private=True)
    invite(tess, ulysses.name)
    ulysses.go("the back room")
    ulysses.say("nice place")
    choose(tess, ulysses.name, "Remove from room…")
    dialog = tess.page.get_by_role("dialog", name=re.compile("^Remove"))
    dialog.get_by_label("Reason").fill("private talk")
    dialog.get_by_role("button", name="Remove", exact=True).click()
    expect(ulysses.page.locator("#empty")).to_contain_text("was removed, or you may no longer", timeout=A_SECOND)
    expect(ulysses.page.locator(".room", has_text="the back room")).to_have_count(0)
    expect(person(tess, ulysses.name)).to_have_count(0)


def test_by_keyboard_a_card_opens_moves_and_gives_the_focus_back(pair):
    """Enter opens it at the first choice, arrows move, Escape leads back to the person."""
    tess, ulysses = pair
    person(tess, ulysses.name).focus()
    tess.page.keyboard.press("Enter")
    card = tess.page.get_by_role("dialog", name=ulysses.name)
    expect(card.get_by_role("button", name="Message")).to_be_focused()
    tess.page.keyboard.press("ArrowDown")
    expect(card.get_by_role("button", name="Add contact")).to_be_focused()
    tess.page.keyboard.press("Escape")
    expect(card).to_be_hidden()
    expect(person(tess, ulysses.name)).to_be_focused()


def test_on_a_phone_a_request_counts_at_the_way_to_the_rooms(arrive):
    """The list is hidden, what waits in it is not."""
    tess, ulysses = arrive("animals"), arrive("animals", **PHONE)
    for visitor in (tess, ulysses):
        visitor.say(f"{visitor.name} has a phone, or not")
    choose(tess, ulysses.name, "Add contact")
    way = ulysses.page.get_by_role("button", name="Rooms, 1 request")
    expect(way).to_be_visible(timeout=A_SECOND)
    way.tap()
    ulysses.page.get_by_role("button", name=re.compile("Accept the request")).tap()
    expect(contact(tess, ulysses.name)).to_have_class(re.compile("friends"))
    assert ulysses.page.evaluate("document.documentElement.scrollWidth") == 390
