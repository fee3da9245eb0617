"""Whom a person may act on: nobody who has a right that they lack, or they would have it through them."""

from django.contrib.auth.models import Permission
from django.db.models import Q, QuerySet

from chat.models import User


def within_rights_of(actor: User | None) -> QuerySet[User]:
    """The people who have no right in the admin beyond those of one; None: of a guest without an account."""
    if actor is not None and actor.is_superuser:
        return User.objects.all()
    own = Permission.objects.filter(Q(user=actor) | Q(group__user=actor)) if actor else Permission.objects.none()
    beyond = Permission.objects.exclude(pk__in=own)
    people = User.objects.filter(is_superuser=False)
    people = people.exclude(user_permissions__in=beyond).exclude(groups__permissions__in=beyond)
    return people if actor is not None and actor.is_staff else people.filter(is_staff=False)


def exceeds(other: User, actor: User | None) -> bool:
    """Whether a person has a right that another lacks."""
    return not within_rights_of(actor).filter(pk=other.pk).exists()


def has_permission(user_id: int, permission: str) -> bool:
    """Whether an account has a permission of Django now, such as `shop.change_order`, by itself or by a group."""
    user = User.objects.filter(pk=user_id).first()
    return user is not None and user.has_perm(permission)
