"""`numpy.fft`: transforms are heavy and not BLAS, so independent ones may run side by side.

The module is not imported on its account: its functions are entered once the program has done so.
"""

from __future__ import annotations

from dyntrace import breaks
from dyntrace.ops.numpy.functions import Line, Refusal, captured, refused, register
from dyntrace.ops.registry import when_imported

LINES: tuple[Line | Refusal, ...] = (
    captured("fft ifft rfft irfft hfft ihfft", heavy=True),
    captured(
        "fft2 ifft2 rfft2 irfft2 fftn ifftn rfftn irfftn",
        aliases=True,
        along_axes=True,
        heavy=True,
    ),
    captured("fftfreq rfftfreq fftshift ifftshift"),
    refused("test", "native", breaks.CONFIGURATION.code),
)


def _register() -> None:
    from numpy import fft

    register(fft, "numpy.fft", "fft", LINES)


when_imported("numpy.fft", _register)
