"""The gallery, opened: database, live index, and the books on both."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from facewire_server.gallery.calibrations import Calibrations
from facewire_server.gallery.database import Database
from facewire_server.gallery.faces import Faces
from facewire_server.gallery.galleries import Galleries
from facewire_server.gallery.live_index import LiveIndex
from facewire_server.gallery.loading import load_live_index
from facewire_server.gallery.subjects import Subjects
from facewire_server.gallery.transfer import Transfer


@dataclass(frozen=True, slots=True)
class OpenedGallery:
    """Everything the store's thread works on, and the index that all threads search."""

    database: Database
    live: LiveIndex
    galleries: Galleries
    subjects: Subjects
    faces: Faces
    transfer: Transfer
    calibrations: Calibrations


def open_gallery(path: Path, max_templates: int) -> OpenedGallery:
    """Opens or makes the database and loads the index.

    Raises:
        StorageFailure: the file cannot be used.
    """
    database = Database(path)
    live = load_live_index(database)
    galleries = Galleries(database, live)
    return OpenedGallery(
        database,
        live,
        galleries,
        Subjects(database, live),
        Faces(database, live, max_templates),
        Transfer(database, live, galleries),
        Calibrations(database, live),
    )
