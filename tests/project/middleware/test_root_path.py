"""The root path is the operator's to choose."""

import urllib.error
import urllib.request

import pytest

from project.middleware.root_path import OwnRootPath
from tests.project.asgi import run


def test_client_does_not_choose_the_root_path(settings):
    """Whatever header a client sends, the root path is the settings'."""
    seen = []

    async def application(scope, receive, send):
        seen.append(scope["root_path"])

    settings.ROOT_PATH = "/chat"
    run(OwnRootPath(application), root_path="/x")
    assert seen == ["/chat"]


def test_header_that_moves_the_root_path_does_not(server):
    """`Daphne-Root-Path` cannot reach the admin under another path."""
    request = urllib.request.Request(server.url + "/x/admin/", headers={"Daphne-Root-Path": "/x"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=10)
    assert refused.value.code == 404
    refused.value.close()
