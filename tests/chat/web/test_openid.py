"""Logging in by OpenID Connect: who gets in as whom, and what strangers, and providers, cannot make of it."""

import base64
import hmac
import json
import re
import threading
from http.cookies import SimpleCookie
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from django.db import connection
from django.test import Client
from django.urls import reverse

from chat.models import OpenIdentity, Sanction, SiteSettings, User
from chat.queries.guests import GUEST_USER
from chat.services import moderation
from chat.services.accounts import open_guest_account
from chat.services.entry import second_factors
from chat.web.openid import asking, attempt, provider
from tests.deadlines import DEADLINE
from tests.openid_provider import CLIENT_ID, CLIENT_SECRET, EC, FOREIGN, RSA, Provider
from tests.proxy.client import Browser
from tests.server import Server

GO, BACK, LOG_IN = "/accounts/openid/", "/accounts/openid/back/", "/accounts/login/"
NOT_LOGGED_IN = "You were not logged in"
UNAVAILABLE = "does not answer as it should"
NO_ACCOUNTS = "This site does not accept new accounts"
LONG_AGO, FAR_OFF = 1_000_000_000, 4_000_000_000
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


@pytest.fixture
def there(settings, monkeypatch):
    """The provider, which the site knows."""
    monkeypatch.setattr(provider, "_found", provider._Found())
    with Provider() as running:
        settings.OPENID_ISSUER, settings.OPENID_NAME = running.issuer, "Example"
        settings.OPENID_CLIENT_ID, settings.OPENID_CLIENT_SECRET = CLIENT_ID, CLIENT_SECRET
        yield running


@pytest.fixture
def site(db):
    """It takes new people from the provider, and nobody by its own form."""
    return SiteSettings.objects.create(pk=1, guests_allowed=True, sign_up_by_openid=True)


@pytest.fixture
def alice(site, there):
    """Somebody who logged in before."""
    alice = User.objects.create_user("alice", name="Alice")
    OpenIdentity.objects.create(user=alice, issuer=there.issuer, subject="alice-1")
    return alice


def begin(client, **query):
    """Press the button; returns where it leads."""
    response = client.get(GO, query)
    assert response.status_code == 302
    return response.headers["Location"]


def come_back(client, there, **query):
    """Press the button, log in at the provider, and come back."""
    return client.get(there.log_in(begin(client, **query)))


def who(client):
    key = client.session.get("_auth_user_id")
    return None if key is None else User.objects.get(pk=key)


def is_refused(client, response, words):
    """Nobody is in; the page of the log-in says why."""
    assert response.headers["Location"] == LOG_IN
    assert words in client.get(LOG_IN).content.decode()
    return who(client) is None


# Who gets in


def test_site_without_a_provider(client, site, settings):
    """There is no button, and nothing behind it."""
    settings.OPENID_NAME = "Example"
    assert "openid" not in client.get(LOG_IN).content.decode()
    assert client.get(GO).status_code == client.get(BACK).status_code == 404


def test_button_leads_to_the_provider(client, alice, there):
    """With all that the standard asks for; where one wanted to go stays here."""
    page = client.get(LOG_IN, {"next": "/console/?x=1&y=2"}).content.decode()
    assert 'href="/accounts/openid/?next=/console/%3Fx%3D1%26y%3D2"' in page and "Log in with Example" in page
    address = urlsplit(begin(client, next="/console/?x=1&y=2"))
    assert f"{address.scheme}://{address.netloc}{address.path}" == f"{there.issuer}/authorization_endpoint"
    asked = {name: values[0] for name, values in parse_qs(address.query).items()}
    secrets = {asked.pop(name) for name in ("state", "nonce", "code_challenge")}
    assert len(secrets) == 3 and all(len(secret) == 43 for secret in secrets)
    assert asked == {
        "response_type": "code",
        "client_id": CLIENT_ID,
        "redirect_uri": f"http://testserver{BACK}",
        "scope": "openid profile",
        "code_challenge_method": "S256",
    }


@pytest.mark.parametrize("key", [RSA, EC], ids=["RS256", "ES256"])
def test_person_whom_the_site_knows(client, alice, there, key):
    """They are in, where they wanted to go."""
    there.sign = key.sign
    assert come_back(client, there, next="/console/").headers["Location"] == "/console/"
    assert who(client) == alice
    assert User.objects.count() == 1


