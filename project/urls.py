from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView
from django.views.i18n import JavaScriptCatalog

from chat.admin.overview import show_overview
from chat.doors.gotalk.page import operations
from chat.doors.http.api import nowhere
from chat.web.accounts import log_in_to_admin
from chat.web.page import for_everyone_here

handler400 = "chat.doors.http.api.bad_request"
urlpatterns = [
    path("admin/login/", log_in_to_admin),
    path("admin/password_change/", RedirectView.as_view(pattern_name="password_change")),
    path("admin/", admin.site.admin_view(show_overview)),
    path("admin/", admin.site.urls),
    path("jsi18n/", JavaScriptCatalog.as_view(packages=["chat"]), name="javascript-catalog"),
    path("gotalk/", include("rpc.contrib.django.urls")),
    path("rpc/", for_everyone_here(operations), name="operations"),
    # Else CommonMiddleware would redirect it to the address below.
    path("api", nowhere),
    path("api/", include("chat.doors.http.urls")),
    path("accounts/", include("chat.web.account_urls")),
    path("", include("chat.web.urls")),
]
