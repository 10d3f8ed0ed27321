"""Lays the pinned source of llhttp under vendor/llhttp/: `python vendor/lay.py`. Does nothing when it is there already.

What is pinned, and from where, stands in llhttp.toml. The archive is fetched by pip, so the user's index settings hold; not one
byte of it is laid before the digests of the archive and of every file have been checked.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent


class VendorError(Exception):
    """The pinned source cannot be had, or is not what was pinned."""


@dataclass(frozen=True)
class Manifest:
    """What is pinned: a distribution's release, its archive's digest, the folder in that, and the digest of each file wanted."""

    distribution: str
    release: str
    sha256: str
    folder: str
    files: dict[str, str]

    @classmethod
    def read(cls, path: Path) -> Manifest:
        said = tomllib.loads(path.read_text(encoding="utf-8"))
        return cls(**said["archive"], files=said["files"])


def is_laid(manifest: Manifest, target: Path) -> bool:
    """Every file is in `target` as pinned."""
    return all(
        (target / name).is_file() and digest((target / name).read_bytes()) == sha256 for name, sha256 in manifest.files.items()
    )


def fetch(manifest: Manifest, folder: Path) -> Path:
    """Download the archive into `folder`, an empty one. pip itself checks the digest before it looks inside."""
    wanted = folder / "requirements.txt"
    wanted.write_text(f"{manifest.distribution}=={manifest.release} --hash=sha256:{manifest.sha256}\n", encoding="utf-8")
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-binary", manifest.distribution, "--require-hashes"]
    command = [sys.executable, "-m", "pip", "download", *options, "--dest", str(folder), "--requirement", str(wanted)]
    if subprocess.run(command, check=False).returncode != 0:
        raise VendorError(
            f"pip could not download {manifest.distribution} {manifest.release}; what it says stands above.\n"
            "Without a package index within reach, build from a source distribution of aiohttpx, which carries llhttp."
        )
    return next(path for path in folder.iterdir() if path != wanted)


def unpack(manifest: Manifest, archive: Path) -> dict[str, bytes]:
    """The pinned files in `archive`, each checked."""
    check(archive.name, archive.read_bytes(), manifest.sha256)
    contents = {}
    with tarfile.open(archive) as packed:
        for name, sha256 in manifest.files.items():
            try:
                member = packed.extractfile(f"{manifest.folder}/{name}")
            except KeyError:
                member = None
            if member is None:
                raise VendorError(f"{archive.name} holds no file {manifest.folder}/{name}")
            contents[name] = member.read()
            check(name, contents[name], sha256)
    return contents


def lay(manifest: Manifest, contents: dict[str, bytes], target: Path) -> None:
    """Put the files at `target`, replacing what was there, in one step: nobody ever sees half of them."""
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as workshop:
        new, old = Path(workshop, "new"), Path(workshop, "old")
        for name, content in contents.items():
            (new / name).parent.mkdir(parents=True, exist_ok=True)
            (new / name).write_bytes(content)
        if target.exists():
            os.rename(target, old)
        try:
            os.rename(new, target)
        except OSError:
            # Another build may have been first: what counts is that it is there.
            if not is_laid(manifest, target):
                raise


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def check(name: str, content: bytes, sha256: str) -> None:
    if digest(content) != sha256:
        raise VendorError(f"{name} is not what was pinned\n  pinned sha256 {sha256}\n  found  sha256 {digest(content)}")


def main() -> None:
    manifest, target = Manifest.read(HERE / "llhttp.toml"), HERE / "llhttp"
    if is_laid(manifest, target):
        return
    try:
        with tempfile.TemporaryDirectory() as folder:
            contents = unpack(manifest, fetch(manifest, Path(folder)))
        lay(manifest, contents, target)
    except VendorError as error:
        sys.exit(f"vendor/lay.py: {error}")
    print(f"laid llhttp under {target}")


if __name__ == "__main__":
    main()
