"""`numpy.fft`: transforms are heavy and not BLAS, so independent ones may run in parallel.

dyntrace does not import `numpy.fft`: it enters the functions once the program has imported it. Read
`exec.jobs.transforms` for how large transforms are split.
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
