"""Two-factor log-in: the second step, the page that sets it up, and staff who have to."""

import re
import time

import pytest
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from pyotp import TOTP

from chat.models import Act, LogInAttempts, Room, SecondFactor, SiteSettings, User
from chat.queries.guests import GUEST_USER
from chat.services.entry import second_factors
from chat.services.entry.log_ins import MOST
from chat.web.second_factor.step import HALF, HALF_SECONDS

PASSWORD = "correct horse battery"
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
PAGE = "/settings/two-factor/"
STEP = "/accounts/login/code/"
TOO_MANY = "Too many wrong passwords or codes"
BY_BOTH = MOST[LogInAttempts.By.BOTH]


@pytest.fixture(autouse=True)
def quick_passwords(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def alice(db):
    SiteSettings.objects.create(pk=1, guests_allowed=True)
    return User.objects.create_user("alice", password=PASSWORD, name="Alice")


@pytest.fixture
def codes(alice):
    """Alice's recovery codes: she has a second factor."""
    return second_factors.switch_on(alice, SECRET, 0)


def shown(secret=SECRET):
    return TOTP(secret).now()


def log_in(client, password=PASSWORD, **more):
    return client.post(reverse("login"), {"username": "alice", "password": password, **more})


def is_in(client):
    return "_auth_user_id" in client.session


def errors(response):
    assert response.status_code == 200
    return response.context["form"].errors


# The second step


def test_log_in_takes_the_password_and_then_a_code(client, codes):
    """Neither alone; afterwards one is where one wanted to go."""
    response = log_in(client, next="/console/")
    assert response.headers["Location"] == f"{STEP}?next=/console/"
    assert not is_in(client)
    page = client.get(response.headers["Location"])
    assert 'autocomplete="one-time-code"' in page.content.decode()
    response = client.post(STEP, {"code": shown(), "next": "/console/"})
    assert response.headers["Location"] == "/console/"
    assert is_in(client)
    assert HALF not in client.session


def test_recovery_code_stands_for_one_of_the_app(client, codes):
    """Once."""
    log_in(client)
    assert client.post(STEP, {"code": codes[0]}).headers["Location"] == "/"
    other = Client()
    log_in(other)
    assert "code" in errors(other.post(STEP, {"code": codes[0]}))


def test_person_without_second_factor_is_not_asked(client, alice):
    """As before."""
    assert log_in(client).headers["Location"] == "/"
    assert is_in(client)


@pytest.mark.parametrize("code", ["", "000000", "aaaa-aaaa-aaaa-aaaa", "x" * 1000, "\0"])
def test_wrong_code(client, codes, code):
    """Nobody is in, and they may try again."""
    log_in(client)
    assert "code" in errors(client.post(STEP, {"code": code}))
    assert not is_in(client)


def test_second_step_without_the_first(client, codes):
    """A right code alone is nothing: the log-in begins with the password."""
    response = client.post(f"{STEP}?next=/console/", {"code": shown()})
    assert response.headers["Location"] == "/accounts/login/?next=/console/"
    assert not is_in(client)


def test_first_step_of_a_wrong_password_is_none(client, codes):
    """The code is not asked for, and does not help."""
    log_in(client, "wrong")
    assert client.post(STEP, {"code": shown()}).status_code == 302
    assert not is_in(client)


@pytest.mark.parametrize(
    "meanwhile",
    [
        lambda user: User.objects.filter(pk=user.pk).update(is_active=False),
        lambda user: (user.set_password("staple battery 42"), user.save()),
        second_factors.switch_off,
    ],
    ids=["switched off", "new password", "no second factor"],
)
def test_what_changed_between_the_steps(client, alice, codes, meanwhile):
    """Whoever may not log in by this password any more does not by a code."""
    log_in(client)
    meanwhile(alice)
    assert client.post(STEP, {"code": codes[0]}).headers["Location"].startswith("/accounts/login/?")
    assert not is_in(client)


def test_half_a_log_in_is_kept_for_ten_minutes(client, codes):
    """Then it begins anew."""
    log_in(client)
    session = client.session
    session[HALF] = {**session[HALF], "at": time.time() - HALF_SECONDS - 1}
    session.save()
    assert client.post(STEP, {"code": shown()}).status_code == 302
    assert not is_in(client)


def test_address_that_leads_elsewhere_is_not_followed(client, codes):
    """The way back is one of this site."""
    assert "evil" not in log_in(client, next="https://evil.example/").headers["Location"]
    assert client.post(STEP, {"code": shown(), "next": "https://evil.example/"}).headers["Location"] == "/"


def test_session_that_somebody_planted_does_not_come_along(client, codes):
    """Its key changes with each of the two steps."""
    client.get("/")
    keys = [client.session.session_key]
    log_in(client)
    keys.append(client.session.session_key)
    client.post(STEP, {"code": shown()})
    keys.append(client.session.session_key)
    assert len(set(keys)) == 3
    assert [*Session.objects.values_list("pk", flat=True)] == keys[2:]


def test_what_a_guest_wrote_stays_with_their_browser(client, codes):
    """As by the password alone."""
    client.get("/")
    session = client.session
    session[GUEST_USER] = 4711
    session.save()
    log_in(client)
    client.post(STEP, {"code": shown()})
    assert client.session[GUEST_USER] == 4711


def test_who_is_in_is_not_asked_again(client, alice, codes):
    """The page of the second step leads on."""
    client.force_login(alice)
    assert client.get(f"{STEP}?next=/console/").headers["Location"] == "/console/"


def test_session_of_before_stays(client, alice):
    """What was open when the second factor came is open."""
    client.force_login(alice)
    second_factors.switch_on(alice, SECRET, 0)
    assert client.get("/settings/").status_code == 200


# Guessing


def test_guessing_codes(client, codes):
    """They count as passwords do: in the end the right one is not looked at."""
    log_in(client)
    for _ in range(BY_BOTH):
        assert TOO_MANY not in str(errors(client.post(STEP, {"code": "000000"})))
    assert TOO_MANY in str(errors(client.post(STEP, {"code": codes[0]})))
    assert not is_in(client)


def test_right_password_frees_no_further_guesses(client, codes):
    """Mallory, who knows it, sends it before each code, in a new session each time."""
    for _ in range(BY_BOTH):
        mallory = Client()
        assert log_in(mallory).status_code == 302
        client.cookies = mallory.cookies
        assert "code" in errors(client.post(STEP, {"code": "000000"}))
    assert TOO_MANY in str(errors(log_in(Client())))
    assert TOO_MANY in str(errors(client.post(STEP, {"code": codes[0]})))


def test_right_code_forgets_the_wrong_ones(client, codes):
    """Who mistypes now and then is not locked out, and a log-in of two steps leaves no count."""
    log_in(client)
    client.post(STEP, {"code": "000000"})
    client.post(STEP, {"code": codes[0]})
    assert {each.by: each.count for each in LogInAttempts.objects.all()} == {"name": 1, "address": 1, "both": 0}


def test_both_steps_are_logged(client, codes, caplog):
    """A wrong code is a sign that somebody knows the password; no code is in the log."""
    caplog.set_level("INFO", "hubtalk.log_in")
    log_in(client)
    client.post(STEP, {"code": "000000"})
    client.post(STEP, {"code": codes[0]})
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("INFO", "log-in of alice from 127.0.0.1: right password, a code is asked for"),
        ("WARNING", "log-in of alice from 127.0.0.1: wrong code"),
        ("WARNING", "second factor of alice: a recovery code was used"),
        ("INFO", "log-in of alice from 127.0.0.1"),
    ]


