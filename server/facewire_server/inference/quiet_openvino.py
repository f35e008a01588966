"""OpenVINO without its telemetry.

The package openvino pulls in openvino-telemetry, which on import writes a client id to the home folder and reports to a
web service. Nothing may leave this box unasked: here, before OpenVINO is imported for the first time, its telemetry is
declared missing, for which OpenVINO has a stub.
"""

import sys

sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]

import openvino as ov  # noqa: E402
import openvino.opset13 as ops  # noqa: E402
import openvino.passes as passes  # noqa: E402, PLR0402

__all__ = ["ops", "ov", "passes"]
