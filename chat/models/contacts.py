"""People who are in touch."""

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chat.models.users import User


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
