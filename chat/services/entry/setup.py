"""The link by which the operator makes the first admin; only a digest of it is kept."""

from chat.models import SiteSettings, User
from chat.secrets import digest_of, new_secret


def new_setup_token() -> str | None:
    """A fresh token for the link, which replaces the last one; None once there is an admin."""
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
