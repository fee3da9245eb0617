from django.urls import path

from chat.web.accounts import set_up
from chat.web.console import console
from chat.web.health import healthz, metrics
from chat.web.page import room_page
from chat.web.second_factor.pages import two_factor
from chat.web.tokens import revoke_token, settings_page

app_name = "chat"
urlpatterns = [
    path("", room_page, name="page"),
    path("console/", console, name="console"),
    path("settings/", settings_page, name="settings"),
    path("settings/two-factor/", two_factor, name="two-factor"),
    path("settings/tokens/<int:key>/revoke/", revoke_token, name="revoke-token"),
    path("setup/<str:token>/", set_up, name="setup"),
    path("metrics", metrics, name="metrics"),
    path("healthz", healthz, name="healthz"),
]
