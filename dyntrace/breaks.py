"""The catalogue of reasons: why an instruction, a call or a function was not captured.

Each reason stands here once, with its code, what it is, why it forces a break, and what the user
can do. Codes are stable; tests trigger each of them. `report` prints them, `trace` raises them.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CATALOGUE", "BreakReason", "reason"]


@dataclass(frozen=True, slots=True)
class BreakReason:
    """One entry: `code` (DTnnn), `text` (what), `why` (why it breaks) and `fix` (what to do)."""

    code: str
    text: str
    why: str
    fix: str


CATALOGUE: dict[str, BreakReason] = {}


def _add(code: str, text: str, why: str, fix: str) -> BreakReason:
    if code in CATALOGUE:
        raise ValueError(f"break code {code} is listed twice")
    CATALOGUE[code] = BreakReason(code, text, why, fix)
    return CATALOGUE[code]


def reason(code: str) -> BreakReason:
    """The catalogue entry of `code`; an unknown code is a KeyError, at import where tables use it."""
    return CATALOGUE[code]


# DT1xx: calls ------------------------------------------------------------------------------------
OPAQUE_CALL = _add(
    "DT101",
    "call of a function that cannot be traced",
    why="its effects are unknown, so all array work before it must be finished first",
    fix="nothing is wrong; move it out of the hot loop if the report shows it matters",
)

# DT2xx: NumPy operations -------------------------------------------------------------------------

# DT3xx: bytecode instructions --------------------------------------------------------------------

# DT4xx: control flow -----------------------------------------------------------------------------

# DT5xx: values and effects -----------------------------------------------------------------------

# DT6xx: whole functions --------------------------------------------------------------------------
