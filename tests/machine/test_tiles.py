"""Forced sizes of tiles: where a tile ends must not show, however small it is."""

import os
import subprocess
import sys

import pytest

TILES = (1, 2, 3, 7, 63, 64, 65, 1000)


@pytest.mark.parametrize("tile", TILES)
def test_tiles_of_every_size_on_every_thread_give_eagers_bits(tile):
    forced = {"DYNTRACE_TILE": str(tile), "DYNTRACE_THREADS_FROM": "1"}
    run = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.machine.forced_tiles"],
        env={**os.environ, **forced},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert run.returncode == 0, run.stdout + run.stderr[-6000:]
    assert int(run.stdout.split()[0]) >= 500
