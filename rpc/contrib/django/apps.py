"""Registers the operations of every installed app."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class RpcConfig(AppConfig):
    name = "rpc.contrib.django"
    label = "rpc"

    def ready(self) -> None:
        autodiscover_modules("operations")
