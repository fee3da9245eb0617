"""Mutes and bans."""

from typing import Self

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chat.models.expiry import not_over
from chat.models.rooms import Room
from chat.models.users import User


class SanctionQuerySet(models.QuerySet["Sanction"]):
    def in_force(self) -> Self:
        """Neither lifted nor over."""
        return self.filter(not_over("until"), lifted_at__isnull=True)


class Sanction(models.Model):
    """A mute (may read) or a ban (may not enter), in one room or everywhere, until a time or until lifted."""

    class Kind(models.TextChoices):
        MUTE = "mute", _("mute")
        BAN = "ban", _("ban")

    user = models.ForeignKey(User, models.CASCADE, related_name="sanctions", verbose_name=_("person"))
    room = models.ForeignKey(
        Room,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="sanctions",
        help_text=_("Leave empty for all rooms."),
    )
    kind = models.CharField(_("kind"), max_length=4, choices=Kind)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    until = models.DateTimeField(
        _("until"), null=True, blank=True, help_text=_("Leave empty if it ends only when somebody lifts it.")
    )
    lifted_at = models.DateTimeField(_("lifted"), null=True, blank=True, editable=False)
    created_by = models.ForeignKey(
        User, models.SET_NULL, null=True, editable=False, related_name="imposed_sanctions"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = SanctionQuerySet.as_manager()

    class Meta:
        verbose_name = _("sanction")
        verbose_name_plural = _("sanctions")
        indexes = [models.Index(fields=["user"], condition=Q(lifted_at__isnull=True), name="sanction_in_force")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.user}"
