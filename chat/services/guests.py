"""From where guests come, for what holds for their address."""

from django.utils import timezone

from chat.models import GuestAddress, User


def note_address(user_id: int, network: str) -> None:
    """A guest with this account was here just now, from there."""
    if User.objects.filter(pk=user_id, is_guest=True).exists():
        seen = {"seen_at": timezone.now()}
        GuestAddress.objects.update_or_create(user_id=user_id, network=network, defaults=seen)
