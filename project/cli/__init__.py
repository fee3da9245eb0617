"""The subcommands of `manage.py gotalk` that know the site; `rpc.cli` has the others."""

from collections.abc import Sequence

from rpc.cli.main import SUBCOMMANDS, run

NEED_THE_SITE = frozenset(("serve", "types"))


def run_without_the_site(arguments: Sequence[str]) -> int | None:
    """
    Run a subcommand that does not need the site, which takes much longer to load than an answer.

    Returns:
        The exit code; None if the site is needed.
    """
    if not arguments or arguments[0] not in SUBCOMMANDS.keys() - NEED_THE_SITE:
        return None
    return run(arguments, prog="manage.py gotalk")
