"""Who is known: people and programs."""

from typing import Any

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _

from chat.names import MAX_LOOK_CHARS, MAX_NAME_CHARS, name_key, name_look


class User(AbstractUser):
    """A person or a program. `username` is what one logs in with; `name` is what others see."""

    name = models.CharField(_("name"), max_length=MAX_NAME_CHARS, blank=True)
    name_key = models.CharField(max_length=MAX_LOOK_CHARS, editable=False)
    name_look = models.CharField(max_length=MAX_LOOK_CHARS, editable=False)
    is_guest = models.BooleanField(_("guest"), default=False)
    is_bot = models.BooleanField(_("bot"), default=False)
    language = models.CharField(_("language"), max_length=10, blank=True)

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        constraints = [
            models.UniqueConstraint(
                fields=["name_key"], name="user_name_unique", violation_error_message=_("This name is taken.")
            ),
            models.UniqueConstraint(
                fields=["name_look"], name="user_look_unique", violation_error_message=_("This name is taken.")
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.username

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.name = self.name or self.username[:MAX_NAME_CHARS]
        self.name_key, self.name_look = name_key(self.name), name_look(self.name)
        if kwargs.get("update_fields") is not None:
            kwargs["update_fields"] = {*kwargs["update_fields"], "name", "name_key", "name_look"}
        super().save(*args, **kwargs)
