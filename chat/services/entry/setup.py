"""How a site begins: who may come, and the link by which the operator makes the first admin."""

from typing import Any

from chat.models import SiteSettings, User
from chat.secrets import digest_of, new_secret

FOR_EVERYONE: dict[str, Any] = {"guests_allowed": True, "sign_up": SiteSettings.SignUp.OPEN}
BY_INVITATION: dict[str, Any] = {"guests_allowed": False, "sign_up": SiteSettings.SignUp.INVITATION}
"""Fields of the site's settings; the operator chooses one of the two, and may change each later."""


def new_setup_token() -> str | None:
    """
    A fresh token for the link, which replaces the last one; None once there is an admin. Only a digest is kept.
    """
    if _has_admin():
        SiteSettings.objects.exclude(setup_digest="").update(setup_digest="")
        return None
    token = new_secret()
    SiteSettings.objects.update_or_create(pk=1, defaults={"setup_digest": digest_of(token)})
    return token


def is_open(token: str) -> bool:
    return not _has_admin() and SiteSettings.objects.filter(setup_digest=digest_of(token)).exists()


def redeem(token: str) -> bool:
    """Use the link up; of two who do so at once, one gets True. To be called within a transaction."""
    used = SiteSettings.objects.filter(setup_digest=digest_of(token)).update(setup_digest="")
    return used == 1 and not _has_admin()


def _has_admin() -> bool:
    return User.objects.filter(is_superuser=True, is_active=True).exists()