def test_key_without_the_name_of_its_algorithm(client, alice, there):
    """RFC 7517, section 4.4: it is optional. The token's own counts then, if it is a signature's."""
    public = {name: value for name, value in RSA.public.items() if name != "alg"}
    there.answers["/keys"] = (200, json.dumps({"keys": [public]}).encode())
    there.sign = lambda claims: jwt.encode(claims, RSA.private, "PS384", headers={"kid": "rsa"})
    come_back(client, there)
    assert who(client) == alice


def test_new_person_gets_an_account(client, site, there):
    """They are called as at the provider, and have no password."""
    come_back(client, there)
    person = who(client)
    assert (person.name, person.is_guest, person.is_staff, person.has_usable_password()) == (
        *("Alice", False, False, False),
    )
    client.post(reverse("logout"))
    come_back(client, there)
    assert who(client) == person


def test_new_person_where_the_site_takes_none(client, site, there):
    """Whatever its form does: the switch for these people is another."""
    SiteSettings.objects.update(sign_up_by_openid=False, sign_up=SiteSettings.SignUp.OPEN)
    assert is_refused(client, come_back(client, there), NO_ACCOUNTS)
    assert not User.objects.exists()


def test_guest_keeps_what_they_wrote(client, site, there):
    """Their account becomes that of the new person, as where one signs up by the form."""
    client.get("/")
    guest = User.objects.get(pk=open_guest_account(client.session.session_key, "Visitor"))
    come_back(client, there)
    assert who(client) == guest
    guest.refresh_from_db()
    assert (guest.name, guest.is_guest) == ("Alice", False)


def test_guest_who_has_an_account(client, alice, there):
    """They are who they are; the guest stays with their browser, as by the form."""
    client.get("/")
    guest = open_guest_account(client.session.session_key, "Visitor")
    come_back(client, there)
    assert who(client) == alice
    assert User.objects.get(pk=guest).is_guest
    assert client.session[GUEST_USER] == guest


def test_neither_name_nor_e_mail_tells_who_somebody_is(client, site, there):
    """Mallory calls herself alice there, and gives alice's address."""
    alice = User.objects.create_user("alice", email="alice@example.org", name="Alice")
    there.person = {
        **{"sub": "mallory-1", "name": "Alice", "preferred_username": "alice", "email": "alice@example.org"},
        "email_verified": True,
    }
    come_back(client, there)
    assert who(client) != alice


def test_same_subject_at_another_provider_is_another(client, site, there):
    """A key is its issuer's."""
    alice = User.objects.create_user("alice", name="Alice")
    OpenIdentity.objects.create(user=alice, issuer="https://elsewhere.example", subject="alice-1")
    come_back(client, there)
    assert who(client) != alice


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"name": "Alice"}, r"Alice \d+"),
        ({"name": "AIice"}, r"AIice \d+"),
        ({"name": "Al\u0456ce"}, r"Al\u0456ce \d+"),
        ({"name": "admin", "preferred_username": "bob"}, "bob"),
        ({"name": "\u200b", "nickname": "Bob"}, "Bob"),
        ({"name": "root"}, r"root \d+"),
        ({"name": 7, "preferred_username": ["x"], "nickname": "Zoë"}, "Zoë"),
        ({"name": "x" * 10_000}, "x{40}"),
        ({"name": None}, r".+"),
    ],
)
def test_names_follow_the_rules_of_names(client, site, there, claims, name):
    """Taken ones, their like and what others log in by get a number; reserved ones and no names are passed over."""
    User.objects.create_user("x1", name="Alice")
    User.objects.create_user("root", name="Somebody")
    there.person = {"sub": "new", **claims}
    come_back(client, there)
    assert re.fullmatch(name, who(client).name)


def test_person_who_is_switched_off(client, alice, there):
    """They stay out, with the words of the form."""
    User.objects.update(is_active=False)
    assert is_refused(client, come_back(client, there), "There is no account with this user name and password.")


def test_person_who_is_banned(client, alice, there):
    """They come as far as by the form, where the page says why they are kept out."""
    alice.set_password("correct horse battery")
    alice.save()
    moderation.impose(alice.pk, "ban", room_id=None, by=None, reason="spam")
    by_provider = come_back(client, there)
    assert who(client) == alice
    client.post(reverse("logout"))
    by_form = client.post(LOG_IN, {"username": "alice", "password": "correct horse battery"})
    assert by_provider.headers["Location"] == by_form.headers["Location"]
    assert Sanction.objects.in_force().get().user == alice


def test_ban_of_a_guest_holds_for_their_account(client, site, there):
    """To log in for the first time is no way round it."""
    client.get("/")
    guest = open_guest_account(client.session.session_key, "Visitor")
    moderation.impose(guest, "ban", room_id=None, by=None, reason="spam")
    come_back(client, there)
    assert Sanction.objects.in_force().get().user == who(client)


