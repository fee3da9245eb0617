"""
What is stored. Invariants live in the database, named; writes that others must hear of go through
`chat.services` and `chat.realtime.writer`.
"""

from typing import Any

from django.contrib.auth.models import AbstractUser
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chat.names import MAX_NAME_CHARS, name_key

MAX_TOPIC_CHARS = 200
MAX_EMOJI_CHARS = 16
"""Longest reaction in code points: a family with skin tones has 11, a flag of a region 7."""


class User(AbstractUser):
    """A person or a program. `username` is what one logs in with; `name` is what others see."""

    name = models.CharField(_("name"), max_length=MAX_NAME_CHARS, blank=True)
    name_key = models.CharField(max_length=2 * MAX_NAME_CHARS, editable=False)
    is_guest = models.BooleanField(_("guest"), default=False)
    is_bot = models.BooleanField(_("bot"), default=False)
    language = models.CharField(_("language"), max_length=10, blank=True)

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        constraints = [
            models.UniqueConstraint(
                fields=["name_key"], name="user_name_unique", violation_error_message=_("This name is taken.")
            )
        ]

    def __str__(self) -> str:
        return self.name or self.username

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.name = self.name or self.username[:MAX_NAME_CHARS]
        self.name_key = name_key(self.name)
        if kwargs.get("update_fields") is not None:
            kwargs["update_fields"] = {*kwargs["update_fields"], "name", "name_key"}
        super().save(*args, **kwargs)


class Room(models.Model):
    class Kind(models.TextChoices):
        PUBLIC = "public", _("public")
        PRIVATE = "private", _("private")
        DIRECT = "direct", _("direct")

    name = models.CharField(_("name"), max_length=MAX_NAME_CHARS)
    name_key = models.CharField(max_length=2 * MAX_NAME_CHARS, editable=False)
    kind = models.CharField(_("kind"), max_length=8, choices=Kind, default=Kind.PUBLIC)
    topic = models.CharField(_("topic"), max_length=MAX_TOPIC_CHARS, blank=True)
    auto_join = models.BooleanField(
        _("auto join"), default=True, help_text=_("Everyone hears a public room with auto join at once.")
    )
    archived = models.BooleanField(_("archived"), default=False)
    read_only = models.BooleanField(
        _("read only"), default=False, help_text=_("Only its moderators and owners may post.")
    )
    slow_mode_seconds = models.PositiveIntegerField(
        _("slow mode"), default=0, help_text=_("Seconds between two posts of one person; 0 is off.")
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
            models.CheckConstraint(condition=Q(posts__lte=F("version")), name="room_posts_within_version"),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.name_key = name_key(self.name)
        if kwargs.get("update_fields") is not None:
            kwargs["update_fields"] = {*kwargs["update_fields"], "name_key"}
        super().save(*args, **kwargs)


class Membership(models.Model):
    """
    One person's tie to one room: role, place read to, and whether he left.

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
        _("left"), default=False, help_text=_("Was here and went: keeps an auto join room away.")
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
    removal_reason = models.CharField(_("reason of removal"), max_length=200, blank=True)

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
        help_text=_("Empty: everywhere."),
    )
    kind = models.CharField(_("kind"), max_length=4, choices=Kind)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    until = models.DateTimeField(_("until"), null=True, blank=True, help_text=_("Empty: until lifted."))
    lifted_at = models.DateTimeField(_("lifted"), null=True, blank=True, editable=False)
    created_by = models.ForeignKey(
        User, models.SET_NULL, null=True, editable=False, related_name="imposed_sanctions"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("sanction")
        verbose_name_plural = _("sanctions")
        indexes = [models.Index(fields=["user"], condition=Q(lifted_at__isnull=True), name="sanction_in_force")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.user}"


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

    class Meta:
        verbose_name = _("token")
        verbose_name_plural = _("tokens")
        constraints = [models.UniqueConstraint(fields=["digest"], name="token_digest_unique")]

    def __str__(self) -> str:
        return f"{self.name} (…{self.hint})"


class Contact(models.Model):
    """One person asked another to be in touch; both ways once the other asked back."""

    class State(models.TextChoices):
        REQUESTED = "requested", _("requested")
        FRIENDS = "friends", _("friends")
        DECLINED = "declined", _("declined")

    asker = models.ForeignKey(User, models.CASCADE, related_name="asked_contacts")
    asked = models.ForeignKey(User, models.CASCADE, related_name="contact_requests")
    state = models.CharField(_("state"), max_length=9, choices=State, default=State.REQUESTED)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        constraints = [
            models.UniqueConstraint(fields=["asker", "asked"], name="contact_unique"),
            models.CheckConstraint(condition=~Q(asker=F("asked")), name="contact_of_two"),
        ]

    def __str__(self) -> str:
        return f"{self.asker} → {self.asked}"


class Process(models.Model):
    """A serving process; its connections count while `seen_at` is fresh."""

    key = models.CharField(max_length=32, primary_key=True)
    started_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        verbose_name = _("process")
        verbose_name_plural = _("processes")

    def __str__(self) -> str:
        return self.key


class Connection(models.Model):
    """One open connection of a process. `person_key` is `u<user pk>`, or `g…` for a visitor without a row."""

    process = models.ForeignKey(Process, models.CASCADE, related_name="connections")
    key = models.CharField(max_length=32)
    person_key = models.CharField(max_length=40, db_index=True)
    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="connections")
    name = models.CharField(max_length=MAX_NAME_CHARS)
    name_key = models.CharField(max_length=2 * MAX_NAME_CHARS, db_index=True)
    door = models.CharField(max_length=16)
    address = models.CharField(max_length=64, blank=True)
    connected_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("connection")
        verbose_name_plural = _("connections")
        constraints = [models.UniqueConstraint(fields=["key"], name="connection_key_unique")]

    def __str__(self) -> str:
        return f"{self.name} over {self.door}"


class SiteSettings(models.Model):
    """The switches of the whole site: one row."""

    class SignUp(models.TextChoices):
        OPEN = "open", _("open to everyone")
        INVITATION = "invitation", _("by invitation")
        CLOSED = "closed", _("closed")

    title = models.CharField(_("title"), max_length=MAX_NAME_CHARS, default="Hubtalk")
    sign_up = models.CharField(_("sign-up"), max_length=10, choices=SignUp, default=SignUp.CLOSED)
    guests_allowed = models.BooleanField(
        _("guests allowed"), default=False, help_text=_("A visitor without an account may read and post.")
    )
    rooms_by_everyone = models.BooleanField(
        _("everyone may create rooms"), default=True, help_text=_("Else only staff may.")
    )
    edit_window_minutes = models.PositiveIntegerField(
        _("edit window"),
        default=0,
        validators=[MinValueValidator(0)],
        help_text=_("Minutes in which one may edit an own message; 0: no end."),
    )
    setup_digest = models.CharField(max_length=64, blank=True, editable=False)

    class Meta:
        verbose_name = _("site settings")
        verbose_name_plural = _("site settings")
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="site_settings_one_row")]

    def __str__(self) -> str:
        return self.title


class Invitation(models.Model):
    """Lets one person sign up while sign-up is by invitation. Only a SHA-256 digest of the code is kept."""

    digest = models.CharField(max_length=64, editable=False)
    note = models.CharField(_("for whom"), max_length=100, blank=True)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, editable=False, related_name="invitations")
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    used_by = models.OneToOneField(
        User, models.SET_NULL, null=True, blank=True, editable=False, related_name="invitation"
    )

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        constraints = [models.UniqueConstraint(fields=["digest"], name="invitation_unique")]

    def __str__(self) -> str:
        return self.note or str(self.pk)
