"""How many connections a process takes: below what it may open, whatever the settings say."""

import resource
import subprocess
import sys

import pytest

from project import admission
from project.admission import KEPT, SPARE_FILES, caps
from rpc import Caps
from rpc.admission import NoRoom
from tests.server import ROOT


@pytest.fixture(autouse=True)
def rates(settings):
    settings.RATE_LIMITS = True


def test_process_that_may_open_much_has_the_defaults():
    """Those that docs/operations.md lists."""
    assert caps(100_000) == Caps()


def test_caps_stay_below_what_the_process_may_open():
    """The database and the files need some too, and one address does not get all of them."""
    narrow = caps(1024)
    assert narrow.connections == 1024 - SPARE_FILES
    assert narrow.connections_kept == narrow.connections // KEPT
    assert narrow.connections_per_address == narrow.connections // 2


def test_settings_bound_them(settings):
    """In total, and by address: it may come back with all of its connections."""
    settings.MAX_CONNECTIONS, settings.MAX_CONNECTIONS_PER_ADDRESS = 2000, 100
    few = caps(100_000)
    assert (few.connections, few.connections_per_address) == (2000, 100)
    assert (few.arrivals_burst, few.arrivals_per_second) == (100, 10)


def test_benchmark_comes_from_one_address(settings):
    """RATE_LIMITS=off lifts what bounds an address, and not what bounds the process."""
    settings.RATE_LIMITS = False
    free = caps(1024)
    assert (free.connections, free.connections_per_address, free.arrivals_per_second) == (824, None, None)


def test_limit_of_open_files_is_raised():
    """To the most that the system allows."""
    script = (
        "import resource; hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1];"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard));"
        "from project.admission import open_files; print(open_files())"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert int(done.stdout) == resource.getrlimit(resource.RLIMIT_NOFILE)[1] > 256


# --- staff -------------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("is_staff", [True, False])
def test_address_from_which_staff_asked_for_a_page_is_welcome(client, django_user_model, monkeypatch, is_staff):
    """Also over IPv6, for all of its network; the address of anybody else is not."""
    counting = admission.Admission(Caps(connections=1, connections_kept=1))
    monkeypatch.setattr(admission, "_admission", counting)
    client.force_login(django_user_model.objects.create_user("alice", name="Alice", is_staff=is_staff))
    client.get("/", REMOTE_ADDR="2001:db8::1")
    if is_staff:
        counting.enter("2001:db8::2")
    else:
        with pytest.raises(NoRoom):
            counting.enter("2001:db8::2")
