from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ChatConfig(AppConfig):
    name = "chat"
    verbose_name = _("Chat")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        for name in ("chat.web.signals", "chat.doors.gotalk.operations"):
            import_module(name)
