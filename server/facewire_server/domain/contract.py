"""The embedding contract: what must be equal for two embeddings to be comparable."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass

# Raised when the code changes how pixels become model input in a way that moves embeddings.
PREPROCESSING_VERSION = 1


@dataclass(frozen=True, slots=True)
class EmbeddingContract:
    """Everything an embedding depends on.

    Attributes:
        detector_sha256: of the detector's published weights; other landmarks, other crops.
        detector_rules: how frames become detector input.
        alignment: the landmark template, its size, and the warp's interpolation.
        embedder_sha256: of the embedder's published weights.
        embedder_rules: colour order, mean and scale of the embedder's input.
        precision: of inference, for instance "f32".
        device: OpenVINO device family that ran it, for instance "CPU".
        dim: length of the embedding.
    """

    detector_sha256: str
    detector_rules: str
    alignment: str
    embedder_sha256: str
    embedder_rules: str
    precision: str
    device: str
    dim: int

    @property
    def contract_id(self) -> str:
        """Digest of all of the above: ``fw1-`` and 16 hexadecimal digits."""
        canonical = json.dumps({**asdict(self), "preprocessing": PREPROCESSING_VERSION}, sort_keys=True)
        return "fw1-" + hashlib.sha256(canonical.encode()).hexdigest()[:16]
