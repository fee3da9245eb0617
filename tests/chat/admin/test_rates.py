"""Rates in the admin: each may be changed once, and brought back."""

from django.urls import reverse

from chat.models import RateLimit
from chat.services.events import SettingsChanged


def test_rate_is_changed_and_brought_back(admin_client, announced, django_capture_on_commit_callbacks):
    """Every process hears of both."""
    with django_capture_on_commit_callbacks(execute=True):
        admin_client.post(reverse("admin:chat_ratelimit_add"), {"name": "post", "burst": 3, "per_minute": 6})
    limit = RateLimit.objects.get()
    assert (limit.name, limit.burst, limit.per_minute) == ("post", 3, 6)
    assert announced.events == [SettingsChanged()]
    with django_capture_on_commit_callbacks(execute=True):
        admin_client.post(reverse("admin:chat_ratelimit_delete", args=[limit.pk]), {"post": "yes"})
    assert not RateLimit.objects.exists()
    assert announced.events == [SettingsChanged()] * 2


def test_rate_that_means_nothing_is_refused(admin_client):
    """No rate of that name, nothing at once, nothing a minute."""
    for change in ({"name": "breathe"}, {"burst": 0}, {"per_minute": 0}, {"per_minute": -1}):
        answer = admin_client.post(
            reverse("admin:chat_ratelimit_add"), {"name": "post", "burst": 3, "per_minute": 6, **change}
        )
        assert answer.status_code == 200
        assert "errors" in answer.context
    assert not RateLimit.objects.exists()
