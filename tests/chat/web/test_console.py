"""Who may open the console, and which doors it offers."""

import json
import re
from typing import get_args, get_type_hints

import pytest
from django.test.utils import override_script_prefix
from django.urls import reverse

from chat.models import SiteSettings, User
from chat.queries.guests import GUEST_NAME
from chat.web.console import DOORS, Door
from rpc import CloseCode
from tests.server import ROOT

CONSOLE = "/console/"
SCRIPTS = ROOT / "chat/static/chat/console"


@pytest.fixture
def site(db):
    return SiteSettings.objects.create(pk=1, guests_allowed=True, sign_up=SiteSettings.SignUp.OPEN)


def offered(response):
    script = re.search(r'<script id="doors" type="application/json">(.*?)</script>', response.content.decode())
    return json.loads(script[1])


def test_console_has_a_name_to_link_to(client, site):
    """Its address is /console/."""
    assert reverse("chat:console") == CONSOLE
    assert client.get(CONSOLE).status_code == 200


def test_visitor_of_the_console_gets_a_name(client, site):
    """Who comes here first, before the chat, may open a socket too."""
    client.get(CONSOLE)
    assert client.session[GUEST_NAME]


def test_site_without_guests_asks_for_a_log_in_before_the_console(client, site):
    """The console is for those who may open the chat."""
    SiteSettings.objects.update(guests_allowed=False)
    assert client.get(CONSOLE).headers["Location"] == f"/accounts/login/?next={CONSOLE}"


def test_account_opens_the_console_of_a_site_without_guests(client, site):
    """An account may always."""
    SiteSettings.objects.update(guests_allowed=False)
    client.force_login(User.objects.create_user("alice", name="Alice"))
    assert client.get(CONSOLE).status_code == 200


def test_doors_come_from_one_list(client, site):
    """The page offers what the list names, in its order."""
    assert offered(client.get(CONSOLE)) == [
        {"name": door.name, "path": door.path, "wire": door.wire} for door in DOORS
    ]


def test_doors_stand_below_the_root_path(client, site):
    """A site that lives below a path has its doors there."""
    with override_script_prefix("/talk/"):
        response = client.get(CONSOLE)
    assert offered(response)[0]["path"] == "/talk/gotalk/"


def test_every_wire_of_the_list_is_known_to_the_page():
    """A door whose wire the page cannot read would be of no use."""
    script = (SCRIPTS / "wires/registry.js").read_text()
    known = set(re.findall(r'^ +\["(\w+)", ', script, re.MULTILINE))
    assert {door.wire for door in DOORS} <= known == set(get_args(get_type_hints(Door)["wire"]))


def test_every_close_code_has_words():
    """All that this site closes with, and of the codes for applications no other."""
    named = {int(code) for code in re.findall(r"^ *\[(\d+), ", (SCRIPTS / "closes.js").read_text(), re.MULTILINE)}
    assert named >= set(CloseCode)
    assert {code for code in named if code >= CloseCode.FAULT} <= set(CloseCode)


def test_close_codes_of_the_page_are_those_of_the_server():
    """Same names, same numbers."""
    script = (SCRIPTS.parent / "lib/close-codes.js").read_text()
    named = {name: int(code) for name, code in re.findall(r"^export const (\w+) = (\d+);", script, re.MULTILINE)}
    assert named
    assert named.items() <= {code.name: code.value for code in CloseCode}.items()


def test_console_has_nothing_inline(client, site):
    """What the policy forbids is not there."""
    html = client.get(CONSOLE).content.decode()
    tags = [part.split(">", 1)[0] for part in html.split("<script")[1:]]
    assert tags
    assert all("src=" in tag or 'type="application/json"' in tag for tag in tags)
    assert "<style" not in html and " style=" not in html and " onclick=" not in html
