"""Messages: read, and removed with a reason."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib import messages as notes
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from chat.admin.base import BoundedPaginator, NeverDeleted, ReadOnly, staff_key
from chat.admin.verbs import Upon, VerbsUponPeople
from chat.models import Message, Revision, Room
from chat.services.messages import remove_message
from rpc import OperationError


class RemovalForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in its stubs only
    remove = forms.BooleanField(
        label=_("Remove this message"),
        required=False,
        help_text=_("A tombstone stays in the room, and the text stays below."),
    )


class RevisionInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]  # generic in its stubs only
    model = Revision
    fields = ("body", "changed_by", "changed_at")
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[Revision]:
        return super().get_queryset(request).select_related("changed_by")


@admin.register(Message)
class MessageAdmin(NeverDeleted, VerbsUponPeople, admin.ModelAdmin):  # type: ignore[type-arg]  # generic in its stubs only
    form = RemovalForm
    fields = ("room", "author", "author_name", "body", "created_at", "edited_at", "via", "removed_at", "removed_by")
    list_display = ("author_name", "room", "beginning", "created_at", "removed_at")
    list_filter = (("removed_at", admin.EmptyFieldListFilter), "via")
    list_select_related = ("room",)
    search_fields = ("body", "author_name", "room__name")
    ordering = ("-pk",)
    paginator = BoundedPaginator
    show_full_result_count = False
    inlines = (RevisionInline,)
    actions = ("remove", *VerbsUponPeople.verbs)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Message]:
        """Without conversations of two: those are opened in the list of rooms, with a reason."""
        return super().get_queryset(request).exclude(room__kind=Room.Kind.DIRECT)

    def people(self, queryset: QuerySet[Message]) -> list[Upon]:
        """Their authors, each in the room of the message."""
        return [
            Upon(message.author, message.room)
            for message in {(each.author_id, each.room_id): each for each in queryset}.values()
        ]

    def acts_upon(self, row: Message) -> dict[str, int]:
        return {"person_id": row.author_id, "room_id": row.room_id}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Message | None = None) -> tuple[str, ...]:
        gone = obj is not None and obj.removed_at is not None
        return (*self.fields, "removal_reason") if gone else self.fields

    def get_fields(self, request: HttpRequest, obj: Message | None = None) -> tuple[str, ...]:
        is_final = (obj is not None and obj.removed_at is not None) or not self.has_change_permission(request, obj)
        return (*self.fields, "removal_reason") if is_final else (*self.fields, "remove", "removal_reason")

    def save_model(self, request: HttpRequest, obj: Message, form: Any, change: bool) -> None:
        if form.cleaned_data.get("remove"):
            self._remove(request, [obj], form.cleaned_data["removal_reason"])

    @admin.display(description=_("text"))
    def beginning(self, message: Message) -> str:
        return message.body[:80]

    @admin.action(description=_("Remove with a reason"), permissions=["change"])
    def remove(self, request: HttpRequest, queryset: QuerySet[Message]) -> HttpResponse | None:
        standing = queryset.filter(removed_at__isnull=True)
        if "reason" in request.POST:
            self._remove(request, standing, request.POST["reason"])
            return None
        context = {
            **self.admin_site.each_context(request),
            "title": _("Remove messages"),
            "messages_to_remove": standing.select_related("room"),
            "checkbox": ACTION_CHECKBOX_NAME,
            "opts": self.opts,
        }
        return render(request, "admin/remove_messages.html", context)

    def _remove(self, request: HttpRequest, standing: Any, reason: str) -> None:
        removed = 0
        for message in standing:
            try:
                remove_message(message.room_id, message.seq, by=staff_key(request), reason=reason[:200])
                removed += 1
            except OperationError:
                continue  # Its author was faster.
        text = ngettext("%d message was removed.", "%d messages were removed.", removed)
        notes.success(request, text % removed)
