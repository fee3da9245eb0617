"""HTTP for tests: a browser's cookies and headers, from an address of one's choice."""

import http.client
import json
import re
import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from tests.deadlines import DEADLINE


class Answer:
    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Browser:
    """Keeps cookies; `address` is where its connections come from, in 127.0.0.0/8."""

    def __init__(self, url: str, *, address: str = "127.0.0.1") -> None:
        self._url = urlsplit(url)
        self._address = address
        self.cookies: dict[str, str] = {}

    @property
    def origin(self) -> str:
        return f"{self._url.scheme}://{self._url.netloc}"

    @property
    def cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Ask for a path below the site's own."""
        host, port, source = str(self._url.hostname), self._url.port, (self._address, 0)
        connection: http.client.HTTPConnection
        if self._url.scheme == "https":
            context = ssl.create_default_context()
            connection = http.client.HTTPSConnection(
                host, port, timeout=DEADLINE, source_address=source, context=context
            )
        else:
            connection = http.client.HTTPConnection(host, port, timeout=DEADLINE, source_address=source)
        try:
            own = {"Cookie": self.cookie} if self.cookies else {}
            connection.request(method, self._url.path + path, body, {**own, **(headers or {})})
            answer = Answer(connection.getresponse())
        finally:
            connection.close()
        for line in answer.headers.get_all("Set-Cookie") or ():
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        return self.ask("GET", path, headers=headers)

    def submit(self, path: str, fields: Mapping[str, str], headers: Mapping[str, str] | None = None) -> Answer:
        """Open a page and send its form, as a browser does."""
        found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', self.get(path, headers).text)
        assert found is not None
        form = urlencode({**fields, "csrfmiddlewaretoken": found[1]}).encode()
        own = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Origin": self.origin,
            "Referer": f"{self.origin}{self._url.path}{path}",
        }
        return self.ask("POST", path, form, {**own, **(headers or {})})

    def log_in(self, name: str, password: str, headers: Mapping[str, str] | None = None) -> Answer:
        return self.submit("/accounts/login/", {"username": name, "password": password}, headers)
