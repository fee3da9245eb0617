"""Random conversations on all wires of real servers; bin/fuzz holds them for longer."""

import asyncio
import os
import random

import pytest

from tests.proof.wires.run import Run
from tests.proof.wires.site.running import running_sites
from tests.sizes import short_or_whole

pytestmark = pytest.mark.long

SECONDS = float(os.environ.get("FUZZ_SECONDS") or short_or_whole(30, 600))
"""Of talk; the servers' start and the last ends are not counted."""
SEED = os.environ.get("FUZZ_SEED") or str(random.SystemRandom().randrange(10**9))
"""Of the run; behind a slash the number of one conversation, to be held alone."""


def test_conversations(tmp_path):
    """Whatever clients say, each is answered until its end, which is a proper one, and nothing is left of it."""
    print(f"FUZZ_SEED={SEED}")
    seed, _, number = SEED.partition("/")
    with running_sites(tmp_path) as sites:
        run = Run(sites, seed)
        asyncio.run(run.hold_one(int(number)) if number else run.hold_for(SECONDS))
    print(f"{run.held.total()} conversations: {dict(run.held)}")
    print(dict(run.said))
    assert not run.findings, "\n\n".join(run.findings)
