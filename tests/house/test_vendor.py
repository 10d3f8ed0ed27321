"""vendor/lay.py lays what was pinned, and nothing else. The archives are made here, and pip finds them in a folder."""

from __future__ import annotations

import hashlib
import io
import os
import runpy
import tarfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from .source import PROJECT

lay_py = SimpleNamespace(**runpy.run_path(str(PROJECT / "vendor" / "lay.py")))

FILES = {"LICENSE": b"Do as you like.\n", "src/api.c": b"int main(void) { return 0; }\n"}
FOLDER = "thing-1.0/vendor/llhttp"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def make_archive(path: Path, files: dict[str, bytes]) -> Path:
    # What pip needs to take it for a source distribution, when pip is asked.
    project = b'[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    backend = (
        b"import os\n"
        b"def prepare_metadata_for_build_wheel(folder, settings=None):\n"
        b"    os.mkdir(os.path.join(folder, 'thing-1.0.dist-info'))\n"
        b"    with open(os.path.join(folder, 'thing-1.0.dist-info', 'METADATA'), 'w') as file:\n"
        b"        file.write('Metadata-Version: 2.1\\nName: thing\\nVersion: 1.0\\n')\n"
        b"    return 'thing-1.0.dist-info'\n"
    )
    metadata = b"Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n"
    extra = {"pyproject.toml": project, "backend.py": backend, "PKG-INFO": metadata}
    packed_files = {f"thing-1.0/{name}": content for name, content in extra.items()}
    packed_files |= {f"{FOLDER}/{name}": content for name, content in files.items()}
    with tarfile.open(path, "w:gz") as packed:
        for name, content in packed_files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            packed.addfile(member, io.BytesIO(content))
    return path


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return make_archive(tmp_path / "thing-1.0.tar.gz", {**FILES, "src/unlisted.c": b"not wanted"})


@pytest.fixture
def manifest(archive: Path) -> Any:
    digests = {name: sha256(content) for name, content in FILES.items()}
    return lay_py.Manifest("thing", "1.0", sha256(archive.read_bytes()), FOLDER, digests)


def laid(target: Path) -> dict[str, bytes]:
    return {path.relative_to(target).as_posix(): path.read_bytes() for path in target.rglob("*") if path.is_file()}


def test_lays_exactly_the_listed_files(manifest: Any, archive: Path, tmp_path: Path) -> None:
    target = tmp_path / "llhttp"
    assert not lay_py.is_laid(manifest, target)
    lay_py.lay(manifest, lay_py.unpack(manifest, archive), target)
    assert laid(target) == FILES
    assert lay_py.is_laid(manifest, target)


def test_replaces_what_was_there_and_leaves_no_workshop(manifest: Any, archive: Path, tmp_path: Path) -> None:
    target = tmp_path / "vendor" / "llhttp"
    target.mkdir(parents=True)
    (target / "LICENSE").write_bytes(b"Do not.")
    (target / "stale.c").touch()
    assert not lay_py.is_laid(manifest, target)
    lay_py.lay(manifest, lay_py.unpack(manifest, archive), target)
    assert laid(target) == FILES
    assert list(target.parent.iterdir()) == [target]


def test_refuses_a_tampered_archive(manifest: Any, tmp_path: Path) -> None:
    tampered = make_archive(tmp_path / "thing-1.0.tar.gz", {**FILES, "src/api.c": b"int main(void) { return 1; }\n"})
    with pytest.raises(lay_py.VendorError, match=r"thing-1\.0\.tar\.gz is not what was pinned") as refused:
        lay_py.unpack(manifest, tampered)
    assert manifest.sha256 in str(refused.value)
    assert sha256(tampered.read_bytes()) in str(refused.value)


def test_refuses_a_file_with_another_digest(manifest: Any, archive: Path) -> None:
    other = replace(manifest, files={**manifest.files, "src/api.c": sha256(b"")})
    with pytest.raises(lay_py.VendorError, match=r"src/api\.c is not what was pinned"):
        lay_py.unpack(other, archive)


def test_refuses_an_archive_without_a_listed_file(manifest: Any, archive: Path) -> None:
    more = replace(manifest, files={**manifest.files, "src/http.c": sha256(b"")})
    with pytest.raises(lay_py.VendorError, match=r"holds no file thing-1\.0/vendor/llhttp/src/http\.c"):
        lay_py.unpack(more, archive)


@pytest.fixture
def offline_pip(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder that is all pip knows of the world."""
    for name, value in {"NO_INDEX": "1", "FIND_LINKS": str(tmp_path), "CONFIG_FILE": os.devnull, "NO_CACHE_DIR": "1"}.items():
        monkeypatch.setenv(f"PIP_{name}", value)
    (tmp_path / "fetched").mkdir()
    return tmp_path / "fetched"


def test_fetches_with_pip(manifest: Any, archive: Path, offline_pip: Path) -> None:
    assert lay_py.fetch(manifest, offline_pip).read_bytes() == archive.read_bytes()


def test_pip_itself_refuses_a_tampered_archive(
    manifest: Any, archive: Path, offline_pip: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    make_archive(archive, {**FILES, "src/api.c": b"tampered"})
    with pytest.raises(lay_py.VendorError, match=r"pip could not download thing 1\.0"):
        lay_py.fetch(manifest, offline_pip)
    assert "DO NOT MATCH THE HASHES" in capfd.readouterr().err
    assert {path.name for path in offline_pip.iterdir()} == {"requirements.txt"}


def test_says_so_when_the_archive_cannot_be_had(manifest: Any, offline_pip: Path) -> None:
    with pytest.raises(lay_py.VendorError, match="build from a source distribution"):
        lay_py.fetch(replace(manifest, distribution="nothing-of-this-name"), offline_pip)


def test_the_real_manifest_pins_every_file() -> None:
    manifest = lay_py.Manifest.read(PROJECT / "vendor" / "llhttp.toml")
    assert {"LICENSE", "include/llhttp.h", "src/api.c", "src/http.c", "src/llhttp.c"} == set(manifest.files)
    assert all(len(digest) == 64 for digest in [manifest.sha256, *manifest.files.values()])
