"""What programs log in with."""

from typing import Self

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chat.models.expiry import not_over
from chat.models.users import User
from chat.names import MAX_NAME_CHARS


class TokenQuerySet(models.QuerySet["Token"]):
    def in_force(self) -> Self:
        """Neither revoked nor expired, of people who are active."""
        return self.filter(not_over("expires_at"), revoked_at__isnull=True, user__is_active=True)


class Token(models.Model):
    """What a program logs in with. Only a SHA-256 digest is kept; the token itself is shown once."""

    user = models.ForeignKey(User, models.CASCADE, related_name="tokens", verbose_name=_("person"))
    name = models.CharField(_("name"), max_length=MAX_NAME_CHARS)
    digest = models.CharField(max_length=64, editable=False)
    hint = models.CharField(max_length=4, editable=False)
    scopes = models.JSONField(_("scopes"), default=list, blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True, editable=False)

    objects = TokenQuerySet.as_manager()

    class Meta:
        verbose_name = _("token")
        verbose_name_plural = _("tokens")
        constraints = [models.UniqueConstraint(fields=["digest"], name="token_digest_unique")]

    def __str__(self) -> str:
        return f"{self.name} (…{self.hint})"
