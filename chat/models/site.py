"""The switches of the whole site, and invitations to it."""

from typing import Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chat.models.expiry import not_over
from chat.models.users import User
from chat.names import MAX_NAME_CHARS


class SiteSettings(models.Model):
    """The switches of the whole site: one row."""

    class SignUp(models.TextChoices):
        OPEN = "open", _("open to everyone")
        INVITATION = "invitation", _("by invitation")
        CLOSED = "closed", _("closed")

    title = models.CharField(_("title"), max_length=MAX_NAME_CHARS, default="Hubtalk")
    sign_up = models.CharField(_("sign-up"), max_length=10, choices=SignUp, default=SignUp.CLOSED)
    sign_up_by_openid = models.BooleanField(
        _("sign-up by OpenID Connect"),
        default=False,
        help_text=_("Who logs in by OpenID Connect for the first time gets an account, whatever is chosen above."),
    )
    guests_allowed = models.BooleanField(
        _("guests allowed"), default=False, help_text=_("People without an account may read and post.")
    )
    rooms_by_everyone = models.BooleanField(
        _("everyone may create rooms"), default=True, help_text=_("If this is off, only staff may.")
    )
    edit_window_minutes = models.PositiveIntegerField(
        _("edit window"),
        default=0,
        validators=[MinValueValidator(0)],
        help_text=_("For how many minutes people may edit their own messages; 0 means no limit."),
    )
    calm = models.BooleanField(_("calm"), default=False, help_text=_("Guests may read, and nothing else."))
    guest_address_hours = models.PositiveIntegerField(
        _("hours for addresses of guests"),
        default=24,
        validators=[MaxValueValidator(24 * 365)],
        help_text=_(
            "For how long a ban, mute or removal of a guest also holds for the other guests of their address; 0: "
            "not at all. People who log in are not concerned."
        ),
    )
    guests_at_once = models.PositiveIntegerField(
        _("guests at once"),
        default=2000,
        validators=[MinValueValidator(1)],
        help_text=_("Connections of guests to one process; further ones have to log in."),
    )
    guests_per_address = models.PositiveIntegerField(
        _("guests of one address"),
        default=100,
        validators=[MinValueValidator(1)],
        help_text=_("Connections of guests from one address to one process; further ones have to log in."),
    )
    sessions_for_guests = models.PositiveIntegerField(
        _("sessions for guests"),
        default=100_000,
        validators=[MinValueValidator(1)],
        help_text=_("When the site has so many sessions, new guests get none; people who log in do."),
    )
    staff_need_two_factors = models.BooleanField(
        _("staff need two factors"),
        default=False,
        help_text=_("Staff without two-factor log-in set it up before anything opens here."),
    )
    objections = models.CharField(
        _("objections"),
        max_length=200,
        blank=True,
        help_text=_("Where people object to a ban or mute, such as an e-mail address. They are told."),
    )
    setup_digest = models.CharField(max_length=64, blank=True, editable=False)

    class Meta:
        verbose_name = _("site settings")
        verbose_name_plural = _("site settings")
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="site_settings_one_row")]

    def __str__(self) -> str:
        return self.title

    @classmethod
    def current(cls) -> Self:
        """The row, or the defaults of a site that has none yet."""
        return cls.objects.filter(pk=1).first() or cls()


class RateLimit(models.Model):
    """How often people may do something, where an admin has changed it; `chat.actions.limits` has the defaults."""

    name = models.CharField(_("what"), max_length=20)
    burst = models.PositiveIntegerField(_("at once"), validators=[MinValueValidator(1)])
    per_minute = models.FloatField(_("a minute"), validators=[MinValueValidator(0.01)])

    class Meta:
        verbose_name = _("rate limit")
        verbose_name_plural = _("rate limits")
        constraints = [
            models.UniqueConstraint(fields=["name"], name="rate_limit_unique"),
            models.CheckConstraint(condition=Q(burst__gte=1, per_minute__gt=0), name="rate_limit_positive"),
        ]

    def __str__(self) -> str:
        return self.name


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def open(self) -> Self:
        """Neither used nor expired."""
        return self.filter(not_over("expires_at"), used_by__isnull=True)


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

    objects = InvitationQuerySet.as_manager()

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        constraints = [models.UniqueConstraint(fields=["digest"], name="invitation_unique")]

    def __str__(self) -> str:
        return self.note or str(self.pk)
