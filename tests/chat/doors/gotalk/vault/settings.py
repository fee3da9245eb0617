"""The site with an app whose operations are not for everyone."""

from project.settings import *  # noqa: F403
from project.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.chat.doors.gotalk.vault"]