# The page


@pytest.fixture
def page(client, alice):
    client.force_login(alice)
    return client


def offered(page):
    """The secret that the page shows as text."""
    html = page.get(PAGE).content.decode()
    return "".join(re.findall(r"<span>([A-Z2-7]{4})</span>", html))


def test_switch_it_on(page, alice):
    """By a code of the app that got the secret, and the password; ten recovery codes are shown, once."""
    secret = offered(page)
    response = page.post(PAGE, {"code": shown(secret), "password": PASSWORD})
    codes = re.findall(r"[a-z2-7]{4}(?:-[a-z2-7]{4}){3}", response.content.decode())
    assert len(codes) == 10
    assert "no-store" in response["Cache-Control"]
    later = page.get(PAGE).content.decode()
    assert "10 recovery codes left" in later
    assert not any(code in later for code in codes)
    assert secret not in later.replace("</span> <span>", "")
    assert second_factors.use(alice, codes[0])
    assert SecondFactor.objects.get().secret == secret


def test_secret_is_a_picture_too(page):
    """A QR code of the address that apps know, drawn in the page: nothing is loaded, and no style is inline."""
    html = page.get(PAGE).content.decode()
    svg = re.search(r"<svg.*?</svg>", html, re.DOTALL)[0]
    assert "<path" in svg and "style=" not in svg and "http" not in svg
    address = second_factors.address_for_app(User.objects.get(), offered(page))
    assert address == f"otpauth://totp/Hubtalk:alice?secret={offered(page)}&issuer=Hubtalk"


