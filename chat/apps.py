"""Puts the floors together: the operations register, sessions are heard of, services announce through the hub."""

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
        # Models must be loaded before these.
        from chat.realtime import hub
        from chat.services import announcing

        announcing.publish_through(hub.announce)
