"""The log: what moderators and admins did, and what took it back."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, NoReturn, Self

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chat.models.rooms import Room
from chat.models.users import User
from chat.names import MAX_NAME_CHARS

UNDO_DAYS = 30
"""For how long an act can be taken back."""


class ExactEncoder(DjangoJSONEncoder):
    """Keeps the microseconds of a time, so that a row can be put back as it was."""

    def default(self, o: Any) -> Any:
        return o.isoformat() if isinstance(o, datetime) else super().default(o)


class Unchangeable(TypeError):
    """The log is only ever added to."""


class ActQuerySet(models.QuerySet["Act"]):
    def can_be_undone(self) -> Self:
        """Neither final, nor taken back, nor too old."""
        since = timezone.now() - timedelta(days=UNDO_DAYS)
        return self.filter(at__gt=since, undone_by__isnull=True).exclude(kind__in=FINAL)

    def update(self, **kwargs: Any) -> NoReturn:
        raise Unchangeable

    def bulk_update(self, objs: Iterable["Act"], *args: Any, **kwargs: Any) -> NoReturn:
        raise Unchangeable

    def delete(self) -> NoReturn:
        raise Unchangeable


class Act(models.Model):
    """
    One thing that somebody did to others: who, when, from where, to whom, what it changed, and why.

    `changes` is a list of {table, key, before, after}, where `before` and `after` hold the fields that differ, and
    None stands for no row. Texts of messages are not among them: `revision` names the row that keeps one. The keys
    of people and rooms stay when a room is deleted, so they are no constraints of the database.
    """

    class Kind(models.TextChoices):
        BAN = "ban", _("ban")
        MUTE = "mute", _("mute")
        LIFT = "lift", _("sanction lifted")
        KICK = "kick", _("removal from a room")
        MEMBER = "member", _("membership")
        REMOVE = "remove", _("message removed")
        EDIT = "edit", _("message edited")
        ROOM = "room", _("room changed")
        ROOM_MADE = "room-made", _("room created")
        ROOM_DELETED = "room-deleted", _("room deleted")
        PERSON = "person", _("person changed")
        PASSWORD = "password", _("link to a password")
        UNLOCK = "unlock", _("log-in unlocked")
        TWO_FACTOR = "two-factor", _("second factor reset")
        SITE = "site", _("site settings changed")
        RATE = "rate", _("rate limit changed")
        ANNOUNCE = "announce", _("announcement")
        PUSH = "push", _("push")
        REVOKE = "revoke", _("token revoked")
        INVITE = "invite", _("invitation created")
        WITHDRAW = "withdraw", _("invitation deleted")
        READ = "read", _("conversation read")
        UNDO = "undo", _("taken back")

    kind = models.CharField(_("act"), max_length=12, choices=Kind)
    at = models.DateTimeField(_("time"), default=timezone.now, db_index=True)
    by = models.ForeignKey(
        User,
        models.DO_NOTHING,
        null=True,
        db_constraint=False,
        related_name="acts",
        verbose_name=_("who"),
        help_text=_("Empty: the server itself, or a command."),
    )
    by_name = models.CharField(max_length=MAX_NAME_CHARS, blank=True)
    address = models.CharField(_("address"), max_length=64, blank=True)
    door = models.CharField(_("door"), max_length=16, blank=True)
    person = models.ForeignKey(
        User,
        models.DO_NOTHING,
        null=True,
        db_constraint=False,
        related_name="acts_upon",
        verbose_name=_("whom"),
    )
    person_name = models.CharField(max_length=MAX_NAME_CHARS, blank=True)
    room = models.ForeignKey(
        Room, models.DO_NOTHING, null=True, db_constraint=False, related_name="acts", verbose_name=_("room")
    )
    room_name = models.CharField(max_length=MAX_NAME_CHARS, blank=True)
    changes = models.JSONField(_("changes"), default=list, encoder=ExactEncoder)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    bulk = models.UUIDField(_("done together"), db_index=True, help_text=_("All that one request did."))
    undoes = models.OneToOneField(
        "self", models.PROTECT, null=True, related_name="undone_by", verbose_name=_("takes back")
    )

    objects = ActQuerySet.as_manager()

    class Meta:
        verbose_name = _("entry of the log")
        verbose_name_plural = _("log")
        constraints = [
            models.CheckConstraint(
                condition=Q(undoes__isnull=True) | Q(kind="undo"), name="act_that_takes_back_is_an_undo"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {self.at:%Y-%m-%d %H:%M:%S}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise Unchangeable
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise Unchangeable


class Ending(models.Model):
    """An act that holds until a time; the server then takes it back, and this row is deleted."""

    act = models.OneToOneField(Act, models.CASCADE, related_name="ending")
    at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = _("end of an act")
        verbose_name_plural = _("ends of acts")

    def __str__(self) -> str:
        return f"{self.act} until {self.at:%Y-%m-%d %H:%M:%S}"


FINAL = (
    *(Act.Kind.ROOM_MADE, Act.Kind.ROOM_DELETED, Act.Kind.PASSWORD, Act.Kind.UNLOCK, Act.Kind.TWO_FACTOR),
    *(Act.Kind.ANNOUNCE, Act.Kind.PUSH, Act.Kind.REVOKE, Act.Kind.INVITE, Act.Kind.WITHDRAW, Act.Kind.READ),
)
"""What cannot be taken back: it was heard or read, or a secret went out, or too much is gone."""
