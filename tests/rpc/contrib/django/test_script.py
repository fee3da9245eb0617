"""gotalk.js over HTTP."""

import gzip
import re
import subprocess

import pytest
from django.urls import reverse

from rpc.contrib.django.joining import PARTS, gotalk_script
from tests.server import ROOT

SCRIPT = gotalk_script().encode()
ADDRESS = "/gotalk/gotalk.js"


def test_address():
    """The stock page's default: the WebSocket lies in the directory of the script."""
    assert reverse("rpc:gotalk-js") == ADDRESS


def test_script(client):
    """The script as it is, kept for five minutes."""
    response = client.get(ADDRESS)
    assert response.content == SCRIPT
    assert response["Content-Type"] == "text/javascript; charset=utf-8"
    assert response["Cache-Control"] == "public, max-age=300"
    assert "Accept-Encoding" in response["Vary"]
    assert "Content-Encoding" not in response


@pytest.mark.parametrize("accepted", ["gzip", "br, gzip;q=0.5", "GZIP"])
def test_gzip(client, accepted):
    """A browser that takes gzip gets it."""
    response = client.get(ADDRESS, headers={"accept-encoding": accepted})
    assert response["Content-Encoding"] == "gzip"
    assert gzip.decompress(response.content) == SCRIPT


@pytest.mark.parametrize("accepted", ["identity", "gzip;q=0", "gzip; q=0.0", "br"])
def test_no_gzip(client, accepted):
    """One that does not gets the bytes as they are."""
    response = client.get(ADDRESS, headers={"accept-encoding": accepted})
    assert response.content == SCRIPT


def test_each_variant_has_a_strong_tag(client):
    """Different bytes, different tags; neither is weak."""
    plain = client.get(ADDRESS)["ETag"]
    gzipped = client.get(ADDRESS, headers={"accept-encoding": "gzip"})["ETag"]
    assert plain != gzipped
    assert plain.startswith('"') and gzipped.startswith('"')


@pytest.mark.parametrize("accepted", ["gzip", "identity"])
def test_not_modified(client, accepted):
    """Who has it already is told so in a few bytes, that may be kept as long again."""
    tag = client.get(ADDRESS, headers={"accept-encoding": accepted})["ETag"]
    response = client.get(ADDRESS, headers={"accept-encoding": accepted, "if-none-match": tag})
    assert (response.status_code, response.content) == (304, b"")
    assert (response["ETag"], response["Cache-Control"]) == (tag, "public, max-age=300")
    assert "Accept-Encoding" in response["Vary"]


def test_other_tag(client):
    """Another version than the one that a browser has is sent."""
    assert client.get(ADDRESS, headers={"if-none-match": '"old"'}).status_code == 200


def test_head_and_post(client):
    """Only reading makes sense."""
    assert client.head(ADDRESS).status_code == 200
    assert client.post(ADDRESS).status_code == 405


def test_every_part_is_in_the_script():
    """A part that nothing imports would be forgotten."""
    assert set(re.findall(r"^// (\w+)\.js$", gotalk_script(), re.MULTILINE)) == {
        part.stem for part in PARTS.glob("*.js")
    }


def test_script_is_no_module():
    """What a page loads as a classic script neither imports nor exports."""
    assert re.findall(r"^\s*(?:import|export)\b.*", gotalk_script(), re.MULTILINE) == []


@pytest.mark.node
def test_node_joins_the_same_script():
    """What the tests in Node try is what pages get."""
    code = "import('./tests/js/gotalk_script.js').then(({ gotalkScript }) => process.stdout.write(gotalkScript()))"
    done = subprocess.run(["node", "-e", code], cwd=ROOT, capture_output=True, check=True, timeout=60)
    assert done.stdout == SCRIPT
