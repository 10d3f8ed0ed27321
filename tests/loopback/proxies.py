"""Real proxies on this machine, each in its own process: proxy.py, and the SOCKS servers of tiny-proxy."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

USER, PASSWORD = "user", "pass:word"

_SOCKS = """
import sys, anyio, tiny_proxy
kind, port_file, *credentials = sys.argv[1:]
handler = getattr(tiny_proxy, f"{kind}ProxyHandler")(*credentials)
async def main():
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0)
    with open(port_file, "w") as file:
        print(listener.extra(anyio.abc.SocketAttribute.local_port), file=file)
    await listener.serve(handler.handle)
anyio.run(main)
"""


@contextlib.contextmanager
def run_proxy_py(folder: Path, *options: str) -> Iterator[int]:
    """The port of a proxy.py; `options` are those of its command line."""
    command = ["-m", "proxy", "--hostname", "127.0.0.1", "--port", "0", "--num-workers", "1", "--num-acceptors", "1"]
    with _running([*command, "--log-level", "ERROR", "--port-file", str(folder / "port"), *options], folder) as port:
        yield port


@contextlib.contextmanager
def run_socks(folder: Path, kind: str, *credentials: str) -> Iterator[int]:
    """The port of a SOCKS server, `kind` "Socks4" or "Socks5"."""
    with _running(["-c", _SOCKS, kind, str(folder / "port"), *credentials], folder) as port:
        yield port


@contextlib.contextmanager
def _running(arguments: list[str], folder: Path) -> Iterator[int]:
    command = [sys.executable, *arguments]
    if program := shutil.which("setpriv"):
        command = [program, "--pdeathsig", "TERM", *command]  # Linux: even a test run that is killed takes its servers with it
    log = folder / "output.log"
    with open(log, "wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=folder)
    try:
        yield _port_in(folder / "port", process, log)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _port_in(file: Path, process: subprocess.Popen[bytes], log: Path) -> int:
    for _ in range(1000):
        with contextlib.suppress(FileNotFoundError):
            if (text := file.read_text()).endswith("\n"):
                return int(text.split()[0])
        if process.poll() is not None:
            break
        time.sleep(0.03)
    raise RuntimeError(f"the proxy does not start: {log.read_text(encoding='utf-8', errors='replace')}")