def test_second_factor_is_asked_for(client, alice, there):
    """The provider stands for the password, not for both."""
    codes = second_factors.switch_on(alice, SECRET, 0)
    assert come_back(client, there, next="/console/").headers["Location"] == "/accounts/login/code/?next=/console/"
    assert who(client) is None
    client.post("/accounts/login/code/", {"code": codes[0], "next": "/console/"})
    assert who(client) == alice


def test_who_is_in_already(client, alice, there):
    """They are led on."""
    client.force_login(alice)
    assert begin(client, next="/console/") == "/console/"


@pytest.mark.parametrize("next_url", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_address_that_leads_elsewhere_is_not_followed(client, alice, there, next_url):
    """The way back is one of this site."""
    assert come_back(client, there, next=next_url).headers["Location"] == "/"


# What a stranger cannot make of it


def test_answer_that_was_not_asked_for(client, alice, there):
    """Mallory sends alice's browser a link with a code of her own: alice would write in mallory's account."""
    mallory = Client()
    link = there.log_in(begin(mallory))
    assert is_refused(client, client.get(link), NOT_LOGGED_IN)
    begin(client)
    assert is_refused(client, client.get(link), NOT_LOGGED_IN)


@pytest.mark.parametrize("state", ["", "x", None, "é"])
def test_wrong_state(client, alice, there, state):
    """The browser began another attempt, or none."""
    address = there.log_in(begin(client)).partition("?")[0]
    query = {"code": "code-0"} if state is None else {"code": "code-0", "state": state}
    assert is_refused(client, client.get(address, query), NOT_LOGGED_IN)
    assert "/token_endpoint" not in there.asked


def test_cookie_that_was_forged(client, alice, there):
    """It is signed."""
    link = there.log_in(begin(client))
    client.cookies[attempt.COOKIE] = client.cookies[attempt.COOKIE].value.replace("state", "st4te")
    assert is_refused(client, client.get(link), NOT_LOGGED_IN)


def test_replayed_answer(client, alice, there):
    """An attempt ends with its first answer, and a code works once."""
    cookies = SimpleCookie()
    link = there.log_in(begin(client))
    cookies[attempt.COOKIE] = client.cookies[attempt.COOKIE].value
    client.get(link)
    assert who(client) == alice
    client.post(reverse("logout"))
    assert is_refused(client, client.get(link), NOT_LOGGED_IN)
    client.cookies = cookies
    assert is_refused(client, client.get(link), UNAVAILABLE)


def test_code_that_was_caught_on_its_way(client, alice, there):
    """Mallory has it, and a browser with an attempt of her own: she lacks the verifier of the one who asked."""
    caught = parse_qs(urlsplit(there.log_in(begin(client))).query)["code"][0]
    mallory = Client()
    own = parse_qs(urlsplit(there.log_in(begin(mallory))).query)
    response = mallory.get(BACK, {"code": caught, "state": own["state"][0]})
    assert is_refused(mallory, response, UNAVAILABLE)


def test_cookie_of_an_attempt(client, alice, there, settings):
    """No script reads it, other sites do not send it but for a link, and only the way back gets it."""
    settings.SESSION_COOKIE_SECURE = True
    cookie = client.get(GO).cookies[attempt.COOKIE]
    assert cookie["httponly"] and cookie["secure"] and cookie["samesite"] == "Lax" and cookie["path"] == BACK
    assert cookie["max-age"] == attempt.SECONDS


def test_strangers_who_press_the_button_leave_nothing(client, site, there):
    """No session, and one request to the provider in ten minutes."""
    for _ in range(3):
        stranger = Client()
        begin(stranger)
        assert "sessionid" not in stranger.cookies and "hubtalk" not in stranger.cookies
    assert there.asked == ["/.well-known/openid-configuration"]


# What the provider says


def refused(client, there):
    return is_refused(client, come_back(client, there), NOT_LOGGED_IN)


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "somebody else"},
        {"aud": ["somebody else"]},
        {"aud": None},
        {"aud": [CLIENT_ID, "somebody else"]},
        {"aud": [CLIENT_ID, "somebody else"], "azp": "somebody else"},
        {"azp": "somebody else"},
        {"iss": "https://evil.example"},
        {"iss": None},
        {"exp": LONG_AGO},
        {"exp": None},
        {"exp": "soon"},
        {"nbf": FAR_OFF},
        {"iat": FAR_OFF},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "x" * 256},
    ],
    ids=str,
)
def test_token_whose_claims_do_not_hold(client, alice, there, claims):
    """OpenID Connect Core 1.0, section 3.1.3.7: one is enough."""
    there.claims = claims
    assert refused(client, there)
    assert User.objects.count() == 1


