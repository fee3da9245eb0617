"""What holds until a time, or without an end."""

from django.db.models import Q
from django.utils import timezone


def not_over(field: str) -> Q:
    """Rows whose time in `field` has not come; NULL never comes."""
    return Q(**{f"{field}__isnull": True}) | Q(**{f"{field}__gt": timezone.now()})
