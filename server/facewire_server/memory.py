"""Memory of the start that nobody needs again."""

from __future__ import annotations

import ctypes
import gc


def settle() -> None:
    """Gives memory that loading used back to the system, and spares what stays from Python's collector.

    Compiling networks and reading galleries leave tens of megabytes of free memory inside the process, which the C
    library keeps unless asked. The collector would go through all objects of the start again and again: pauses.
    """
    gc.collect()
    gc.freeze()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's; others have none and need none
    if trim is not None:
        trim(0)
