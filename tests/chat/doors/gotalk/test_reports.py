"""Reports: who makes and answers them, what they keep, and who is told."""

import pytest
from django.urls import reverse

from chat.models import Membership, Report, User
from chat.services.messages import remove_message


@pytest.fixture
def moderator(hall, alice):
    Membership.objects.create(room=hall, user=alice, role=Membership.Role.MODERATOR)
    return alice


def about(seq, **more):
    return {"room": "hall", "seq": seq, **more}


async def test_report_and_its_answer(chat, hall, moderator, bob, mallory):
    """The moderator is told and lists it with what was said around; the reporter is told the answer."""
    page, member, rude = await chat.open(moderator), await chat.open(bob), await chat.open(mallory)
    for number in range(8):
        posted = await rude.post("hall", f"line {number}")
    seq = posted["seq"] - 1
    await member.ask("report", about(seq, reason="rude"))
    told = await page.hears("moderated")
    assert (told["act"], told["room"], told["reason"]) == ("reported", "hall", "rude")
    (report,) = await page.ask("list-reports", "hall")
    assert (report["seq"], report["author"], report["reporter"], report["reason"]) == (
        seq,
        "Mallory",
        "Bob",
        "rude",
    )
    assert [each["body"] for each in report["context"]] == [f"line {number}" for number in range(1, 8)]
    await page.ask("answer-report", {"room": "hall", "id": report["id"], "answer": "it is gone"})
    told = await member.hears("moderated")
    assert (told["act"], told["reason"]) == ("answered", "it is gone")
    assert await page.ask("list-reports", "hall") == []
    again = {"room": "hall", "id": report["id"], "answer": "twice"}
    assert await page.refusal("answer-report", again) == "no_such_report"


async def test_report_keeps_what_was_said(chat, hall, moderator, bob, mallory):
    """Also when its author, or somebody else, removes it."""
    posted = await (await chat.open(mallory)).post("hall", "very rude")
    member = await chat.open(bob)
    await member.ask("report", about(posted["seq"], reason="rude"))
    await chat.elsewhere(remove_message, hall.pk, posted["seq"], by=mallory.pk)
    (report,) = await (await chat.open(moderator)).ask("list-reports", "hall")
    assert [each["body"] for each in report["context"]] == ["very rude"]
    assert await member.refusal("report", about(posted["seq"], reason="again")) == "no_such_message"


async def test_what_cannot_be_reported(chat, hall, cellar, alice, mallory):
    """What one does not see, one's own, and without a word why."""
    own, page = await chat.open(alice), await chat.open(mallory)
    hidden, shown = await own.post("cellar", "hidden"), await own.post("hall", "shown")
    assert await page.refusal("report", {"room": "cellar", "seq": hidden["seq"], "reason": "x"}) == "no_such_room"
    assert await own.refusal("report", about(shown["seq"], reason="x")) == "not_allowed"
    assert await page.refusal("report", about(shown["seq"], reason=" ")) == "no_reason"
    for _ in range(2):
        await page.ask("report", about(shown["seq"], reason="x"))
    assert await chat.elsewhere(Report.objects.count) == 1


async def test_reports_of_very_long_messages(chat, hall, moderator, bob, mallory):
    """As many as fit into an answer are listed; the others follow when these are answered."""
    page, member, rude = await chat.open(moderator), await chat.open(bob), await chat.open(mallory)
    posted = [await rude.post("hall", "界" * 16_000) for _ in range(5)]
    for each in posted:
        await member.ask("report", about(each["seq"], reason="long"))
    first = await page.ask("list-reports", "hall")
    assert [each["seq"] for each in first] == [each["seq"] for each in posted][: len(first)]
    assert 1 < len(first) < 5
    for each in first:
        await page.ask("answer-report", {"room": "hall", "id": each["id"]})
    rest = await page.ask("list-reports", "hall")
    assert rest and rest[0]["seq"] == posted[len(first)]["seq"]


async def test_reports_are_for_moderators_of_their_room(chat, hall, cellar, moderator, bob, mallory):
    """Neither a member nor the moderator of another room reads or answers them."""
    member, owner = await chat.open(bob), await chat.open(moderator)
    posted = await (await chat.open(mallory)).post("hall", "rude")
    await member.ask("report", about(posted["seq"], reason="rude"))
    assert await member.refusal("list-reports", "hall") == "not_allowed"
    report = await chat.elsewhere(Report.objects.get)
    assert await member.refusal("answer-report", {"room": "hall", "id": report.pk}) == "not_allowed"
    assert await owner.refusal("answer-report", {"room": "cellar", "id": report.pk}) == "no_such_report"


async def test_report_of_a_conversation_of_two_is_for_the_admins(chat, alice, bob, client):
    """It has no moderators: neither of the two answers the report of the other."""
    rude, page = await chat.open(alice), await chat.open(bob)
    room = (await rude.ask("open-direct", "Bob"))["name"]
    posted = await rude.post(room, "rude")
    await page.hears("rooms", lambda listed: room in listed)
    await page.ask("report", {"room": room, "seq": posted["seq"], "reason": "rude"})
    assert await page.refusal("list-reports", room) == "not_allowed"

    def answer():
        client.force_login(User.objects.create_superuser("root"))
        url = reverse("admin:chat_report_change", args=[Report.objects.get().pk])
        assert "rude" in client.get(url).content.decode()
        client.post(url, {"answer": "we talk to them"})

    await chat.elsewhere(answer)
    told = await page.hears("moderated")
    assert (told["act"], told["reason"]) == ("answered", "we talk to them")
