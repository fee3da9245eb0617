"""Django's own names, which its views and the admin look for."""

from django.contrib.auth.views import LogoutView, PasswordChangeDoneView
from django.urls import path

from chat.web.accounts import ChangePassword, LogIn, SetPassword, sign_up
from chat.web.openid.pages import come_back, go_to_provider
from chat.web.second_factor.pages import SecondStep

urlpatterns = [
    path("login/", LogIn.as_view(), name="login"),
    path("login/code/", SecondStep.as_view(), name="second_step"),
    path("openid/", go_to_provider, name="openid"),
    path("openid/back/", come_back, name="openid_back"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("signup/", sign_up, name="signup"),
    path("password_change/", ChangePassword.as_view(), name="password_change"),
    path("set_password/<uidb64>/<token>/", SetPassword.as_view(), name="set_password"),
    path("password_change/done/", PasswordChangeDoneView.as_view(), name="password_change_done"),
]
