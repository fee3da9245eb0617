from django.urls import path, re_path

from chat.doors.http import api

app_name = "api"
urlpatterns = [
    # The name of a room may hold a slash.
    path("rooms/<path:room>/messages", api.room_messages, name="room-messages"),
    path("push", api.pushes, name="push"),
    re_path("", api.nowhere),
]
