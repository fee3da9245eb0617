"""Forms of accounts: Django's own, with our words, our rules for names and a limit for guessing."""

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm, SetPasswordForm, UserCreationForm
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from chat.models import User
from chat.queries.people import free_name
from chat.services.entry import setup
from chat.services.entry.second_factors import factor_of
from chat.web.limits import count_guess
from chat.web.passwords import NEW_PASSWORD, NEW_PASSWORD_AGAIN, NewPassword, OwnWords
from rpc import OperationError


class OwnName:
    """The name that others see, of a person who is new here."""

    for_staff = False
    cleaned_data: dict[str, Any]
    instance: User

    def clean_name(self) -> str:
        name: str | None = self.cleaned_data["name"] or self.cleaned_data.get("username")
        if name is None:
            return ""  # A username that is refused, for which that field has its error.
        try:
            return free_name(name, besides=self.instance.pk, for_staff=self.for_staff)
        except OperationError as error:
            raise forms.ValidationError(_(error.text)) from None


class SignUpForm(OwnName, NewPassword, UserCreationForm):  # type: ignore[type-arg]  # generic in its stubs only
    password1, password2 = NewPassword.create_password_fields()

    class Meta:
        model = User
        fields = ("username", "name")
        labels = {"username": _("User name"), "name": _("Name that others see")}
        help_texts = {
            "username": _("To log in with. Letters, digits and @ . + - _"),
            "name": _("If you leave it empty, it is your user name."),
        }
        error_messages = {
            "username": {
                "unique": _("This user name is taken."),
                "invalid": _("A user name has letters, digits and @ . + - _ only."),
            }
        }


class AsksForTokens(forms.Form):
    """A new password does not end tokens by itself: programs would stop."""

    revoke_tokens = forms.BooleanField(
        label=_("Revoke my tokens too"),
        required=False,
        initial=True,
        help_text=_(
            "Programs that use them are disconnected at once. Do so if somebody else may know your password."
        ),
    )


class ChoosePasswordForm(AsksForTokens, NewPassword, SetPasswordForm):  # type: ignore[type-arg]  # generic in its stubs only
    """For who came by a link for it."""

    new_password1, new_password2 = NewPassword.create_password_fields(NEW_PASSWORD, NEW_PASSWORD_AGAIN)


class NewPersonForm(OwnName, forms.ModelForm):  # type: ignore[type-arg]  # generic in its stubs only
    """For staff: the person chooses their password by a link."""

    for_staff = True

    class Meta:
        model = User
        fields = ("username", "name")

    def clean_username(self) -> str:
        username: str = self.cleaned_data["username"]
        if User.objects.filter(username__iexact=username).exists():
            raise forms.ValidationError(_("A person with this username already exists."))
        return username

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]  # not in its stubs
        self.instance.set_unusable_password()


class SetUpForm(SignUpForm):
    """For the operator, who may be called admin, and says who may come."""

    EVERYONE, INVITED = "everyone", "invited"
    for_staff = True
    who = forms.ChoiceField(
        label=_("Who may come?"),
        widget=forms.RadioSelect,
        choices=[
            (INVITED, _("People whom I invite")),
            (EVERYONE, _("Everyone who can reach this address: as a guest, or by signing up")),
        ],
        help_text=_("You can change it in the administration, under site settings."),
    )

    @property
    def site_settings(self) -> dict[str, Any]:
        """What the answer means, as fields of the site's settings."""
        return setup.FOR_EVERYONE if self.cleaned_data["who"] == self.EVERYONE else setup.BY_INVITATION


class LogInForm(OwnWords, AuthenticationForm):
    """The only one: the admin has no other."""

    error_messages = {
        **AuthenticationForm.error_messages,
        "invalid_login": _("There is no account with this user name and password."),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = _("User name")

    def clean(self) -> dict[str, Any]:
        username = self.cleaned_data.get("username")
        if username is None or "password" not in self.cleaned_data:
            return self.cleaned_data
        return count_guess(
            super().clean, username, _address_of(self.request), whole=lambda: factor_of(self.get_user()) is None
        )


class ChangePasswordForm(AsksForTokens, NewPassword, PasswordChangeForm):
    """Asks for the old password, which whoever found a page open could guess here."""

    new_password1, new_password2 = NewPassword.create_password_fields(NEW_PASSWORD, NEW_PASSWORD_AGAIN)
    error_messages = {
        **NewPassword.error_messages,
        "password_incorrect": _("This is not your present password."),
    }

    def __init__(self, *args: Any, address: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["old_password"].label = _("Present password")
        self._address = address

    def clean_old_password(self) -> str:
        return count_guess(super().clean_old_password, self.user.get_username(), self._address)


def _address_of(request: HttpRequest | None) -> str:
    return request.META.get("REMOTE_ADDR", "") if request is not None else ""
