"""`Result`, the findings on one case: a row of the table and an entry of a saved file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bench.timing import Pairs, middle, quartiles
from bench.workload import NO_HARM


@dataclass
class PeerResult:
    """A peer's result on the same source.

    seconds   median of a call
    ratio     eager's time over the peer's, in the same pairs
    versus    the peer's time over the optimised function's, in pairs of these two
    distance  largest relative difference from eager's numbers; 0.0 is the same values
    first     seconds of the first call, compilation included
    failure   the peer's own message, if it could not run
    refused   whether it did not take the source; else it crashed or took too long
    """

    name: str
    seconds: float = float("nan")
    ratio: float = float("nan")
    versus: float = float("nan")
    distance: float = float("nan")
    first: float = float("nan")
    failure: str = ""
    refused: bool = False


@dataclass
class Result:
    """One case.

    has_goal     whether the goal is one of its own
    against      a peer's time over the optimised function's to reach, by the peer's name
    pairs        seconds per call, eager first
    first_call   seconds of the first optimised call, `optimize` included, above eager's
    captured     share of the executed NumPy calls that ran inside graphs
    breaks       codes of the graph breaks, one for each place
    deopts       region calls during timing that fell back to the original code, guard misses too
    retired      regions given up for the original code
    peaks        bytes of peak memory above the arguments, eager and optimised
    notes        what could not be measured, and why
    differences  where optimised results differ from eager ones, or what was raised
    """

    case: str
    family: str = ""
    goal: float = NO_HARM
    has_goal: bool = False
    pairs: Pairs = field(default_factory=Pairs)
    first_call: float = float("nan")
    captured: float = float("nan")
    breaks: list[str] = field(default_factory=list)
    deopts: int = 0
    retired: int = 0
    peaks: tuple[int, int] | None = None
    notes: list[str] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)
    peers: list[PeerResult] = field(default_factory=list)
    against: Mapping[str, float] = field(default_factory=dict)

    @property
    def eager(self) -> float:
        return middle(self.pairs.first)

    @property
    def optimised(self) -> float:
        return middle(self.pairs.second)

    @property
    def ratio(self) -> float:
        """Eager time over optimised time: the median over the pairs."""
        return middle(self.pairs.ratios())

    @property
    def spread(self) -> tuple[float, float]:
        """The quartiles of the ratio over the pairs."""
        return quartiles(self.pairs.ratios())

    @property
    def reached(self) -> bool:
        """Whether the goal is reached by the ratio as printed, rounded to two decimals."""
        return round(self.ratio, 2) >= self.goal

    @property
    def lost(self) -> bool:
        """Whether it ran slower than eager, beyond the noise that NO_HARM allows."""
        return round(self.ratio, 2) < NO_HARM

    def rivals(self) -> list[PeerResult]:
        """The measured peers that there is a goal against."""
        return [peer for peer in self.peers if peer.name in self.against]

    def reached_against(self, peer: PeerResult) -> bool:
        """Whether the goal against this peer is reached by the ratio as printed."""
        return round(peer.versus, 2) >= self.against[peer.name]

    def add(self, other: Result) -> None:
        """Take the pairs of another measurement of the same case."""
        self.pairs += other.pairs
