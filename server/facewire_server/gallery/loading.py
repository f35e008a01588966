"""The live index from the database, at start."""

from __future__ import annotations

import json
from typing import Final

from facewire_server.gallery.calibrations import read_calibration
from facewire_server.gallery.database import Database
from facewire_server.gallery.live_index import LiveGallery, LiveIndex
from facewire_server.gallery.rows import vectors_of

_PORTION: Final = 4096


def load_live_index(database: Database) -> LiveIndex:
    """All galleries with their templates."""
    live = LiveIndex()
    for (gallery_id,) in database.query("SELECT gallery_id FROM gallery").fetchall():
        live.put(load_gallery(database, gallery_id))
    return live


def load_gallery(database: Database, gallery_id: str) -> LiveGallery:
    """One gallery that exists."""
    key, contract_id, dim = database.query(
        "SELECT key, contract_id, dim FROM gallery WHERE gallery_id = ?", gallery_id
    ).fetchone()
    gallery = LiveGallery(gallery_id, contract_id, dim)
    for subject_key, subject_id, name, labels in database.query(
        "SELECT key, subject_id, display_name, labels FROM subject WHERE gallery_key = ?", key
    ):
        gallery.put_subject(subject_key, subject_id, name, tuple(json.loads(labels)))
    rows = database.query(
        """SELECT subject_key, face_id, vector, negative FROM face JOIN template ON face_key = face.key
           WHERE gallery_key = ? ORDER BY face.key""",
        key,
    )
    # In portions: a large gallery must not be in memory twice, and what Python once had it seldom gives back.
    while portion := rows.fetchmany(_PORTION):
        for negative, put in ((0, gallery.add), (1, gallery.add_negatives)):
            part = [row[:3] for row in portion if row[3] == negative]
            if part:
                keys, face_ids, blobs = zip(*part, strict=True)
                put(keys, face_ids, vectors_of(blobs, dim))
    gallery.calibrate(read_calibration(database, key))
    return gallery
