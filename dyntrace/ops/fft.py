"""`numpy.fft`: transforms are heavy and not BLAS, so independent ones may run side by side."""

from __future__ import annotations

import numpy as np

from dyntrace.ops.functions import Line, Refusal, captured, register

LINES: tuple[Line | Refusal, ...] = (
    captured("fft ifft rfft irfft hfft ihfft", heavy=True),
    captured(
        "fft2 ifft2 rfft2 irfft2 fftn ifftn rfftn irfftn",
        aliases=True,
        along_axes=True,
        heavy=True,
    ),
    captured("fftfreq rfftfreq fftshift ifftshift"),
)

register(np.fft, "numpy.fft", "fft", LINES)
