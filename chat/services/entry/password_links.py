"""Links by which a person chooses a password of their own: staff make one, nobody makes the password of another."""

import logging

from django.contrib.auth.models import AbstractBaseUser
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from chat.models import Act, User
from chat.services.acts.record import record

logger = logging.getLogger("hubtalk.log_in")


class PasswordLinks(PasswordResetTokenGenerator):
    """Not kept: a link holds for some days, until its person logs in, has another password or other rights."""

    key_salt = "chat.services.entry.password_links"

    def _make_hash_value(self, user: AbstractBaseUser, timestamp: int) -> str:
        assert isinstance(user, User)
        # Whoever made it had all the rights of the person then.
        permissions = sorted(user.user_permissions.values_list("pk", flat=True))
        rights = f"{user.is_active}{user.is_staff}{user.is_superuser}{permissions}"
        return f"{super()._make_hash_value(user, timestamp)}{rights}"


LINKS = PasswordLinks()


def make_link(user: User, *, by: User) -> dict[str, str]:
    """What the address of a new link holds."""
    logger.warning("link to choose a password of %s: made by %s", user.username, by.username)
    record(Act.Kind.PASSWORD, by=by.pk, person_id=user.pk)
    return {"uidb64": urlsafe_base64_encode(force_bytes(user.pk)), "token": LINKS.make_token(user)}
