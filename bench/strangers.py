"""
What a stranger's attack over HTTP costs the site, and a second person who talks to it meanwhile.

    python -m bench.strangers [kind …]

The kinds are those of tests/proof/stranger.py. The second person asks for an echo over gotalk, again and again.
"""

import asyncio
import sys

from bench.load import pinned_server, print_machine
from tests.proof.stranger import KINDS
from tests.proof.witness import Seen, attack


def row(kind: str, seen: Seen) -> str:
    quiet, during = sorted(seen.quiet), sorted(seen.answers)
    cells = (
        kind.replace("_", " "),
        ", ".join(sorted(str(each or "dropped") for each in seen.statuses)),
        f"{seen.grown_kib / 1024:,.0f} MiB",
        f"{seen.spooled / 1000**2:,.0f} MB",
        f"{seen.threads}",
        f"{quiet[len(quiet) // 2] * 1000:.1f} ms",
        f"{during[len(during) // 2] * 1000:.1f} ms",
        f"{during[-1] * 1000:,.0f} ms",
    )
    return f"| {' | '.join(cells)} |"


def main() -> None:
    print_machine()
    print("| attack | answered | memory | on disk | threads | echo before | echo during | slowest |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for kind in sys.argv[1:] or KINDS:
        with pinned_server() as server:
            print(row(kind, asyncio.run(attack(server, kind))), flush=True)


if __name__ == "__main__":
    main()
