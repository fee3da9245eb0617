"""What was said, what it said before, and what others put on it."""

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chat.models.rooms import Room
from chat.models.users import User
from chat.names import MAX_NAME_CHARS

MAX_EMOJI_CHARS = 16
"""Longest reaction in code points: a family with skin tones has 11, a flag of a region 7."""


class Message(models.Model):
    """
    One post. `seq` is the room's version at its birth (the order), `version` that of its last change,
    `number` its ordinal among the room's posts. Removal leaves a tombstone: the row without its text.
    """

    room = models.ForeignKey(Room, models.CASCADE, related_name="messages")
    seq = models.PositiveBigIntegerField(editable=False)
    version = models.PositiveBigIntegerField(editable=False)
    number = models.PositiveBigIntegerField(editable=False)
    author = models.ForeignKey(User, models.PROTECT, related_name="messages")
    author_name = models.CharField(_("author"), max_length=MAX_NAME_CHARS)
    body = models.TextField(_("text"))
    client_id = models.UUIDField(editable=False)
    reply_to = models.PositiveBigIntegerField(
        null=True, blank=True, editable=False, help_text=_("The seq of a message in the same room.")
    )
    via = models.CharField(_("door"), max_length=16)
    created_at = models.DateTimeField(_("posted"), default=timezone.now, editable=False)
    edited_at = models.DateTimeField(_("edited"), null=True, blank=True, editable=False)
    removed_at = models.DateTimeField(_("removed"), null=True, blank=True, editable=False)
    removed_by = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, editable=False, related_name="removed_messages"
    )
    removal_reason = models.CharField(_("reason for the removal"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        constraints = [
            models.UniqueConstraint(fields=["room", "seq"], name="message_order_unique"),
            # client_id first, so that one indexed query finds the repeats of a whole batch.
            models.UniqueConstraint(fields=["client_id", "author"], name="message_client_id_unique"),
            models.CheckConstraint(
                condition=Q(removed_at__isnull=False) | ~Q(body=""), name="message_body_not_empty"
            ),
            models.CheckConstraint(condition=Q(version__gte=F("seq")), name="message_version_after_seq"),
        ]
        indexes = [models.Index(fields=["room", "version"], name="message_changed_since")]

    def __str__(self) -> str:
        return f"{self.author_name}: {self.body[:60]}"


class Revision(models.Model):
    """The text of a message before an edit or a removal."""

    message = models.ForeignKey(Message, models.CASCADE, related_name="revisions")
    body = models.TextField()
    changed_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="revisions")
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("revision")
        verbose_name_plural = _("revisions")
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.message_id} before {self.changed_at:%Y-%m-%d %H:%M:%S}"


class Reaction(models.Model):
    message = models.ForeignKey(Message, models.CASCADE, related_name="reactions")
    user = models.ForeignKey(User, models.CASCADE, related_name="reactions")
    emoji = models.CharField(max_length=MAX_EMOJI_CHARS)

    class Meta:
        verbose_name = _("reaction")
        verbose_name_plural = _("reactions")
        constraints = [models.UniqueConstraint(fields=["message", "emoji", "user"], name="reaction_unique")]

    def __str__(self) -> str:
        return self.emoji
