"""Mutes and bans, and the addresses for which they hold too."""

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


class GuestAddress(models.Model):
    """From where a guest with an account was here lately: one host over IPv4, a network of 64 bits over IPv6."""

    user = models.ForeignKey(User, models.CASCADE, related_name="guest_addresses", verbose_name=_("person"))
    network = models.CharField(_("address"), max_length=64)
    seen_at = models.DateTimeField(_("last seen"), default=timezone.now, db_index=True)

    class Meta:
        verbose_name = _("address of a guest")
        verbose_name_plural = _("addresses of guests")
        constraints = [models.UniqueConstraint(fields=["user", "network"], name="guest_address_unique")]

    def __str__(self) -> str:
        return self.network


class SanctionedAddress(models.Model):
    """For all guests of this address the sanction of one of them holds too, until a time and no longer than it."""

    sanction = models.ForeignKey(Sanction, models.CASCADE, related_name="addresses")
    network = models.CharField(_("address"), max_length=64)
    until = models.DateTimeField(_("until"), db_index=True)

    class Meta:
        verbose_name = _("address under a sanction")
        verbose_name_plural = _("addresses under a sanction")
        constraints = [models.UniqueConstraint(fields=["sanction", "network"], name="sanctioned_address_unique")]

    def __str__(self) -> str:
        return f"{self.network} until {self.until:%Y-%m-%d %H:%M} UTC"
