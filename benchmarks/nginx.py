"""The server of the benchmarks: one nginx worker with a generated configuration, and its own count of what reached it."""

from __future__ import annotations

import gzip
import http.client
import os
import shutil
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import trustme

from works import DOWNLOAD_MIB, FORM_MIB, HELLO, LARGE_PAGE, MIB, PAGE

_CONFIGURATION = """
daemon off;
worker_processes 1;
pid {folder}/pid;
{user}
events {{ worker_connections 16384; }}
http {{
    access_log off;
    sendfile on;
    open_file_cache max=16 inactive=1h;
    keepalive_timeout 1h;
    keepalive_requests 1000000000;
    default_type text/plain;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        listen 127.0.0.1:{tls_port} ssl backlog=4096;
        ssl_certificate {folder}/server.pem;
        ssl_certificate_key {folder}/server.pem;
        ssl_protocols TLSv1.3;
        location = /hello {{ return 200 "{hello}"; }}
        location /item/ {{ return 200 "{hello}"; }}
        # `return` reads the request body and drops it, also when it comes after the answer has gone out.
        location = /post {{ return 200 "{hello}"; }}
        # To pass the request on, nginx reads all of its body first; there is nobody to pass it on to.
        location = /upload {{
            client_max_body_size 0;
            client_body_buffer_size 101m;
            proxy_pass http://unix:{folder}/nobody:/;
            error_page 502 =200 @uploaded;
        }}
        location @uploaded {{ return 200 "{hello}"; }}
        location = /headers {{
{fields}
            return 200 "{hello}";
        }}
        location = /page.json {{ default_type application/json; root {folder}; }}
        location = /large.json {{ default_type application/json; root {folder}; add_header Content-Encoding gzip; }}
        location = /large {{ default_type application/octet-stream; root {folder}; }}
        location = /status {{ stub_status; }}
    }}
}}
"""
# With Server, Date, Content-Type, Content-Length and Connection these make 20 fields.
_FIELDS = [
    ("Set-Cookie", "session=d41d8cd98f00b204e9800998ecf8427e; Path=/; HttpOnly; SameSite=Lax"),
    ("Set-Cookie", "language=en-GB; Path=/; Max-Age=31536000"),
    ("Set-Cookie", "visited=1; Path=/; Expires=Wed, 01 Jan 2098 00:00:00 GMT"),
    ("Cache-Control", "private, max-age=0, must-revalidate"),
    ("Vary", "Accept-Encoding, Origin"),
    ("ETag", "33a64df551425fcc55e4d42a148795d9f25f89d4"),
    ("Strict-Transport-Security", "max-age=63072000; includeSubDomains; preload"),
    ("Content-Language", "en-GB"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "strict-origin-when-cross-origin"),
    ("X-Request-Id", "7b3c5a52-1a0f-4c8e-9a52-6d0a3f6f3c11"),
    ("X-RateLimit-Limit", "5000"),
    ("X-RateLimit-Remaining", "4987"),
    ("Link", "<https://example.org/items?page=2>; rel=next"),
]


@dataclass(frozen=True)
class Site:
    """Where the server is: two origins, and the file with the certificate authority of the second. Files to upload, by MiB."""

    http: str
    https: str
    ca_file: str
    files: dict[str, str]


class Count(NamedTuple):
    """Connections accepted and requests begun since the server started."""

    connections: int
    requests: int


class Nginx:
    """An nginx in a folder of its own, on the cores this process may use; a context manager."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        """`host` is the name clients reach it by. Raises FileNotFoundError when there is no nginx."""
        self._host = host
        found = shutil.which("nginx", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin")
        if found is None:
            raise FileNotFoundError("nginx is needed on PATH or in /usr/sbin")
        self._program = found
        self.version = subprocess.run([found, "-v"], capture_output=True, text=True, check=True).stderr.strip().rpartition("/")[2]

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="benchmark-")
        folder = Path(self._folder.name)
        port, tls_port = _free_ports()
        files = {str(DOWNLOAD_MIB): str(folder / "large"), str(FORM_MIB): str(folder / "medium")}
        self.site = Site(f"http://{self._host}:{port}", f"https://{self._host}:{tls_port}", str(folder / "ca.pem"), files)
        _lay(folder, self._host, port, tls_port)
        log = folder / "error.log"
        order = [self._program, "-e", str(log), "-p", str(folder), "-c", str(folder / "nginx.conf")]
        self._process = subprocess.Popen(order, stderr=subprocess.DEVNULL)
        for _ in range(500):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except ConnectionRefusedError:
                if self._process.poll() is not None:
                    raise ChildProcessError(f"nginx ended at once:\n{log.read_text()}") from None
                time.sleep(0.01)
        self._status = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        self._asked = 0
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._status.close()
        self._process.terminate()
        self._process.wait()
        self._folder.cleanup()

    def count(self) -> Count:
        """What reached the server so far, these questions left out: they share one connection."""
        self._status.request("GET", "/status")
        text = self._status.getresponse().read()
        self._asked += 1
        accepted, _handled, requests = (int(word) for word in text.splitlines()[2].split())
        return Count(accepted, requests - self._asked)


def _free_ports() -> list[int]:
    with socket.socket() as one, socket.socket() as other:
        for free in (one, other):
            free.bind(("127.0.0.1", 0))
        return [free.getsockname()[1] for free in (one, other)]


def _lay(folder: Path, host: str, port: int, tls_port: int) -> None:
    """Write everything nginx reads."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    authority.issue_cert(host).private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
    (folder / "page.json").write_bytes(PAGE)
    (folder / "large.json").write_bytes(gzip.compress(LARGE_PAGE, mtime=0))
    for name, size in (("large", DOWNLOAD_MIB), ("medium", FORM_MIB)):
        with (folder / name).open("wb") as file:
            file.truncate(size * MIB)
    (folder / "nginx.conf").write_text(
        _CONFIGURATION.format(
            folder=folder,
            port=port,
            tls_port=tls_port,
            hello=HELLO.decode(),
            fields="\n".join(f'            add_header {name} "{value}";' for name, value in _FIELDS),
            # Started as root, the worker would become nobody, who cannot read this folder.
            user="user root;" if os.geteuid() == 0 else "",
        )
    )
