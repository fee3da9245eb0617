"""Rooms, and who belongs to them."""

from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chat.models.users import User
from chat.names import MAX_LOOK_CHARS, MAX_NAME_CHARS, name_key, name_look

MAX_TOPIC_CHARS = 200


class Room(models.Model):
    class Kind(models.TextChoices):
        PUBLIC = "public", _("public")
        PRIVATE = "private", _("private")
        DIRECT = "direct", _("direct")

    name = models.CharField(_("name"), max_length=MAX_NAME_CHARS)
    name_key = models.CharField(max_length=MAX_LOOK_CHARS, editable=False)
    name_look = models.CharField(max_length=MAX_LOOK_CHARS, editable=False)
    kind = models.CharField(_("kind"), max_length=8, choices=Kind, default=Kind.PUBLIC)
    topic = models.CharField(_("topic"), max_length=MAX_TOPIC_CHARS, blank=True)
    auto_join = models.BooleanField(
        _("auto join"),
        default=True,
        help_text=_("A public room with auto join is in everyone's list of rooms from the start."),
    )
    archived = models.BooleanField(_("archived"), default=False)
    read_only = models.BooleanField(
        _("read only"), default=False, help_text=_("Only moderators and owners of the room may post.")
    )
    slow_mode_seconds = models.PositiveIntegerField(
        _("slow mode"),
        default=0,
        help_text=_("Seconds between two posts of the same person; 0 switches slow mode off."),
    )
    version = models.PositiveBigIntegerField(default=0, editable=False)
    posts = models.PositiveBigIntegerField(default=0, editable=False)
    created_by = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, editable=False, related_name="created_rooms"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("room")
        verbose_name_plural = _("rooms")
        constraints = [
            models.UniqueConstraint(
                fields=["name_key"], name="room_name_unique", violation_error_message=_("This name is taken.")
            ),
            models.UniqueConstraint(
                fields=["name_look"], name="room_look_unique", violation_error_message=_("This name is taken.")
            ),
            models.CheckConstraint(condition=Q(posts__lte=F("version")), name="room_posts_within_version"),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.name_key, self.name_look = name_key(self.name), name_look(self.name)
        if kwargs.get("update_fields") is not None:
            kwargs["update_fields"] = {*kwargs["update_fields"], "name_key", "name_look"}
        super().save(*args, **kwargs)


class Membership(models.Model):
    """
    One person's membership of one room: role, how far they have read, and whether they left.

    A public room needs no membership to read or post; a row appears with the first thing to remember.
    """

    class Role(models.TextChoices):
        MEMBER = "member", _("member")
        MODERATOR = "moderator", _("moderator")
        OWNER = "owner", _("owner")

    room = models.ForeignKey(Room, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    role = models.CharField(_("role"), max_length=9, choices=Role, default=Role.MEMBER)
    left = models.BooleanField(
        _("left"), default=False, help_text=_("The person left the room: auto join does not bring them back.")
    )
    muted = models.BooleanField(_("notifications muted"), default=False)
    read_seq = models.PositiveBigIntegerField(default=0, editable=False)
    read_posts = models.PositiveBigIntegerField(default=0, editable=False)
    joined_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = [models.UniqueConstraint(fields=["room", "user"], name="membership_unique")]

    def __str__(self) -> str:
        return f"{self.user} in {self.room}"
