"""Real sockets and real time: every test has a deadline, and leaves no task and no socket behind."""

import asyncio
import inspect
import ssl

import pytest

from tests.certificate import make_certificate

DEADLINE = 60.0


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}

    async def alone():
        async with asyncio.timeout(DEADLINE):
            await pyfuncitem.obj(**arguments)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(alone())
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