def test_token_for_us_among_others(client, alice, there):
    """Several audiences, of which we are the one it was made for."""
    there.claims = {"aud": [CLIENT_ID, "somebody else"], "azp": CLIENT_ID}
    come_back(client, there)
    assert who(client) == alice


def unsigned(claims):
    return jwt.encode(claims, None, "none")


def shared(claims, secret):
    """HS256, by hand: libraries sign with no such secret."""
    head = {"alg": "HS256", "typ": "JWT", "kid": "rsa"}
    parts = [base64.urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=") for each in (head, claims)]
    signature = hmac.digest(secret, b".".join(parts), "sha256")
    return b".".join([*parts, base64.urlsafe_b64encode(signature).rstrip(b"=")]).decode()


def with_public_key(claims):
    """What a checker takes for right that uses whatever key it has with whatever algorithm the token names."""
    kind, form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    return shared(claims, RSA.private.public_key().public_bytes(kind, form))


def changed(claims):
    """Signed, and then made somebody else's."""
    head, _, signature = RSA.sign(claims).split(".")
    _, body, _ = RSA.sign({**claims, "sub": "bob-1"}).split(".")
    return f"{head}.{body}.{signature}"


@pytest.mark.parametrize(
    "sign",
    [
        unsigned,
        with_public_key,
        FOREIGN.sign,
        changed,
        lambda claims: RSA.sign(claims).rpartition(".")[0] + ".",
        lambda claims: jwt.encode(claims, FOREIGN.private, "RS256", headers={"kid": "unknown"}),
        lambda claims: jwt.encode(claims, RSA.private, "RS256"),
        lambda claims: jwt.encode(claims, FOREIGN.private, "RS256", headers={"kid": "rsa", "jwk": FOREIGN.public}),
        lambda claims: shared(claims, CLIENT_SECRET.encode()),
        lambda claims: "no token",
        lambda claims: "",
    ],
    ids=(
        *("alg none", "public key as a secret", "foreign key", "changed", "without signature", "unknown key"),
        *("no name of a key where there are two", "key in the token", "client secret", "nonsense", "empty"),
    ),
)
def test_token_that_the_provider_did_not_sign(client, alice, there, sign):
    """Only its own keys count, by a signature that nobody else can make."""
    there.sign = sign
    assert refused(client, there)


def test_secret_among_the_keys(client, alice, there):
    """A key that everybody can read is no secret: HS256 is never believed."""
    secret = b"x" * 32
    encoded = base64.urlsafe_b64encode(secret).rstrip(b"=").decode()
    public = {"kty": "oct", "k": encoded, "kid": "rsa", "alg": "HS256"}
    there.answers["/keys"] = (200, json.dumps({"keys": [public]}).encode())
    there.sign = lambda claims: shared(claims, secret)
    assert refused(client, there)


def test_person_who_was_refused_there(client, alice, there):
    """They come back without a code."""
    state = parse_qs(urlsplit(begin(client)).query)["state"][0]
    response = client.get(BACK, {"error": "access_denied", "state": state})
    assert is_refused(client, response, NOT_LOGGED_IN)
    assert "/token_endpoint" not in there.asked


def test_answer_of_another_issuer(client, alice, there):
    """RFC 9207: it says so itself."""
    link = there.log_in(begin(client)).replace("iss=http", "iss=https")
    assert is_refused(client, client.get(link), NOT_LOGGED_IN)


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://evil.example"},
        {"token_endpoint": None},
        {"jwks_uri": "file:///etc/passwd"},
        {"token_endpoint": "ftp://127.0.0.1/"},
    ],
    ids=str,
)
def test_provider_that_says_it_is_another(client, alice, there, metadata):
    """Or leaves out what is needed, or leads to what is no web address: nobody is sent there."""
    there.metadata = metadata
    assert is_refused(client, client.get(GO), UNAVAILABLE)


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/token_endpoint", "/keys"])
@pytest.mark.parametrize(
    "answer",
    [
        (500, b""),
        (302, b""),
        (200, b""),
        (200, b"[]"),
        (200, b'{"keys": 7, "id_token": 7}'),
        (200, b'{"keys": [{}], "id_token": "x"}'),
        (200, b"[" * 100_000),
    ],
    ids=("500", "302", "empty", "a list", "numbers", "an empty key", "deep"),
)
def test_provider_that_answers_nonsense(client, alice, there, path, answer):
    """Nobody is in, and the page of the log-in says so."""
    there.answers[path] = answer
    response = client.get(GO)
    if path != "/.well-known/openid-configuration":
        response = client.get(there.log_in(response.headers["Location"]))
    assert response.headers["Location"] == LOG_IN
    assert who(client) is None


