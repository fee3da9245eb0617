"""Who may do what, as the admin shows it."""

import re
from html import unescape

from django.urls import reverse

from tests.role_tables import written

PAGE = "admin:chat_roles"


def test_table_of_the_admin_is_that_of_the_document(admin_client):
    """Each row, with who may, what closes it and what a token needs."""
    html = admin_client.get(reverse(PAGE)).content.decode()
    rows = [
        [unescape(re.sub(r"<[^>]+>", "", cell)) for cell in re.findall(r"<t[hd][ >].*?</t[hd]>", row)]
        for row in re.findall(r"<tr><th scope=\"row\">.*?</tr>", html)
    ]
    shown = {
        words: (given, frozenset(filter(None, closed.split(", "))), frozenset(scopes.split(", ")))
        for words, *given, closed, scopes in rows
    }
    documented = {
        words: (list(row.given.values()), row.closed_by, row.scopes)
        for table in written()
        for words, row in table.items()
    }
    assert shown == documented


def test_staff_without_any_right_read_the_table(client, mallory):
    """A link on every page of the admin leads there."""
    client.force_login(mallory)
    assert reverse(PAGE) in client.get(reverse("admin:index")).content.decode()
    assert client.get(reverse(PAGE)).status_code == 200


def test_table_in_the_admin_is_for_staff(client, alice):
    """Others are asked to log in."""
    client.force_login(alice)
    assert client.get(reverse(PAGE)).status_code == 302
