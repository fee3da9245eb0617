"""Rooms, and who belongs to them."""

from collections.abc import Iterable
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib import messages as notes
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _

from chat.admin.base import ActsOnPeople, ReasonedActionForm, staff_key
from chat.admin.roles import show_roles
from chat.admin.verbs import VerbsUponRooms
from chat.models import Membership, Message, Room, Sanction
from chat.names import clean_name, same_name, unmarked
from chat.services.memberships import join_room, leave_room
from chat.services.moderation import open_conversation
from chat.services.rooms import change_room, create_room, delete_room, not_kept
from rpc import OperationError

MAX_READ = 200
"""Messages of a conversation that are shown at once, the newest first."""


class RoomForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in its stubs only
    def clean_name(self) -> str:
        try:
            name = clean_name(self.cleaned_data["name"])
            if name == self.instance.name:
                return name
            # A private room gets its mark when it is stored.
            not_kept(unmarked(name) if self.instance.kind == Room.Kind.PRIVATE else name)
        except OperationError as error:
            raise forms.ValidationError(_(error.text)) from None
        if Room.objects.filter(same_name(name)).exclude(pk=self.instance.pk or 0).exists():
            raise forms.ValidationError(_("A room with this name already exists."))
        return name

    def clean_kind(self) -> str:
        kind: str = self.cleaned_data["kind"]
        if kind == Room.Kind.DIRECT:
            raise forms.ValidationError(_("Direct rooms cannot be created here: people open them in the chat."))
        return kind


@admin.register(Room)
class RoomAdmin(VerbsUponRooms, admin.ModelAdmin):  # type: ignore[type-arg]  # generic in its stubs only
    form = RoomForm
    fields = ("name", "topic", "kind", "auto_join", "read_only", "slow_mode_seconds", "archived")
    list_display = ("name", "kind", "topic", "posts", "read_only", "archived", "created_at")
    list_filter = ("kind", "archived", "read_only", "auto_join")
    search_fields = ("name", "topic")
    ordering = ("name_key",)
    actions = (*VerbsUponRooms.verbs, "archive", "reopen", "read_conversation")
    action_form = ReasonedActionForm

    def get_readonly_fields(self, request: HttpRequest, obj: Room | None = None) -> tuple[str, ...]:
        return ("name", "kind") if obj is not None and obj.kind == Room.Kind.DIRECT else ()

    def save_model(self, request: HttpRequest, obj: Room, form: Any, change: bool) -> None:
        fields = {name: form.cleaned_data[name] for name in form.changed_data}
        if not change:
            kind = form.cleaned_data["kind"]
            obj.pk = create_room(form.cleaned_data["name"], by=staff_key(request), kind=kind).pk
        if fields:
            change_room(obj.pk, **fields)
        obj.refresh_from_db()

    def get_deleted_objects(
        self, objs: Iterable[Room], request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """What the page that asks for confirmation shows: counted, as a room may hold millions of messages."""
        rooms = list(objs)
        goes_with_them: list[type[Model]] = [Message, Membership, Sanction]
        counts = {
            str(model._meta.verbose_name_plural): model._default_manager.filter(room__in=rooms).count()
            for model in goes_with_them
        }
        return [str(room) for room in rooms], {str(self.opts.verbose_name_plural): len(rooms), **counts}, set(), []

    def delete_model(self, request: HttpRequest, obj: Room) -> None:
        # After the admin's own transaction, for it takes many.
        transaction.on_commit(partial(delete_room, obj.pk))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Room]) -> None:
        for room in queryset:
            self.delete_model(request, room)

    def has_read_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("chat.view_message")

    @admin.action(description=_("Read a direct conversation"), permissions=["read"])
    def read_conversation(self, request: HttpRequest, queryset: QuerySet[Room]) -> HttpResponse | None:
        room = queryset.filter(kind=Room.Kind.DIRECT).first()
        if room is None or queryset.count() != 1:
            notes.error(request, _("Choose one direct room. Messages of other rooms are in the list of messages."))
            return None
        form = ReadingForm(request.POST if "reason" in request.POST else None)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Read a direct conversation"),
            "form": form,
            "room": room,
            "checkbox": ACTION_CHECKBOX_NAME,
            "opts": self.opts,
        }
        if form.is_valid():
            open_conversation(room.pk, by=staff_key(request), reason=form.cleaned_data["reason"])
            context["conversation"] = room.messages.order_by("-seq")[:MAX_READ]
        return render(request, "admin/read_conversation.html", context)

    @admin.action(description=_("Archive"), permissions=["change"])
    def archive(self, request: HttpRequest, queryset: QuerySet[Room]) -> None:
        for room in queryset.filter(archived=False):
            change_room(room.pk, archived=True)

    @admin.action(description=_("Restore from the archive"), permissions=["change"])
    def reopen(self, request: HttpRequest, queryset: QuerySet[Room]) -> None:
        for room in queryset.filter(archived=True):
            change_room(room.pk, archived=False)


class ReadingForm(forms.Form):
    reason = forms.CharField(
        label=_("Why do you read this conversation?"), max_length=200, help_text=_("It is entered into the log.")
    )


class MembershipForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in its stubs only
    def clean_room(self) -> Room:
        room: Room = self.cleaned_data["room"]
        if room.kind == Room.Kind.DIRECT:
            raise forms.ValidationError(_("A direct room has only its two people."))
        return room


@admin.register(Membership)
class MembershipAdmin(ActsOnPeople, admin.ModelAdmin):  # type: ignore[type-arg]  # generic in its stubs only
    form = MembershipForm
    fields = ("room", "user", "role")
    autocomplete_fields = ("room", "user")
    list_display = ("user", "room", "role", "left", "joined_at")
    list_filter = ("role", "left")
    list_select_related = ("room", "user")
    search_fields = ("user__name", "user__username", "room__name")
    action_form = ReasonedActionForm

    def get_readonly_fields(self, request: HttpRequest, obj: Membership | None = None) -> tuple[str, ...]:
        return () if obj is None else ("room", "user")

    def get_urls(self) -> list[URLPattern]:
        roles = path("roles/", self.admin_site.admin_view(show_roles), name="chat_roles")
        return [roles, *super().get_urls()]

    def save_model(self, request: HttpRequest, obj: Membership, form: Any, change: bool) -> None:
        obj.pk = join_room(obj.room_id, obj.user_id, role=obj.role).pk

    def delete_model(self, request: HttpRequest, obj: Membership) -> None:
        leave_room(obj.room_id, obj.user_id)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Membership]) -> None:
        for membership in queryset:
            leave_room(membership.room_id, membership.user_id)
