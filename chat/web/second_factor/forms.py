"""Forms that ask for a code, which is counted as a password is."""

import time
from collections.abc import Callable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from chat.models import User
from chat.services.entry import second_factors
from chat.web.limits import count_guess
from chat.web.passwords import OwnWords

MAX_CODE_CHARS = 40


class OfPerson(OwnWords, forms.Form):
    """Asks a person, at an address, for what only they should know."""

    def __init__(self, *args: Any, user: User, address: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._user = user
        self._address = address

    def _guess(self, is_right: Callable[[str], bool], given: str, what: str, wrong: Any) -> None:
        def check() -> None:
            if not is_right(given):
                raise forms.ValidationError(wrong)

        count_guess(check, self._user.get_username(), self._address, what=what)


class StepForm(OfPerson):
    """The second step of a log-in."""

    code = forms.CharField(
        label=_("Code"),
        max_length=MAX_CODE_CHARS,
        help_text=_("The six digits that your app shows, or one of your recovery codes."),
        widget=forms.TextInput(
            attrs={
                "autocomplete": "one-time-code",
                "autocapitalize": "none",
                "spellcheck": "false",
                "autofocus": True,
            }
        ),
    )

    def clean_code(self) -> None:
        self._guess(self._use, self.cleaned_data["code"], "code", _("This code is wrong, or was used before."))

    def _use(self, code: str) -> bool:
        return second_factors.use(self._user, code)


class SwitchOnForm(OfPerson):
    """
    Asks for a code of the app that has the secret now, and for the password: whoever finds a page open must not
    lock its person out.
    """

    code = forms.CharField(
        label=_("Code"),
        max_length=MAX_CODE_CHARS,
        help_text=_("The six digits that your app shows now."),
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )
    password = forms.CharField(
        label=_("Your password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, *args: Any, secret: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._secret = secret
        if not self._user.has_usable_password():
            del self.fields["password"]

    def clean_code(self) -> int:
        step = second_factors.step_of(self._secret, "".join(self.cleaned_data["code"].split()), time.time())
        if step is None:
            raise forms.ValidationError(_("This is not the code that belongs to the secret above."))
        return step

    def clean_password(self) -> None:
        given = self.cleaned_data["password"]
        self._guess(self._user.check_password, given, "password", _("This is not your present password."))


class ChangeForm(OfPerson):
    """To change a second factor takes the password or a code: whoever found a page open has neither."""

    proof = forms.CharField(
        label=_("Your password or a code"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )

    def clean_proof(self) -> None:
        wrong = _("This is neither your password nor a code.")
        self._guess(self._is_right, self.cleaned_data["proof"], "password or code", wrong)

    def _is_right(self, proof: str) -> bool:
        return second_factors.use(self._user, proof) or self._user.check_password(proof)
