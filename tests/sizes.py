"""Long proofs have a short form: bin/test runs that one, bin/proof the whole."""

import os

WHOLE = bool(os.environ.get("WHOLE_PROOFS"))


def short_or_whole(short: int, whole: int) -> int:
    return whole if WHOLE else short
