"""The script for pages, beside the WebSocket: its directory is the stock peer's default address."""

from django.urls import path

from rpc.contrib.django.views import gotalk_js

app_name = "rpc"
urlpatterns = [path("gotalk.js", gotalk_js, name="gotalk-js")]
