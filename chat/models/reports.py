"""What members report to moderators."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chat.models.messages import Message
from chat.models.users import User

MAX_REPORT_CHARS = 500


class Report(models.Model):
    """
    A message that somebody found wrong, and the answer to them.

    `context` is what it and those around it said then: a list of {seq, author, body, at}. It stays when they are
    edited or removed, and it is all that others see of a conversation of two.
    """

    message = models.ForeignKey(Message, models.CASCADE, related_name="reports", verbose_name=_("message"))
    reporter = models.ForeignKey(User, models.CASCADE, related_name="reports", verbose_name=_("reported by"))
    reason = models.CharField(_("reason"), max_length=MAX_REPORT_CHARS)
    context = models.JSONField(_("context"), default=list)
    created_at = models.DateTimeField(_("reported"), default=timezone.now)
    answer = models.CharField(
        _("answer"), max_length=MAX_REPORT_CHARS, blank=True, help_text=_("The person who reported it is told.")
    )
    answered_by = models.ForeignKey(
        User,
        models.SET_NULL,
        null=True,
        editable=False,
        related_name="answered_reports",
        verbose_name=_("answered by"),
    )
    answered_at = models.DateTimeField(_("answered"), null=True, editable=False)

    class Meta:
        verbose_name = _("report")
        verbose_name_plural = _("reports")
        constraints = [models.UniqueConstraint(fields=["message", "reporter"], name="report_unique")]

    def __str__(self) -> str:
        return self.reason[:60]
