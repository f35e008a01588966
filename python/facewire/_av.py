"""PyAV, or a message that says how to get it."""

from __future__ import annotations

try:
    import av
    import av.error
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "video needs PyAV: pip install 'facewire[video]', or in a checkout pip install '.[video]'", name="av"
    ) from error

__all__ = ["av"]
