"""A small OpenID provider: a real HTTP server, in a thread, that does what it should or what a test makes it do."""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote_plus, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests.deadlines import DEADLINE

CLIENT_ID, CLIENT_SECRET = "hubtalk & co", "s3cret:%"


class Key:
    """A key pair: `sign` makes a token, `public` is what `jwks_uri` shows."""

    def __init__(self, algorithm: str, name: str) -> None:
        self.algorithm, self.name = algorithm, name
        self.private: Any
        if algorithm.startswith("ES"):
            self.private = ec.generate_private_key(ec.SECP256R1())
        else:
            self.private = rsa.generate_private_key(65537, 2048)

    def sign(self, claims: dict[str, Any]) -> str:
        return jwt.encode(claims, self.private, self.algorithm, headers={"kid": self.name})

    @property
    def public(self) -> dict[str, Any]:
        made = jwt.get_algorithm_by_name(self.algorithm).to_jwk(self.private.public_key(), as_dict=True)
        return {**made, "kid": self.name, "alg": self.algorithm, "use": "sig"}


RSA, EC, FOREIGN = Key("RS256", "rsa"), Key("ES256", "ec"), Key("RS256", "rsa")
"""The third is no key of the provider, though it has the name of one."""


class Provider:
    """
    Serves while it is entered.

    What a test may set: `person`, the claims about whoever logs in there; `claims`, what an ID token says instead;
    `sign`, how it is made; `answers`, by path, what is sent instead of an answer, and `longer`, what follows it;
    `trickles`, a path whose answer ends after a minute; `gate`, which lets answers of the path `held` through.
    """

    def __init__(self) -> None:
        self.person: dict[str, Any] = {"sub": "alice-1", "name": "Alice"}
        self.claims: dict[str, Any] = {}
        self.sign: Callable[[dict[str, Any]], str] = RSA.sign
        self.answers: dict[str, tuple[int, bytes]] = {}
        self.metadata: dict[str, Any] = {}
        self.longer: dict[str, bytes] = {}
        self.trickles: str | None = None
        self.held: str | None = None
        self.gate = threading.Event()
        self.arrived = threading.Event()
        """A request for the path `held` is there."""
        self.asked: list[str] = []
        """The paths of all requests."""
        self._codes: dict[str, dict[str, str]] = {}

    def __enter__(self) -> "Provider":
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider._serve(self, b"")

            def do_POST(self) -> None:
                provider._serve(self, self.rfile.read(int(self.headers["Content-Length"])))

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.gate.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(DEADLINE)

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def log_in(self, address: str) -> str:
        """The person logs in at `address`, to which their browser was led; returns where it is led then."""
        asked = dict(parse_qsl(urlsplit(address).query))
        assert asked["response_type"] == "code" and asked["client_id"] == CLIENT_ID
        assert "openid" in asked["scope"].split() and asked["code_challenge_method"] == "S256"
        code = f"code-{len(self._codes)}"
        self._codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state'], 'iss': self.issuer})}"

    def _serve(self, request: Any, body: bytes) -> None:
        path = urlsplit(request.path).path
        self.asked.append(path)
        if path == self.held:
            self.arrived.set()
            self.gate.wait(DEADLINE)
        status, answer = self.answers.get(path) or self._answer(path, request.headers, body)
        answer += self.longer.get(path, b"")
        request.send_response(status)
        if path == "/authorization_endpoint":
            request.send_header("Location", self.log_in(request.path))
        request.send_header("Content-Type", "application/json")
        if path != self.trickles:
            request.send_header("Content-Length", str(len(answer)))
        request.end_headers()
        with suppress(OSError):  # The client may wait no longer.
            request.wfile.write(answer)
            for _ in range(600 if path == self.trickles else 0):
                self.gate.wait(0.1)
                request.wfile.write(b" ")

    def _answer(self, path: str, headers: Any, body: bytes) -> tuple[int, bytes]:
        if path == "/.well-known/openid-configuration":
            addresses = {name: f"{self.issuer}/{name}" for name in ("authorization_endpoint", "token_endpoint")}
            return _json({"issuer": self.issuer, "jwks_uri": f"{self.issuer}/keys", **addresses, **self.metadata})
        if path == "/authorization_endpoint":
            return 302, b""
        if path == "/keys":
            return _json({"keys": [RSA.public, EC.public]})
        if path == "/token_endpoint":
            return self._token(headers, {name: values[0] for name, values in parse_qs(body.decode()).items()})
        return 404, b""

    def _token(self, headers: Any, form: dict[str, str]) -> tuple[int, bytes]:
        """A code works once, for the client, the address and the verifier that it was made for."""
        asked = self._codes.pop(form.get("code", ""), None)
        given = base64.b64decode(headers.get("Authorization", "").removeprefix("Basic ")).decode()
        if [unquote_plus(part) for part in given.split(":")] != [CLIENT_ID, CLIENT_SECRET]:
            return 401, b'{"error": "invalid_client"}'
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            asked is None
            or form["grant_type"] != "authorization_code"
            or form["redirect_uri"] != asked["redirect_uri"]
            or challenge != asked["code_challenge"]
        ):
            return 400, b'{"error": "invalid_grant"}'
        now = int(time.time())
        own = {"iss": self.issuer, "aud": CLIENT_ID, "iat": now, "exp": now + 300, "nonce": asked["nonce"]}
        claims = {**own, **self.person, **self.claims}
        said = {name: value for name, value in claims.items() if value is not None}
        return _json({"access_token": "x", "token_type": "Bearer", "id_token": self.sign(said)})


def _json(value: Any) -> tuple[int, bytes]:
    return 200, json.dumps(value).encode()
