"""A real nginx with the configuration that people copy, on ports of its own and as whoever runs the tests."""

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from tests.ports import accepts, free_port, wait_until
from tests.server import ROOT

STOP_TIMEOUT = 10.0
# Debian keeps it where only root's PATH looks.
NGINX = shutil.which("nginx") or "/usr/sbin/nginx"
CONFIGURATION = ROOT / "deploy" / "nginx.conf"
MAIN = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
    include /etc/nginx/mime.types;
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/hubtalk.conf;
}}
"""


class Nginx:
    """
    Started by entering it, killed by leaving it.

    Args:
        folder: for its files; one of its own.
        port: of the server behind it.
        certificate, key: their files.
        edits: what else the operator changes in the configuration: text → text.
    """

    def __init__(
        self, folder: Path, port: int, certificate: Path, key: Path, edits: Mapping[str, str] | None = None
    ) -> None:
        folder.mkdir()
        self.http_port, self.https_port = free_port(), free_port()
        wanted = {
            "server 127.0.0.1:8000;": f"server 127.0.0.1:{port};",
            "    listen 80;\n    listen [::]:80;\n": f"    listen 127.0.0.1:{self.http_port};\n",
            "    listen 443 ssl;\n    listen [::]:443 ssl;\n": f"    listen 127.0.0.1:{self.https_port} ssl;\n",
            "/etc/letsencrypt/live/chat.example.org/fullchain.pem": str(certificate),
            "/etc/letsencrypt/live/chat.example.org/privkey.pem": str(key),
            **(edits or {}),
        }
        text = CONFIGURATION.read_text()
        for old, new in wanted.items():
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        (folder / "hubtalk.conf").write_text(text)
        (folder / "nginx.conf").write_text(MAIN.format(folder=folder))
        self._folder = folder

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.https_port}"

    @property
    def websocket_url(self) -> str:
        return f"wss://127.0.0.1:{self.https_port}"

    def __enter__(self) -> "Nginx":
        self._process = subprocess.Popen(
            [NGINX, "-e", str(self._folder / "error.log"), "-c", str(self._folder / "nginx.conf")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_until(lambda: accepts(self.https_port), self._process)
        except AssertionError:
            self.__exit__(None, None, None)
            raise AssertionError((self._folder / "error.log").read_text()) from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait(STOP_TIMEOUT)
