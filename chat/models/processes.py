"""Serving processes and their open connections."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chat.models.users import User
from chat.names import MAX_LOOK_CHARS, MAX_NAME_CHARS


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
    """One open connection of a process. `person_key` is `u<user pk>`, or `g…` for a guest without an account."""

    process = models.ForeignKey(Process, models.CASCADE, related_name="connections")
    key = models.CharField(max_length=32)
    person_key = models.CharField(max_length=40, db_index=True)
    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="connections")
    name = models.CharField(max_length=MAX_NAME_CHARS)
    name_key = models.CharField(max_length=MAX_LOOK_CHARS, db_index=True)
    name_look = models.CharField(max_length=MAX_LOOK_CHARS, db_index=True)
    door = models.CharField(max_length=16)
    address = models.CharField(max_length=64, blank=True)
    connected_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("connection")
        verbose_name_plural = _("connections")
        constraints = [models.UniqueConstraint(fields=["key"], name="connection_key_unique")]

    def __str__(self) -> str:
        return f"{self.name} over {self.door}"
