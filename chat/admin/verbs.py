"""What staff do to people and rooms, from lists and from the page of each: as in the chat, and with a reason."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, NamedTuple

from django import forms
from django.contrib import admin
from django.contrib import messages as notes
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from chat.admin.acts import ask_to_take_back
from chat.admin.base import staff, staff_key
from chat.models import Act, Room, Sanction, User
from chat.queries.rights import within_rights_of
from chat.services.acts.record import actor_now
from chat.services.messages import remove_some
from chat.services.moderation import impose
from chat.services.rooms import change_room
from chat.web.acting import REASON

SLOW_SECONDS = 30
"""Between two posts of a person, where slow mode is set without a form."""


class ReasonForm(forms.Form):
    """Why, for the log (which the middleware `acting_person` reads) and for the person concerned."""

    act_reason = forms.CharField(label=_("Reason"), max_length=200)


class RemovalForm(ReasonForm):
    since = forms.DateTimeField(
        label=_("Since"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
        help_text=_("Leave empty for all of them."),
    )


class Upon(NamedTuple):
    """Whom a verb is about, and in which room; None is everywhere."""

    user: User
    room: Room | None


class Verbs:
    """
    Actions of a list that are also buttons on the page of each row. Each asks why before it does anything.

    `verbs`: the names of the actions.
    """

    verbs: ClassVar[tuple[str, ...]] = ()

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        model_admin: Any = self
        actions = model_admin.get_actions(request)
        context = {
            "verbs": [(name, actions[name][2]) for name in self.verbs if name in actions],
            "verbs_at": _list_of(model_admin),
            "checkbox": ACTION_CHECKBOX_NAME,
            **(extra_context or {}),
        }
        return super().change_view(request, object_id, form_url, context)  # type: ignore[misc,no-any-return]  # the admin's

    def ask(
        self, request: HttpRequest, verb: str, chosen: QuerySet[Any], concerned: Collection[Any], form: forms.Form
    ) -> HttpResponse:
        """The page that asks why."""
        model_admin: Any = self
        title = model_admin.get_actions(request)[verb][2]
        context = {
            **model_admin.admin_site.each_context(request),
            "title": title,
            "verb": verb,
            "chosen": chosen,
            "concerned": concerned,
            "form": form,
            "checkbox": ACTION_CHECKBOX_NAME,
            "opts": model_admin.opts,
        }
        return render(request, "admin/verb.html", context)

    def done(self, request: HttpRequest, words: Any) -> None:
        """Says so, with the way to take it back."""
        where = f"{reverse('admin:chat_act_changelist')}?q={actor_now().bulk}"
        notes.success(request, format_html('{} <a href="{}">{}</a>', words, where, _("Take it back")))

    def has_take_back_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("chat.view_act")

    def acts_upon(self, row: Any) -> dict[str, int]:
        """By which fields of the log one finds what was done to what a row shows."""
        raise NotImplementedError

    @admin.action(description=_("Take it back"), permissions=["take_back"])
    def take_back_last(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        """The last act upon each; the page of the log asks why, and knows what may be taken back by whom."""
        can_be_undone = Act.objects.can_be_undone().order_by("-pk")
        acts = [can_be_undone.filter(**self.acts_upon(row)).first() for row in queryset]
        return ask_to_take_back(request, [act for act in acts if act is not None])


class VerbsUponPeople(Verbs):
    """Of rows that are about people: nobody acts on one who has a right that they lack, nor on themselves."""

    verbs = ("mute_for_an_hour", "ban_for_a_day", "remove_all_messages", "take_back_last")

    def people(self, queryset: QuerySet[Any]) -> Collection[Upon]:
        """Whom the chosen rows are about."""
        raise NotImplementedError

    def has_sanction_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("chat.add_sanction")

    def has_remove_all_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("chat.change_message")

    @admin.action(description=_("Mute for an hour"), permissions=["sanction"])
    def mute_for_an_hour(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        return self._sanction(request, "mute_for_an_hour", queryset, Sanction.Kind.MUTE, timedelta(hours=1))

    @admin.action(description=_("Ban for a day"), permissions=["sanction"])
    def ban_for_a_day(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        return self._sanction(request, "ban_for_a_day", queryset, Sanction.Kind.BAN, timedelta(days=1))

    @admin.action(description=_("Remove all of this person's messages"), permissions=["remove_all"])
    def remove_all_messages(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        people = {each.user.pk: Upon(each.user, None) for each in self._concerned(request, queryset)}
        form = _asked(RemovalForm, request)
        if not form.is_valid():
            return self.ask(request, "remove_all_messages", queryset, people.values(), form)
        since = form.cleaned_data["since"] or datetime.min.replace(tzinfo=UTC)
        which: dict[str, Any] = {"room_id": None, "since": since, "by": staff_key(request)}
        removed = 0
        for user_id in people:
            while found := remove_some(user_id, **which, reason=form.cleaned_data["act_reason"]):
                removed += found
        self.done(request, _("Messages removed: %d.") % removed)
        return None

    def _sanction(
        self, request: HttpRequest, verb: str, queryset: QuerySet[Any], kind: str, lasts: timedelta
    ) -> HttpResponse | None:
        people = self._concerned(request, queryset)
        form = _asked(ReasonForm, request)
        if not form.is_valid():
            return self.ask(request, verb, queryset, people, form)
        for user, room in people:
            impose(
                user.pk,
                kind,
                room_id=room.pk if room is not None else None,
                by=staff_key(request),
                reason=form.cleaned_data["act_reason"],
                until=timezone.now() + lasts,
            )
        self.done(request, _("People concerned: %d.") % len(people))
        return None

    def _concerned(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Upon]:
        within = set(within_rights_of(staff(request)).values_list("pk", flat=True)) - {staff_key(request)}
        return [each for each in self.people(queryset) if each.user.pk in within]


class VerbsUponRooms(Verbs):
    verbs = ("read_only_for_an_hour", "slow_for_an_hour", "take_back_last")

    def acts_upon(self, row: Room) -> dict[str, int]:
        return {"room_id": row.pk}

    @admin.action(description=_("Read-only for an hour"), permissions=["change"])
    def read_only_for_an_hour(self, request: HttpRequest, queryset: QuerySet[Room]) -> HttpResponse | None:
        return self._switch(request, "read_only_for_an_hour", queryset, read_only=True)

    @admin.action(description=_("Slow mode for an hour"), permissions=["change"])
    def slow_for_an_hour(self, request: HttpRequest, queryset: QuerySet[Room]) -> HttpResponse | None:
        return self._switch(request, "slow_for_an_hour", queryset, slow_mode_seconds=SLOW_SECONDS)

    def _switch(
        self, request: HttpRequest, verb: str, queryset: QuerySet[Room], **switches: Any
    ) -> HttpResponse | None:
        rooms = queryset.exclude(kind=Room.Kind.DIRECT)
        form = _asked(ReasonForm, request)
        if not form.is_valid():
            return self.ask(request, verb, queryset, rooms, form)
        until = timezone.now() + timedelta(hours=1)
        for room in rooms:
            change_room(room.pk, until=until, reason=form.cleaned_data["act_reason"], **switches)
        self.done(request, _("Rooms changed: %d.") % len(rooms))
        return None


def _asked(form: type[ReasonForm], request: HttpRequest) -> ReasonForm:
    """The form of a verb's page; what stands beside the actions of a list is where it begins."""
    initial = {REASON: request.POST.get(REASON, "")}
    return form(request.POST if "confirmed" in request.POST else None, initial=initial)


def _list_of(model_admin: Any) -> str:
    return reverse(f"admin:{model_admin.opts.app_label}_{model_admin.opts.model_name}_changelist")
