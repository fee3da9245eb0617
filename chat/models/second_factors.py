"""What people show besides their password: codes of an app, and codes on paper for when they lost it."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chat.models.users import User


class SecondFactor(models.Model):
    """
    The secret from which a person's app makes codes (TOTP, RFC 6238).

    The secret itself is kept, in base32: the server makes the same codes from it.
    """

    user = models.OneToOneField(User, models.CASCADE, related_name="second_factor", verbose_name=_("person"))
    secret = models.CharField(max_length=64, editable=False)
    last_step = models.BigIntegerField(editable=False)
    """The time step of the last code that counted: neither it nor an earlier one counts again."""
    since = models.DateTimeField(_("since"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("second factor")
        verbose_name_plural = _("second factors")

    def __str__(self) -> str:
        return str(self.user)


class RecoveryCode(models.Model):
    """Stands for one code of the app, once: then it is deleted. Only a SHA-256 digest of it is kept."""

    factor = models.ForeignKey(SecondFactor, models.CASCADE, related_name="recovery_codes")
    digest = models.CharField(max_length=64, editable=False)

    class Meta:
        verbose_name = _("recovery code")
        verbose_name_plural = _("recovery codes")
        constraints = [models.UniqueConstraint(fields=["factor", "digest"], name="recovery_code_unique")]

    def __str__(self) -> str:
        return str(self.pk)
