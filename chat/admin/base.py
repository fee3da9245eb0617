"""What our admin pages share."""

from typing import Any

from django.core.paginator import Paginator
from django.db.models import Model
from django.http import HttpRequest
from django.utils.functional import cached_property


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


class UncountedPaginator(Paginator):  # type: ignore[type-arg]  # generic in its stubs only
    """Pages without a count of the whole table, which takes longer the more there is: always one more page."""

    @cached_property
    def count(self) -> int:
        return 1_000_000_000

    @property
    def page_range(self) -> range:
        return range(1, 2)


def staff_key(request: HttpRequest) -> int:
    """Key of the person who acts."""
    assert request.user.pk is not None  # the admin lets nobody else in
    return int(request.user.pk)
