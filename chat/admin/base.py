"""What our admin pages share."""

from typing import Any, TypeVar

from django import forms
from django.contrib.admin.helpers import ActionForm
from django.core.paginator import Paginator
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from chat.models import User
from chat.queries.rights import exceeds, within_rights_of

M = TypeVar("M", bound=Model)

MAX_COUNTED = 10_000
"""How many rows can be paged through; beyond that, search."""


class ReasonedActionForm(ActionForm):
    """The actions of a list, with a reason for the log, which the middleware `acting_person` reads."""

    act_reason = forms.CharField(label=_("Reason"), required=False, max_length=200)


class ReadOnly:
    """Shown, not changed here."""

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class ActsOnPeople:
    """Rows about the person of a field `user`: nobody acts on one who has a right that they lack."""

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "user":
            kwargs["queryset"] = within_rights_of(staff(request))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]  # the admin's

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed: bool = super().has_change_permission(request, obj)  # type: ignore[misc]  # the admin's
        return allowed and (obj is None or not exceeds(obj.user, staff(request)))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed: bool = super().has_delete_permission(request, obj)  # type: ignore[misc]  # the admin's
        return allowed and (obj is None or not exceeds(obj.user, staff(request)))

    @staticmethod
    def allowed(request: HttpRequest, rows: QuerySet[M]) -> QuerySet[M]:
        """Those of the rows of an action that are about people on whom this one may act, or about nobody."""
        return rows.filter(Q(user__isnull=True) | Q(user__in=within_rights_of(staff(request))))


class NeverDeleted:
    """Archived, switched off, lifted or revoked instead: what was said and done stays on record."""

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class BoundedPaginator(Paginator):  # type: ignore[type-arg]  # generic in its stubs only
    """Counts no further than `MAX_COUNTED`: a count of the whole table takes longer the more there is."""

    @cached_property
    def count(self) -> int:
        bounded: QuerySet[Model] = self.object_list[:MAX_COUNTED]  # type: ignore[assignment]  # the admin's query
        return bounded.count()


def staff(request: HttpRequest) -> User:
    """The person who acts."""
    assert isinstance(request.user, User)  # the admin lets nobody else in
    return request.user


def staff_key(request: HttpRequest) -> int:
    return staff(request).pk
