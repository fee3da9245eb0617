"""gotalk.js, at a fixed address that pages written for the stock file know; and what the server can be asked."""

import re
from functools import cache
from typing import Any, NamedTuple

import msgspec
from asgiref.sync import async_to_sync
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from rpc.contrib.django.joining import gotalk_script
from rpc.contrib.django.variants import Variants
from rpc.peer.handlers import default_handlers
from rpc.schema.operations import Description, NotificationEntry, OperationEntry, Visitor, describe_to
from rpc.schema.typescript import Types

_MAX_AGE = 300
"""Seconds a browser may use the script without asking: its address never changes, its content does."""


@cache
def _gotalk_js() -> Variants:
    return Variants(gotalk_script().encode())


def gotalk_js(request: HttpRequest) -> HttpResponseBase:
    return _gotalk_js().answer(request, "text/javascript; charset=utf-8", f"public, max-age={_MAX_AGE}")


# --- the page of the operations ----------------------------------------------------------------------------


class _Shown(NamedTuple):
    """An operation or a notification as the page shows it."""

    name: str
    kind: str
    doc: str
    params: SafeString
    """Its type, with links to the types that it names."""
    spelled_out: list[SafeString]
    """The declarations of these types, for the people who write the params."""
    result: SafeString
    """Its type; empty for a notification."""
    yields: bool
    schema: str


class _Type(NamedTuple):
    name: str
    declaration: SafeString
    schema: str


@require_safe
def operations_page(request: HttpRequest, data: Any = None, *, admitted: bool | None = None) -> HttpResponse:
    """
    What `GotalkConsumer` serves and whoever asks may call, for people; a script that comes with it lets them try.

    Args:
        data, admitted: what a peer of whoever asks would have; without them, what a new peer has.
    """
    visitor = Visitor(default_handlers, getattr(request, "scope", {}), data, admitted=admitted)
    # What handlers require is asked on the loop that serves, as for a peer.
    page = _Page(async_to_sync(describe_to)(visitor))
    return render(
        request,
        "rpc/operations.html",
        {"operations": page.operations(), "notifications": page.notifications(), "types": page.types()},
    )


class _Page:
    def __init__(self, description: Description) -> None:
        self._description = description
        self._types = Types(description.defs)
        self._definitions = {own: name for name, own in self._types.names.items()}

    def operations(self) -> list[_Shown]:
        return [
            self._shown(name, each.kind, each, self._linked(self._types.text(each.result)), each.yields)
            for name, each in self._description.operations.items()
        ]

    def notifications(self) -> list[_Shown]:
        return [
            self._shown(name, "notification", each, SafeString(), yields=False)
            for name, each in self._description.notifications.items()
        ]

    def types(self) -> list[_Type]:
        return [
            _Type(self._types.names[name], self._declaration(name), _pretty(schema))
            for name, schema in self._description.defs.items()
        ]

    def _shown(
        self, name: str, kind: str, entry: OperationEntry | NotificationEntry, result: SafeString, yields: bool
    ) -> _Shown:
        params = self._types.text(entry.params)
        named = [self._definitions[word] for word in _WORD.findall(params) if word in self._definitions]
        spelled_out = [self._declaration(each) for each in named]
        return _Shown(name, kind, entry.doc, self._linked(params), spelled_out, result, yields, _pretty(entry))

    def _declaration(self, name: str) -> SafeString:
        return self._linked(_EXPORT.sub("", self._types.declaration(name)))

    def _linked(self, text: str) -> SafeString:
        """The text of a type, where each type of ours leads to its declaration."""
        return format_html_join(
            "",
            "{}",
            (
                (format_html('<a href="#type-{0}">{0}</a>', word) if word in self._definitions else word,)
                for word in _WORD.split(text)
            ),
        )


_WORD = re.compile(r"(\w+)")
_EXPORT = re.compile("^export ", re.MULTILINE)


def _pretty(value: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