def test_provider_that_is_down(client, alice, there):
    """Before the button and after it; who has a password uses it."""
    link = there.log_in(begin(client))
    there.__exit__()
    assert is_refused(client, client.get(link), UNAVAILABLE)
    provider._found.metadata = None
    assert is_refused(client, client.get(GO), UNAVAILABLE)


def test_provider_that_does_not_answer(client, alice, there, monkeypatch):
    """A deadline ends the wait."""
    monkeypatch.setattr(asking, "DEADLINE_SECONDS", 0.2)
    there.held = "/token_endpoint"
    assert is_refused(client, come_back(client, there), UNAVAILABLE)


def test_provider_whose_answer_never_ends(client, alice, there, monkeypatch):
    """No byte of it moves the deadline."""
    monkeypatch.setattr(asking, "DEADLINE_SECONDS", 0.5)
    there.trickles = "/token_endpoint"
    assert is_refused(client, come_back(client, there), UNAVAILABLE)


@pytest.mark.parametrize("path", ["/token_endpoint", "/keys"])
def test_answer_that_is_too_long(client, alice, there, path):
    """However right it begins, no more of it is read."""
    there.longer[path] = b" " * asking.MAX_BYTES
    assert is_refused(client, come_back(client, there), UNAVAILABLE)


def test_few_wait_for_the_provider_at_a_time(transactional_db, there):
    """The next one is asked to come again, and can: their attempt goes on."""
    SiteSettings.objects.create(pk=1, guests_allowed=True, sign_up_by_openid=True)
    there.held = "/token_endpoint"
    links = [(each, there.log_in(begin(each))) for each in (Client() for _ in range(asking.AT_ONCE + 1))]

    def wait(client, link):
        try:
            client.get(link)
        finally:
            connection.close()

    threads = [threading.Thread(target=wait, args=pair) for pair in links[:-1]]
    for thread in threads:
        thread.start()
    client, link = links[-1]
    while there.asked.count("/token_endpoint") < asking.AT_ONCE:
        assert there.arrived.wait(DEADLINE)
        there.arrived.clear()
    assert client.get(link).status_code == 503
    there.gate.set()
    for thread in threads:
        thread.join(DEADLINE)
    assert client.get(link).headers["Location"] == "/"
    assert who(client) is not None


def test_log_says_who_came_and_why_others_did_not(client, alice, there, caplog):
    """Without code, token or secret."""
    caplog.set_level("INFO", "hubtalk.log_in")
    come_back(client, there)
    client.post(reverse("logout"))
    there.claims = {"aud": "somebody else"}
    come_back(client, there)
    assert [record.getMessage() for record in caplog.records if "OpenID" in record.getMessage()] == [
        "log-in of alice from 127.0.0.1: by OpenID Connect",
        "log-in by OpenID Connect from 127.0.0.1: InvalidAudienceError: Audience doesn't match",
    ]


@pytest.mark.long
def test_site_that_waits_for_its_provider_serves_others(tmp_path):
    """A real one: whoever logs in waits for the provider, and pages, sockets and files are there meanwhile."""
    with Provider() as there:
        environment = {
            **{"OPENID_ISSUER": there.issuer, "OPENID_CLIENT_ID": CLIENT_ID, "OPENID_CLIENT_SECRET": CLIENT_SECRET},
            "OPENID_NAME": "Example",
        }
        with Server(tmp_path / "data", environment=environment) as server:
            server.manage(
                *("shell", "-v", "0", "-c"),
                "from chat.models import SiteSettings; SiteSettings.objects.update(sign_up_by_openid=True)",
            )
            browser = Browser(server.url)
            link = there.log_in(browser.get(GO).headers["Location"]).removeprefix(server.url)
            there.held = "/token_endpoint"
            answers = []
            thread = threading.Thread(target=lambda: answers.append(browser.get(link)))
            thread.start()
            assert there.arrived.wait(DEADLINE)
            for _ in range(20):
                assert Browser(server.url).get(LOG_IN).status == 200
            assert answers == []
            there.gate.set()
            thread.join(DEADLINE)
            assert answers[0].headers["Location"] == "/"
            assert browser.get("/settings/").status == 200
