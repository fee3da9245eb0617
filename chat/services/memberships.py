"""Who belongs to a room, in which role, and how far he has read."""

from collections.abc import Mapping

from django.db import transaction

from chat.events import PersonChanged
from chat.models import Membership, Message
from chat.services.announcing import announce_after_commit


def join_room(room_id: int, user_id: int, *, role: str | None = None) -> Membership:
    """Make a person a member, or one again; a role is changed only when given."""
    with transaction.atomic():
        changes = {"left": False} if role is None else {"left": False, "role": role}
        tie, _ = Membership.objects.update_or_create(room_id=room_id, user_id=user_id, defaults=changes)
        announce_after_commit(PersonChanged(user_id))
    return tie


def leave_room(room_id: int, user_id: int) -> None:
    """The person no longer hears the room; his place and role are forgotten, that he left is not."""
    with transaction.atomic():
        changes = {"left": True, "role": Membership.Role.MEMBER}
        Membership.objects.update_or_create(room_id=room_id, user_id=user_id, defaults=changes)
        announce_after_commit(PersonChanged(user_id))


def save_places(places: Mapping[tuple[int, int], tuple[int, int]]) -> None:
    """Store how far people have read: {(room, user): (seq, number of posts)}. A place never moves back."""
    with transaction.atomic():
        ties = [Membership(room_id=room_id, user_id=user_id) for room_id, user_id in places]
        Membership.objects.bulk_create(ties, ignore_conflicts=True)
        for (room_id, user_id), (seq, number) in places.items():
            tie = Membership.objects.filter(room_id=room_id, user_id=user_id, read_seq__lt=seq)
            tie.update(read_seq=seq, read_posts=number)


def posts_up_to(room_id: int, seq: int) -> tuple[int, int]:
    """The last post of a room with at most this seq: its seq and number; zeros before the first."""
    posts = Message.objects.filter(room_id=room_id, seq__lte=seq).order_by("-seq")
    return posts.values_list("seq", "number").first() or (0, 0)