def test_secret_stays_until_it_is_confirmed(page):
    """Who mistypes does not have to read another picture."""
    secret = offered(page)
    assert "code" in errors(page.post(PAGE, {"code": "000000", "password": PASSWORD}))
    assert offered(page) == secret
    assert not SecondFactor.objects.exists()


@pytest.mark.parametrize("given", [{"password": "wrong"}, {"password": ""}, {}])
def test_open_page_is_not_enough_to_lock_its_person_out(page, given):
    """Whoever finds it open has an app, but not the password; and does not guess it here."""
    secret = offered(page)
    assert "password" in errors(page.post(PAGE, {"code": shown(secret), **given}))
    assert not SecondFactor.objects.exists()
    for _ in range(BY_BOTH):
        page.post(PAGE, {"code": shown(secret), "password": "wrong"})
    assert TOO_MANY in str(errors(page.post(PAGE, {"code": shown(secret), "password": PASSWORD})))


def test_person_without_a_password_is_not_asked_for_it(page, alice):
    """Their browser's session is what they have; to switch it off takes a code."""
    alice.set_unusable_password()
    alice.save()
    page.force_login(alice)
    page.post(PAGE, {"code": shown(offered(page))})
    assert SecondFactor.objects.exists()
    assert "proof" in errors(page.post(PAGE, {"proof": "", "off": "yes"}))
    assert "proof" in errors(page.post(PAGE, {"proof": PASSWORD, "off": "yes"}))


@pytest.mark.parametrize("proof", ["password", "app", "paper"])
@pytest.mark.parametrize("button", ["off", "codes"])
def test_change_takes_the_password_or_a_code(page, alice, codes, proof, button):
    """To switch it off, and to make new recovery codes."""
    given = {"password": PASSWORD, "app": shown(), "paper": codes[5]}[proof]
    response = page.post(PAGE, {"proof": given, button: "yes"})
    assert SecondFactor.objects.exists() == (button == "codes")
    if button == "codes":
        new = re.findall(r"[a-z2-7]{4}(?:-[a-z2-7]{4}){3}", response.content.decode())
        assert len(new) == 10 and not {*new} & {*codes}
    else:
        assert log_in(Client()).headers["Location"] == "/"


def test_open_page_is_not_enough_to_switch_it_off(page, codes):
    """Nor may the password be guessed here."""
    for _ in range(BY_BOTH):
        assert "proof" in errors(page.post(PAGE, {"proof": "wrong", "off": "yes"}))
    assert TOO_MANY in str(errors(page.post(PAGE, {"proof": PASSWORD, "off": "yes"})))
    assert SecondFactor.objects.exists()


def test_guests_are_led_to_the_log_in(client, alice):
    """They have no account to protect."""
    assert client.get(PAGE).headers["Location"] == f"/accounts/login/?next={PAGE}"
    assert client.post(PAGE, {"code": "000000"}).status_code == 302


