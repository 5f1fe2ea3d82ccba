"""The table that `python -m bench` prints, as text; one line per case, and lines below it.

Invariant: this module decides wording and widths only; the figures are in `bench.result`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import geometric_mean

from bench.result import PeerResult, Result
from bench.workload import NO_HARM

UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
HEADINGS = (
    ("case", -32),
    ("eager", 9),
    ("optimised", 9),
    ("ratio", 6),
    ("quartiles", 11),
    ("goal", 10),
    ("against", 14),
    ("first call", 10),
    ("captured", 8),
    ("breaks", 6),
    ("peak MiB", 13),
    ("bits", 6),
)


def duration(seconds: float) -> str:
    """Three figures and a unit."""
    if math.isnan(seconds):
        return "-"
    for scale, unit in UNITS:
        if abs(seconds) >= scale or unit == "ns":
            break
    return f"{seconds / scale:.3g} {unit}" if abs(seconds) < 1e3 * scale else f"{seconds:.0f} s"


def times(ratio: float) -> str:
    return "-" if math.isnan(ratio) else f"{ratio:.2f}"


def line(cells: Iterable[str], widths: Iterable[int]) -> str:
    """Cells put side by side; a negative width is for text that starts at the left."""
    padded = [
        cell.ljust(-width) if width < 0 else cell.rjust(width)
        for cell, width in zip(cells, widths, strict=True)
    ]
    return "  ".join(padded).rstrip()


WIDTHS = [width for _, width in HEADINGS]


def heading() -> str:
    return line((name for name, _ in HEADINGS), WIDTHS)


def row(result: Result) -> str:
    """A case's line, and below it what does not fit a column."""
    low, high = result.spread
    share = "-" if math.isnan(result.captured) else f"{100 * result.captured:.0f} %"
    cells = (
        result.case,
        duration(result.eager),
        duration(result.optimised),
        times(result.ratio),
        f"{times(low)}-{times(high)}",
        f"{result.goal:.2f} {'yes' if result.reached else 'no'}",
        against_text(result),
        duration(result.first_call),
        share,
        str(len(result.breaks)),
        peak_text(result.peaks),
        "differ" if result.differences else "equal",
    )
    return "\n".join([line(cells, WIDTHS), *(f"    {text}" for text in remarks(result))])


def against_text(result: Result) -> str:
    """The ratios to the peers that there is a goal against, and whether each is reached."""
    return ", ".join(rival_text(result, peer) for peer in result.rivals()) or "-"


def rival_text(result: Result, peer: PeerResult) -> str:
    if peer.failure:
        return f"{peer.name} {'refuses' if peer.refused else 'failed'}"
    return f"{times(peer.versus)} {'yes' if result.reached_against(peer) else 'no'}"


def peak_text(peaks: tuple[int, int] | None) -> str:
    """Eager's and the optimised peak in MiB."""
    if peaks is None:
        return "-"
    return " > ".join(f"{count / (1 << 20):.1f}" for count in peaks)


def remarks(result: Result) -> list[str]:
    """Lines below a row: breaks, deopts, differences, notes, peers."""
    found = []
    if result.breaks:
        found.append("breaks: " + counted(result.breaks))
    if result.deopts or result.retired:
        found.append(
            f"{result.deopts} graph calls fell back while timed; {result.retired} graphs retired"
        )
    found += [f"DIFFERS {text}" for text in result.differences]
    return found + result.notes + [peer_text(peer) for peer in result.peers]


def counted(codes: Sequence[str]) -> str:
    return ", ".join(
        code if count == 1 else f"{code} x{count}" for code, count in Counter(codes).items()
    )


def peer_text(peer: PeerResult) -> str:
    if peer.failure:
        return f"{peer.name}: not taken: {peer.failure}"
    bits = "equal values" if peer.distance == 0.0 else f"values differ by up to {peer.distance:.1g}"
    return (
        f"{peer.name}: {duration(peer.seconds)}, {times(peer.ratio)} times eager's speed, "
        f"optimised {times(peer.versus)} times {peer.name}'s, "
        f"first call {duration(peer.first)}, {bits}"
    )


def summary(results: Sequence[Result]) -> str:
    """Families' mean ratios, goals reached, and what was slower or different."""
    measured = [result for result in results if not math.isnan(result.ratio)]
    families = dict.fromkeys(result.family for result in measured)
    lines = [
        f"{family}: {geometric_mean(ratios):.2f} times eager's speed in the geometric mean, "
        f"{min(ratios):.2f} to {max(ratios):.2f}, {len(ratios)} cases"
        for family in families
        if (ratios := [each.ratio for each in measured if each.family == family])
    ]
    aimed = [result for result in results if result.has_goal]
    slower = [result.case for result in measured if result.lost]
    differing = [result.case for result in results if result.differences]
    lines.append(f"goals reached: {sum(each.reached for each in aimed)} of {len(aimed)}")
    lines += goals_against_peers(results)
    lines.append(f"below {NO_HARM}: {', '.join(slower) or 'none'}")
    lines.append(f"bits differ: {', '.join(differing) or 'none'}")
    return "\n".join(lines)


def goals_against_peers(results: Sequence[Result]) -> list[str]:
    """A line for each peer that some result has a goal against."""
    lines = []
    for name in dict.fromkeys(name for result in results for name in result.against):
        aimed = [result for result in results if name in result.against]
        met = [(each, peer) for each in aimed for peer in each.rivals() if peer.name == name]
        ran = [each.reached_against(peer) for each, peer in met if not peer.failure]
        refused = sum(peer.refused for _, peer in met)
        lines.append(
            f"goals against {name} reached: {sum(ran)} of {len(ran)}; "
            f"{refused} refused by it, {len(aimed) - len(ran) - refused} not measured"
        )
    return lines
