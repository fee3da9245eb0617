"""The table of who may do what, for staff to read; docs/moderation.md has the same."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from chat.actions.roles import Role, Standing, Verb


def show_roles(request: HttpRequest) -> HttpResponse:
    tables = [_table(_("In a room"), Role), _table(_("On the whole site"), Standing)]
    context = {**admin.site.each_context(request), "title": _("Who may do what"), "tables": tables}
    return render(request, "admin/roles.html", context)


def _table(title: str, ranks: type[Role] | type[Standing]) -> dict[str, Any]:
    rows = [
        {
            "words": _(verb.words),
            "given": [verb.given_to(rank) for rank in ranks],
            "closed_by": ", ".join(_(closing) for closing in verb.closed_by),
            "scopes": ", ".join(verb.scopes),
        }
        for verb in Verb
        if verb.in_a_room == (ranks is Role)
    ]
    return {"title": title, "ranks": [_(rank.name.lower()) for rank in ranks], "rows": rows}
