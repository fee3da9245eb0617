"""What the fields of a new password say, on every form."""

from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.forms import SetPasswordMixin
from django.contrib.auth.password_validation import MinimumLengthValidator
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

PASSWORD = _("Password")
PASSWORD_AGAIN = _("Password, again")
NEW_PASSWORD = _("New password")
NEW_PASSWORD_AGAIN = _("New password, again")


class OwnWords:
    """Labels stand above their fields, and are no sentences that a colon ends."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})


class NewPassword(OwnWords, SetPasswordMixin):  # type: ignore[type-arg]  # generic in its stubs only
    """Two fields for a new password. Its rules are one sentence, and what is wrong stands beside the first."""

    error_messages = {"password_mismatch": _("The two passwords differ.")}

    @staticmethod
    def create_password_fields(label1: Any = PASSWORD, label2: Any = PASSWORD_AGAIN) -> tuple[Any, Any]:
        first, second = SetPasswordMixin.create_password_fields(label1, label2)
        rules = _("At least {n} characters, not a common word, not only digits, and not your name.")
        first.help_text = format_lazy(rules, n=MinimumLengthValidator().min_length)
        second.help_text = ""
        return first, second

    def validate_password_for_user(self, user: AbstractBaseUser, password_field_name: str = "password2") -> None:
        super().validate_password_for_user(user, password_field_name.replace("2", "1"))
