from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.certificate import make_certificate
from tests.proxy.nginx import Nginx
from tests.server import Server

PASSWORD = "correct horse battery"
PEOPLE = """
from chat.models import Token, User
from chat.services.tokens import make_token
for name in ("alice", "bob"):
    user = User.objects.create_user(name, password="correct horse battery", name=name.title())
alice = User.objects.get(username="alice")
alice.is_staff = True
alice.save()
print(make_token(Token(user=alice, name="robot", scopes=["read", "post", "push", "rpc"])))
"""
BEHIND_A_PROXY = {"HTTPS": "on", "TRUSTED_PROXIES": "127.0.0.1", "RATE_LIMITS": "on"}


class Site:
    """A server, the nginx before it, and a token of alice."""

    def __init__(self, server: Server, nginx: Nginx, token: str, path: str) -> None:
        self.server = server
        self.nginx = nginx
        self.token = token
        self.url = nginx.url + path
        self.websocket_url = nginx.websocket_url + path


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path]]:
    """Certificate and key, which the clients of this process trust while the tests of a file run."""
    made = make_certificate(tmp_path_factory.mktemp("certificate"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(made[0]))
        yield made


def site_behind(folder: Path, certificate: tuple[Path, Path], path: str) -> Iterator[Site]:
    edits = {"location / {": f"location {path}/ {{"} if path else {}
    environment = BEHIND_A_PROXY | {"ROOT_PATH": path}
    with (
        Server(folder / "data", environment=environment) as server,
        Nginx(folder / "nginx", server.port, *certificate, edits) as nginx,
    ):
        yield Site(server, nginx, server.manage("shell", "-v0", "-c", PEOPLE).strip(), path)


@pytest.fixture(scope="module", params=["", "/chat"], ids=["at the root", "under a path"])
def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, certificate: tuple[Path, Path]
) -> Iterator[Site]:
    """At the root of a host, and under a path of one."""
    yield from site_behind(tmp_path_factory.mktemp("site"), certificate, request.param)


@pytest.fixture(scope="module")
def root_site(tmp_path_factory: pytest.TempPathFactory, certificate: tuple[Path, Path]) -> Iterator[Site]:
    """For what does not depend on the path."""
    yield from site_behind(tmp_path_factory.mktemp("site"), certificate, "")
