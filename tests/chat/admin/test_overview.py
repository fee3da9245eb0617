"""The first page of the admin: figures of now, and what waits for staff."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse
from django.utils import timezone

from chat.admin import overview
from chat.models import Connection, Message, Process, Report, Sanction
from tests.chat.admin.conftest import post

HEIGHT = overview.PLOT_HEIGHT


def shown(client):
    """The section of the figures, without its tags, and the bars of its plot from the left: their heights."""
    html = client.get(reverse("admin:index")).content.decode()
    section = html.split('<section class="overview"')[1].split("</section>")[0]
    bars = [int(height) for height in re.findall(r'<rect [^>]*height="(\d+)"', section)]
    return " ".join(re.sub(r"<[^>]*>", " ", section.split(">", 1)[1]).split()), bars


def connect(process, key, door):
    Connection.objects.create(
        process=process, key=f"{key}{door}", person_key=key, name=key, name_key=key, name_look=key, door=door
    )


def test_who_is_here_and_through_which_door(admin_client):
    """People once, however many windows they have; those of a process that is gone are gone."""
    live, dead = Process.objects.create(key="live"), Process.objects.create(key="dead")
    Process.objects.filter(pk="dead").update(seen_at=timezone.now() - timedelta(minutes=5))
    for key, door in [("u1", "gotalk"), ("u1", "text"), ("u2", "gotalk")]:
        connect(live, key, door)
    connect(dead, "u3", "push")
    text, _ = shown(admin_client)
    assert text.startswith("2 people here gotalk 2 text 1 ")


def test_messages_of_the_last_hour(admin_client, room, alice, monkeypatch):
    """A bar for each minute, the latest on the right; older ones do not count."""
    monkeypatch.setattr(overview, "MOST_MESSAGES", 10)
    for minutes in (90, 59, 0, 0):
        message = post(room, alice, "hello")
        at = timezone.now() - timedelta(minutes=minutes, seconds=1)
        Message.objects.filter(pk=message.pk).update(created_at=at)
    text, bars = shown(admin_client)
    assert "3 messages in the last hour" in text
    assert bars == [HEIGHT // 2, *[0] * (overview.MINUTES - 2), HEIGHT]


def test_more_messages_than_are_counted(admin_client, room, alice, monkeypatch):
    """The page does not count on; it says that there are more."""
    monkeypatch.setattr(overview, "MOST_MESSAGES", 2)
    for _ in range(3):
        post(room, alice, "hello")
    assert "2+ messages in the last hour" in shown(admin_client)[0]


def test_what_waits_for_staff(admin_client, message, alice, admin_user):
    """Reports without an answer, and what is in force; what is done with is not there."""
    Report.objects.create(message=message, reporter=admin_user, reason="rude")
    Report.objects.create(message=message, reporter=alice, reason="settled", answered_at=timezone.now())
    Sanction.objects.create(user=alice, kind=Sanction.Kind.MUTE)
    Sanction.objects.create(user=alice, kind=Sanction.Kind.BAN, lifted_at=timezone.now())
    text, _ = shown(admin_client)
    assert "animals: rude" in text and "settled" not in text
    assert "Alice: mute until it is lifted" in text and "ban" not in text.split("in force")[1]


@pytest.mark.parametrize(("right", "words"), [("view_report", "Reports"), ("view_sanction", "Mutes and bans")])
def test_staff_see_what_they_have_a_right_to(client, mallory, message, right, words):
    """Figures are for all of them; lists need the right to view what is in them."""
    client.force_login(mallory)
    assert words not in shown(client)[0]
    mallory.user_permissions.add(Permission.objects.get(codename=right))
    assert words in shown(client)[0]


def test_others_are_asked_to_log_in(client, alice):
    """As on every page of the admin."""
    client.force_login(alice)
    assert client.get(reverse("admin:index")).status_code == 302
