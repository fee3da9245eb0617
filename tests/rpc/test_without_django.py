"""The library in a plain program."""

import subprocess
import sys


def test_import_needs_no_django():
    """`from rpc import …` loads neither Django nor Channels."""
    program = (
        "import sys, rpc, rpc.transports.websocket_server;"
        " print(sorted({'django', 'channels', 'asgiref'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30)
    assert result.stdout == "[]\n"


def test_public_names():
    """Every public name is there, in order."""
    import rpc

    assert rpc.__all__ == sorted(rpc.__all__)
    assert all(hasattr(rpc, name) for name in rpc.__all__)
