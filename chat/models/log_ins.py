"""How often somebody tried to log in, and by what besides a password people log in."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chat.models.users import User


class LogInAttempts(models.Model):
    """Log-ins that were tried within a window and did not succeed, by one name, from one address, or both."""

    class By(models.TextChoices):
        NAME = "name", _("username")
        ADDRESS = "address", _("address")
        BOTH = "both", _("username and address")

    by = models.CharField(_("counted by"), max_length=7, choices=By)
    digest = models.CharField(max_length=64, editable=False)
    user = models.ForeignKey(User, models.CASCADE, null=True, editable=False, verbose_name=_("person"))
    address = models.CharField(_("address"), max_length=64, blank=True)
    count = models.PositiveIntegerField(_("attempts"), default=0)
    since = models.DateTimeField(_("since"), default=timezone.now, db_index=True)

    class Meta:
        verbose_name = _("log-in attempts")
        verbose_name_plural = _("log-in attempts")
        constraints = [models.UniqueConstraint(fields=["by", "digest"], name="log_in_attempts_unique")]

    def __str__(self) -> str:
        return f"{self.get_by_display()}: {self.count}"


class OpenIdentity(models.Model):
    """Who a person is at an OpenID provider: the subject, which only together with its issuer is somebody."""

    user = models.ForeignKey(User, models.CASCADE, related_name="open_identities", verbose_name=_("person"))
    issuer = models.CharField(max_length=255, editable=False)
    subject = models.CharField(max_length=255, editable=False)

    class Meta:
        verbose_name = _("OpenID identity")
        verbose_name_plural = _("OpenID identities")
        constraints = [models.UniqueConstraint(fields=["issuer", "subject"], name="open_identity_unique")]

    def __str__(self) -> str:
        return f"{self.subject} at {self.issuer}"
