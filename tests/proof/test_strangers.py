"""What a stranger does over HTTP costs the site little, and a second person is answered all the while."""

import asyncio

import pytest

from tests.proof.witness import attack

pytestmark = pytest.mark.long

MEBI = 1024
"""In KiB."""
MOST_THREADS = 40


def test_long_body(server):
    """Two gigabytes for a page that takes none: refused at the head, and neither memory nor disk is filled."""
    seen = asyncio.run(attack(server, "long_body"))
    assert seen.statuses == {413}
    assert seen.grown_kib < 64 * MEBI
    assert seen.spooled == 0


def test_long_body_of_unknown_length(server):
    """Four times a gigabyte for a form: refused when it is longer than a form may be."""
    seen = asyncio.run(attack(server, "long_chunks"))
    assert seen.statuses == {413}
    assert seen.grown_kib < 64 * MEBI
    assert seen.spooled == 0


@pytest.mark.parametrize("kind", ["slow_heads", "slow_bodies"])
def test_request_that_trickles_in(server, kind):
    """A byte now and then does not keep a connection."""
    seen = asyncio.run(attack(server, kind))
    assert seen.statuses == {408}
    assert all(each.ended for each in seen.told)


def test_answers_that_nobody_reads(server):
    """A hundred connections ask for a large file again and again: little waits for them, and they are dropped."""
    seen = asyncio.run(attack(server, "asking_without_reading"))
    assert all(each.ended for each in seen.told)
    assert seen.grown_kib < 128 * MEBI
    assert seen.threads < MOST_THREADS


def test_wrong_log_ins_at_once(server):
    """Each costs much to check, so few are checked at a time, and the others are told to come back."""
    seen = asyncio.run(attack(server, "log_ins"))
    # A quick machine is done with some before others arrive.
    assert 200 in seen.statuses <= {200, 503}
    assert seen.grown_kib < 256 * MEBI
    assert seen.threads < MOST_THREADS


def test_pages_at_once(server):
    """Three hundred share a few threads, and all of them arrive."""
    seen = asyncio.run(attack(server, "pages"))
    assert seen.statuses == {200}
    assert seen.threads < MOST_THREADS