def test_settings_say_whether_it_is_on(page, alice):
    """And lead to the page."""
    assert "It is off" in page.get("/settings/").content.decode()
    second_factors.switch_on(alice, SECRET, 0)
    html = page.get("/settings/").content.decode()
    assert "It is on" in html and PAGE in html


# Staff


@pytest.fixture
def root(alice):
    return User.objects.create_superuser("root", password=PASSWORD)


@pytest.fixture
def needed(alice):
    SiteSettings.objects.update(staff_need_two_factors=True)


@pytest.mark.parametrize("path", ["/admin/", "/admin/chat/room/", "/admin/jsi18n/", "/admin/nowhere/"])
def test_admin_opens_to_staff_with_two_factors(client, root, needed, path):
    """Before they have set it up nothing does."""
    client.force_login(root)
    assert client.get(path).headers["Location"] == PAGE
    assert "people with two-factor log-in only" in client.get(PAGE).content.decode()
    second_factors.switch_on(root, SECRET, 0)
    assert client.get(path).status_code in (200, 404)


def test_form_that_is_sent_to_the_admin_does_nothing(client, root, needed):
    """Not only pages are closed."""
    client.force_login(root)
    fields = {"name": "cellar", "kind": "public", "slow_mode_seconds": "0"}
    assert client.post("/admin/chat/room/add/", fields).headers["Location"] == PAGE
    assert not Room.objects.exists()


def test_people_who_are_no_staff_are_refused_as_before(page, needed):
    """Another factor would not help them."""
    assert page.get("/admin/", follow=True).status_code == 403
    assert page.get("/settings/").status_code == 200


def test_site_decides_whether_staff_need_it(client, root):
    """It is off until somebody who may change the settings switches it on, which is in the log."""
    client.force_login(root)
    assert client.get("/admin/").status_code == 200
    page = client.get("/admin/chat/sitesettings/1/change/")
    fields = {name: value for name, value in page.context["adminform"].form.initial.items() if value is not False}
    client.post("/admin/chat/sitesettings/1/change/", {**fields, "staff_need_two_factors": "on"})
    assert SiteSettings.objects.get().staff_need_two_factors
    assert Act.objects.get().changes[0]["after"] == {"staff_need_two_factors": True}
    assert client.get("/admin/").headers["Location"] == PAGE


def reset(client, *people):
    data = {"action": "reset_second_factor", "_selected_action": [each.pk for each in people]}
    return client.post(reverse("admin:chat_user_changelist"), data)


def test_staff_reset_the_second_factor_of_another(client, alice, codes, root):
    """Who lost both app and paper logs in by the password, and the log says who let them."""
    client.force_login(root)
    reset(client, alice)
    act = Act.objects.get()
    assert (act.kind, act.by, act.person, act.door) == ("two-factor", root, alice, "admin")
    assert SECRET not in str(act.changes)
    assert log_in(Client()).headers["Location"] == "/"


def test_reset_of_a_person_without_is_none(client, alice, root):
    """Nothing was done, and the log says nothing."""
    client.force_login(root)
    reset(client, alice)
    assert not Act.objects.exists()


def test_own_second_factor_is_not_reset_in_the_admin(client, root):
    """Whoever finds the admin open would need neither password nor code."""
    second_factors.switch_on(root, SECRET, 0)
    client.force_login(root)
    reset(client, root)
    assert SecondFactor.objects.exists()


def test_reset_by_a_command(codes):
    """For a superuser who lost both: whoever has the machine may. It is in the log, in nobody's name."""
    call_command("reset_second_factor", "alice")
    assert not SecondFactor.objects.exists()
    act = Act.objects.get()
    assert (act.kind, act.by, act.person_name) == ("two-factor", None, "Alice")
    for name, words in (("alice", "no second factor"), ("nobody", "nobody logs in")):
        with pytest.raises(CommandError, match=words):
            call_command("reset_second_factor", name)
