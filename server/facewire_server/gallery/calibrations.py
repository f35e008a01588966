"""Galleries' own error rates, in the database and the live index."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from facewire_server.domain.calibration import ScoreCalibration
from facewire_server.domain.gallery import WriteIntent
from facewire_server.domain.gallery_calibration import CalibrationTarget, GalleryCalibration
from facewire_server.domain.ports import Remember
from facewire_server.domain.rate import Rate
from facewire_server.gallery.database import Database
from facewire_server.gallery.galleries import key_of_gallery
from facewire_server.gallery.live_index import LiveIndex


class Calibrations:
    """The domain's CalibrationBook. For the store's thread."""

    def __init__(self, database: Database, live: LiveIndex) -> None:
        self._db = database
        self._live = live

    def put(
        self,
        gallery_id: str,
        calibration: GalleryCalibration,
        intent: WriteIntent,
        remember: Remember[GalleryCalibration],
    ) -> GalleryCalibration:
        """Keeps it with the gallery, in place of one before."""
        with self._db.write():
            self._db.query(
                "INSERT OR REPLACE INTO calibration (gallery_key, data) VALUES (?, ?)",
                key_of_gallery(self._db, gallery_id), json.dumps(asdict(calibration)),
            )  # fmt: skip
            self._db.log_change("gallery calibrated", gallery_id)
            self._db.log_audit(intent, "calibrate", gallery_id)
            self._db.remember(intent, gallery_id, remember(calibration))
        self._live.gallery(gallery_id).calibrate(calibration)
        return calibration

    def delete(self, gallery_id: str, intent: WriteIntent, remember: Remember[None]) -> None:
        """Back to the embedder's own rates; no error if there were no others."""
        with self._db.write():
            self._db.query("DELETE FROM calibration WHERE gallery_key = ?", key_of_gallery(self._db, gallery_id))
            self._db.log_change("calibration deleted", gallery_id)
            self._db.log_audit(intent, "delete calibration", gallery_id)
            self._db.remember(intent, gallery_id, remember(None))
        self._live.gallery(gallery_id).calibrate(None)


def read_calibration(database: Database, gallery_key: int) -> GalleryCalibration | None:
    """As it is stored, if there is one."""
    row = database.query("SELECT data FROM calibration WHERE gallery_key = ?", gallery_key).fetchone()
    return None if row is None else _calibration_of(json.loads(row[0]))


def _calibration_of(data: dict[str, Any]) -> GalleryCalibration:
    curve = data["curve"]
    return GalleryCalibration(
        **{
            **data,
            "target": CalibrationTarget(**data["target"]),
            "curve": ScoreCalibration(tuple(curve["similarities"]), tuple(curve["log10_fmr"])),
            "rate": Rate(**data["rate"]),
            "misses": None if data["misses"] is None else Rate(**data["misses"]),
        }
    )
