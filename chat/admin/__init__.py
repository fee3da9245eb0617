"""The Django admin: a tool for rooms and people that acts through the services, so that open pages follow."""

from django.contrib import admin
from django.contrib.auth.models import Group

from chat.admin import acts, log_ins, messages, moderation, reports, rooms, site
from chat.admin import users as people

__all__ = ["acts", "log_ins", "messages", "moderation", "people", "reports", "rooms", "site"]

# Rights in the chat come with rooms; the few for staff are set on the person.
admin.site.unregister(Group)
admin.site.site_title = admin.site.site_header = "Hubtalk"
admin.site.index_title = ""
admin.site.index_template = "admin/overview.html"
