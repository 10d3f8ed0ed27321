"""Real servers on this machine, each in its own process: nginx, and httpbin under gunicorn.

Each is handed a socket that already listens: no port can be lost between choosing and binding it, and a client that comes before
the server is ready waits in the backlog.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import trustme

SMALL = b"Hello, world!"
MEBIBYTE = 1 << 20
LARGE = 100 * MEBIBYTE

CONFIGURATION = """
daemon off;
worker_processes 1;
{user}
pid nginx.pid;
error_log stderr;
events {{ worker_connections 1000; }}
http {{
    access_log off;
    client_body_temp_path temporary; proxy_temp_path temporary; fastcgi_temp_path temporary;
    uwsgi_temp_path temporary; scgi_temp_path temporary;
    types {{ application/json json; text/plain txt; }}
    default_type application/octet-stream;
    keepalive_requests 1000000;
    sendfile on;
    ssl_certificate server.pem;
    ssl_certificate_key server.pem;
    server {{
        listen 127.0.0.1:{port};
        listen 127.0.0.1:{tls_port} ssl;
        root files;
        location /gzip/    {{ alias files/; gzip on; gzip_types *; gzip_min_length 0; }}
        location /chunked/ {{ alias files/; ssi on; ssi_types *; }}
        location /eof/     {{ alias files/; ssi on; ssi_types *; chunked_transfer_encoding off; }}
        location /slow/    {{ alias files/; limit_rate 50k; }}
        location /once/    {{ alias files/; keepalive_requests 1; }}
        location /seven/   {{ alias files/; keepalive_requests 7; }}
        location /brief/   {{ alias files/; keepalive_timeout 1s 1s; }}
        location /upload/  {{ dav_methods PUT DELETE; create_full_put_path on; client_max_body_size 0; }}
        location = /sink   {{ client_max_body_size 0; return 200 "gone"; }}
        location = /empty  {{ return 204; }}
        location = /fields {{ {fields} return 200 "Hello, world!"; }}
    }}
}}
"""


@dataclass(frozen=True)
class Nginx:
    """A running nginx. Its files are there once over http and once over https, at `/NAME` and under the prefixes below.

    Files: small.txt (13 bytes), data.json (10 KB), large (100 MiB; every MiB begins with its number, 8 bytes big-endian).

    /gzip/NAME     gzip, chunked, for who accepts it      /once/NAME     Connection: close
    /chunked/NAME  chunked                                /seven/NAME    keeps a connection for seven requests
    /eof/NAME      ended by the connection                /brief/NAME    Keep-Alive: timeout=1, kept
    /slow/NAME     at 50 KB/s                             /upload/NAME   takes PUT and DELETE, gives it back to GET
    /empty         204                                    /sink          takes any body
    /fields        20 X- fields, 3 cookies
    """

    http: str  #: "http://127.0.0.1:PORT"
    https: str  #: "https://localhost:PORT"
    ca: Path  #: the certificate to trust for https
    files: Path  #: the folder it serves; uploads go to its "upload"


@dataclass(frozen=True)
class Httpbin:
    """A running httpbin, which keeps connections."""

    url: str  #: "http://127.0.0.1:PORT"


@contextlib.contextmanager
def run_nginx(program: str, folder: Path) -> Iterator[Nginx]:
    """`folder` is an empty one for everything nginx reads and writes."""
    make_files(folder / "files")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    authority.issue_cert("localhost", "127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(folder / "server.pem"))
    fields = [f'add_header X-Field-{number} "value {number}";' for number in range(20)]
    fields += [f'add_header Set-Cookie "cookie-{number}=value-{number}; Path=/";' for number in range(3)]
    with listening_socket() as plain, listening_socket() as secure:
        ports = {"port": plain.getsockname()[1], "tls_port": secure.getsockname()[1]}
        user = "user root;" if os.geteuid() == 0 else ""
        (folder / "nginx.conf").write_text(CONFIGURATION.format(**ports, user=user, fields=" ".join(fields)), encoding="utf-8")
        server = Nginx(
            f"http://127.0.0.1:{ports['port']}", f"https://localhost:{ports['tls_port']}", folder / "ca.pem", folder / "files"
        )
        command = [program, "-p", str(folder), "-c", "nginx.conf", "-e", "stderr"]
        # NGINX is how one nginx hands its listening sockets to the next when it is upgraded in place.
        environment = {"NGINX": f"{plain.fileno()};{secure.fileno()};"}
        with running(command, [plain, secure], folder / "output.log", f"{server.http}/small.txt", environment):
            yield server


def make_files(folder: Path) -> None:
    folder.mkdir()
    (folder / "small.txt").write_bytes(SMALL)
    people = [{"id": number, "name": f"Person {number}", "tags": ["a", "b"], "score": number / 7} for number in range(128)]
    (folder / "data.json").write_text(json.dumps(people), encoding="utf-8")
    with open(folder / "large", "wb") as large:  # sparse: it takes no room on the disk, and no time to make
        for number in range(LARGE // MEBIBYTE):
            large.seek(number * MEBIBYTE)
            large.write(number.to_bytes(8, "big"))
        large.truncate(LARGE)


@contextlib.contextmanager
def run_httpbin(folder: Path) -> Iterator[Httpbin]:
    with listening_socket() as plain:
        server = Httpbin(f"http://127.0.0.1:{plain.getsockname()[1]}")
        command = [sys.executable, "-m", "gunicorn", "--bind", f"fd://{plain.fileno()}", "--worker-class", "gthread"]
        command += ["--threads", "32", "--keep-alive", "30", "--no-control-socket", "httpbin:app"]
        with running(command, [plain], folder / "output.log", f"{server.url}/get", {}):
            yield server


def listening_socket() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0), backlog=1024)


@contextlib.contextmanager
def running(
    command: list[str], sockets: Sequence[socket.socket], log: Path, url: str, environment: dict[str, str]
) -> Iterator[None]:
    """Keep `command` running once it has answered a GET of `url`; raise with what it wrote when it does not."""
    if program := shutil.which("setpriv"):
        command = [program, "--pdeathsig", "TERM", *command]  # Linux: even a test run that is killed takes its servers with it
    inherited = [inherits.fileno() for inherits in sockets]
    with open(log, "wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, pass_fds=inherited, env={**os.environ, **environment}
        )
    try:
        for inherits in sockets:
            inherits.close()  # from here on a server that ends refuses connections, instead of leaving them waiting
        try:
            urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=30).close()
        except OSError as error:
            raise RuntimeError(f"{command[0]} gives no answer: {log.read_text(encoding='utf-8', errors='replace')}") from error
        yield
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
