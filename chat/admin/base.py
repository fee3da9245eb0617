"""What our admin pages share."""

from typing import Any

from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

MAX_COUNTED = 10_000
"""How many rows can be paged through; beyond that, search."""


class ReadOnly:
    """Shown, not changed here."""

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


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


def staff_key(request: HttpRequest) -> int:
    """Key of the person who acts."""
    assert request.user.pk is not None  # the admin lets nobody else in
    return int(request.user.pk)
