import inspect
import ssl

import pytest

from tests.certificate import make_certificate
from tests.rpc import clock


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    """Run coroutine functions: on a clock that does not wait, or with the mark `sockets` in real time."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    run = clock.run if pyfuncitem.get_closest_marker("sockets") is None else clock.run_in_real_time
    run(pyfuncitem.obj(**arguments))
    return True


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """Paths of a certificate for 127.0.0.1 and of its key."""
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def server_context(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return context


@pytest.fixture
def client_context(certificate):
    return ssl.create_default_context(cafile=certificate[0])
