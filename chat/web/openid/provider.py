"""
What the provider is asked: where people log in, and, for the code that they bring back, who they are.

OpenID Connect Core 1.0 and Discovery 1.0; the numbers of sections below are those of Core.
"""

import time
from typing import Any, NamedTuple
from urllib.parse import quote_plus, urlencode, urlsplit

import httpx
import jwt
import msgspec
from django.conf import settings
from django.utils.crypto import constant_time_compare

from chat.web.openid.asking import ProviderFails, fetch
from chat.web.openid.attempt import Attempt

SCOPES = "openid profile"
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures with a key that only the provider has: neither `none`, nor a secret that others know too."""
LEEWAY_SECONDS = 60
"""By how much its clock may be off."""
MAX_SUBJECT_CHARS = 255
KEPT_SECONDS = 600
"""For how long its addresses are believed."""


class NotProven(Exception):
    """What the provider says does not show who somebody is."""


class Known(NamedTuple):
    """Somebody whom the provider knows: by a key that never changes, and names that they or others chose."""

    subject: str
    names: tuple[str, ...]


class Metadata(msgspec.Struct, frozen=True):
    """Discovery 1.0, section 3: the part that is needed here."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str


class Tokens(msgspec.Struct):
    id_token: str


class Keys(msgspec.Struct):
    keys: list[dict[str, Any]]


class _Found:
    """The provider's metadata, and until when it is believed; of this process."""

    def __init__(self) -> None:
        self.metadata: Metadata | None = None
        self.until = 0.0

    async def read(self, client: httpx.AsyncClient) -> Metadata:
        """
        Raises:
            ProviderFails.
        """
        if self.metadata is None or self.metadata.issuer != settings.OPENID_ISSUER or time.monotonic() > self.until:
            address = settings.OPENID_ISSUER.rstrip("/") + "/.well-known/openid-configuration"
            self.metadata = _checked(await fetch(client, "GET", address, Metadata))
            self.until = time.monotonic() + KEPT_SECONDS
        return self.metadata


_found = _Found()


async def address_to_log_in(client: httpx.AsyncClient, attempt: Attempt, back: str) -> str:
    """
    Where the browser goes (3.1.2.1).

    Args:
        back: the address to which the provider sends it back.

    Raises:
        ProviderFails.
    """
    metadata = await _found.read(client)
    asked = {
        "response_type": "code",
        "client_id": settings.OPENID_CLIENT_ID,
        "redirect_uri": back,
        "scope": SCOPES,
        "state": attempt.state,
        "nonce": attempt.nonce,
        "code_challenge": attempt.challenge,
        "code_challenge_method": "S256",
    }
    joint = "&" if urlsplit(metadata.authorization_endpoint).query else "?"
    return metadata.authorization_endpoint + joint + urlencode(asked)


async def who_is(client: httpx.AsyncClient, attempt: Attempt, back: str, code: str) -> Known:
    """
    Who brought a code (3.1.3).

    Raises:
        ProviderFails: also if the code is wrong, or was used before.
        NotProven.
    """
    metadata = await _found.read(client)
    # RFC 6749, section 2.3.1: encoded before they are joined.
    auth = httpx.BasicAuth(quote_plus(settings.OPENID_CLIENT_ID), quote_plus(settings.OPENID_CLIENT_SECRET))
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": back,
        "code_verifier": attempt.verifier,
    }
    tokens = await fetch(client, "POST", metadata.token_endpoint, Tokens, data=form, auth=auth)
    keys = await fetch(client, "GET", metadata.jwks_uri, Keys)
    claims = _claims(tokens.id_token, keys.keys)
    if not constant_time_compare(str(claims.get("nonce", "")), attempt.nonce):
        raise NotProven("the nonce is not that of this attempt")
    given = (claims.get(name) for name in ("name", "preferred_username", "nickname"))
    return Known(claims["sub"], tuple(name for name in given if isinstance(name, str) and name))


def _checked(metadata: Metadata) -> Metadata:
    """Discovery 1.0, section 4.3; and whoever is asked over https is so for everything."""
    if metadata.issuer != settings.OPENID_ISSUER:
        raise ProviderFails(f"it says that it is {metadata.issuer}")
    scheme = urlsplit(settings.OPENID_ISSUER).scheme
    addresses = (metadata.authorization_endpoint, metadata.token_endpoint, metadata.jwks_uri)
    if any(urlsplit(address).scheme not in ("https", scheme) for address in addresses):
        raise ProviderFails("one of its addresses is not https")
    return metadata


def _claims(token: str, keys: list[dict[str, Any]]) -> dict[str, Any]:
    """What an ID token says, once its signature and its claims hold (3.1.3.7)."""
    try:
        key = _key_for(jwt.get_unverified_header(token), keys)
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=ALGORITHMS,
            audience=settings.OPENID_CLIENT_ID,
            issuer=settings.OPENID_ISSUER,
            leeway=LEEWAY_SECONDS,
            options={"require": ["iss", "sub", "aud", "exp", "iat"]},
        )
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise NotProven(f"{type(error).__name__}: {error}") from error
    others = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if (others or "azp" in claims) and claims.get("azp") != settings.OPENID_CLIENT_ID:
        raise NotProven("the token was made for somebody else")
    if not 0 < len(claims["sub"]) <= MAX_SUBJECT_CHARS:
        raise NotProven("the subject is empty or too long")
    return claims


def _key_for(header: dict[str, Any], keys: list[dict[str, Any]]) -> jwt.PyJWK:
    """The one that the header names; without a name, the only one."""
    signing = [key for key in keys if key.get("use", "sig") == "sig"]
    named = [key for key in signing if key.get("kid") == header["kid"]] if "kid" in header else signing
    if header.get("alg") not in ALGORITHMS or len(named) != 1:
        raise NotProven("no key of the provider is that of the token")
    return jwt.PyJWK(named[0], named[0].get("alg") or header["alg"])
