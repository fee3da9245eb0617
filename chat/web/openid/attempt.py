"""
One attempt to log in: what this site and the browser keep of it while the person is at the provider.

It is kept in a signed cookie and not in a session: strangers who press the button make no rows.
"""

import base64
import secrets
from hashlib import sha256
from typing import Self

import msgspec
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.crypto import constant_time_compare

COOKIE = "hubtalk-openid"
SECONDS = 600
"""How long somebody may stay at the provider."""


class Attempt(msgspec.Struct, frozen=True):
    """Three secrets of 256 bits, and where the person wanted to go."""

    state: str
    """Comes back with the browser: this one, and no other, asked (RFC 6749, section 10.12)."""
    nonce: str
    """Comes back in the ID token: it was made for this attempt (OpenID Connect Core 1.0, section 15.5.2)."""
    verifier: str
    """Whoever has it made the request for the code (RFC 7636)."""
    next: str

    @classmethod
    def begun(cls, next_url: str) -> Self:
        return cls(secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(32), next_url)

    @classmethod
    def kept_by(cls, request: HttpRequest) -> Self | None:
        """That of a browser which came back with its state; None if it began none, or another, or too long ago."""
        cookie = request.get_signed_cookie(COOKIE, None, salt=__name__, max_age=SECONDS)
        if cookie is None:
            return None
        attempt = msgspec.json.decode(cookie, type=cls)
        return attempt if constant_time_compare(request.GET.get("state", ""), attempt.state) else None

    def keep(self, response: HttpResponse) -> None:
        response.set_signed_cookie(
            COOKIE,
            msgspec.json.encode(self).decode(),
            salt=__name__,
            max_age=SECONDS,
            path=reverse("openid_back"),
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )

    @property
    def challenge(self) -> str:
        """S256 (RFC 7636, section 4.2)."""
        return base64.urlsafe_b64encode(sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()


def forget(response: HttpResponse) -> None:
    """An attempt that ended, however it did, is not repeated."""
    response.delete_cookie(COOKIE, path=reverse("openid_back"), samesite="Lax")
