"""Knowledge: what was learnt of one code object since its first call, or since a reset.

An analysis starts from the states and kinds here, and what it finds is kept for the next one and
for reports. Invariant: kinds, reasons and units are kept, never a value of the user's. Read
`trace.analysis` for how it is used.
"""

from __future__ import annotations

from dyntrace.functions.profile import Profile
from dyntrace.functions.states import has_arrays, is_among
from dyntrace.trace.analysis import Analysis
from dyntrace.trace.found_breaks import FoundBreak
from dyntrace.trace.regions.builder import Varying
from dyntrace.trace.regions.paths import Path
from dyntrace.trace.regions.worth import LeftAlone
from dyntrace.trace.state import State

__all__ = ["Knowledge"]

MAX_STATES = 4


class Knowledge:
    """What is known.

    starts      the units from which paths are explored, each with a state seen there
    profile     the kinds that instructions were seen to push
    varying     the sources whose values change from call to call
    paths       by unit, the paths of the last analysis
    breaks      its graph breaks
    left_alone  its work that is not worth a region
    stops       by a recorder's point, the unit before which its frame stands
    notes       what else a report should say
    visits      the calls that brought their arguments to a recorder
    """

    def __init__(self) -> None:
        self.starts: list[tuple[int, State]] = []
        self.profile = Profile()
        self.varying: Varying = frozenset()
        self.paths: dict[int, list[Path]] = {}
        self.breaks: list[FoundBreak] = []
        self.left_alone: list[LeftAlone] = []
        self.stops: dict[int, int] = {}
        self.notes: list[str] = []
        self.visits = 0

    def keep(self, analysis: Analysis) -> None:
        """Keep what `analysis` found."""
        self.paths = analysis.paths
        self.breaks = analysis.breaks.all()
        self.left_alone = list(analysis.left_alone.values())

    def note(self, text: str) -> None:
        """Keep a note, once."""
        if text not in self.notes:
            self.notes.append(text)

    def add_start(self, unit: int, state: State) -> None:
        """Explore from `unit` in `state`, too, unless enough other states are known there."""
        known = self._states_at(unit)
        if state not in known and len(known) < MAX_STATES:
            self.starts.append((unit, state))

    def is_new_call(self, state: State) -> bool:
        """Whether a call with these arguments brings arrays of kinds not seen before."""
        known = [start for _, start in self.starts]
        return state not in known and len(known) < MAX_STATES and has_arrays(state)

    def accepts(self, unit: int, state: State, by_value: bool) -> bool:
        """Whether `unit` has room for `state`, and it differs from the states known there.

        `by_value` compares the values of numbers and strings as well as kinds.
        """
        known = self._states_at(unit)
        return len(known) < MAX_STATES and not is_among(state, known, by_value)

    def _states_at(self, unit: int) -> list[State]:
        return [state for start, state in self.starts if start == unit]
