"""All programs of the family, with the size of a short run.

Invariant: names are unique, and every file of `scripts/` and `suites/` belongs to an entry. Sizes
are chosen so that a plain run takes between a tenth of a second and a few seconds.
"""

from __future__ import annotations

from bench.programs.program import DURATION, HERE, STRICT_FLOOR, Program


def script(
    file: str, small: str, full: str = "", needs: str = "numpy", volatile: str = ""
) -> Program:
    """A script of `scripts/`; command lines and needed modules are split at blanks."""
    return Program(
        file,
        "script",
        f"scripts/{file}",
        tuple(full.split()),
        tuple(small.split()),
        tuple(needs.split()),
        volatile=volatile,
    )


def imported(module: str, floor: float, start_up: float) -> Program:
    """A script that only imports `module`."""
    package = module.partition(".")[0]
    return Program(
        f"import {module}",
        "import",
        f"scripts/import_{package}.py",
        needs=(package,),
        floor=floor,
        start_up=start_up,
    )


def suite(name: str, runner: str, arguments: str, small: str, needs: str) -> Program:
    """Test modules run by `runner`, "pytest" or "unittest"."""
    return Program(
        name,
        "suite",
        f"suites/run_{runner}.py",
        tuple(arguments.split()),
        tuple(small.split()),
        tuple(needs.split()),
        floor=STRICT_FLOOR,
        start_up=0.0,
        volatile=DURATION,
    )


STATISTICS = ("CorrelationAndCovariance", "Quantiles", "Sum", "Mean", "PVariance", "Stdev")
INVENTORY = f"-q {HERE / 'suites' / 'test_inventory.py'}"

SCRIPTS = (
    script("heat_equation.py", "20 40", "300 4000"),
    script("logistic_map.py", "100", "20000"),
    script("random_walk.py", "100 100"),
    script("monte_carlo_pi.py", "20000", "20000000"),
    script("kmeans.py", "200"),
    script("pca_faces.py", "40"),
    script("life.py", "48", "500"),
    script("newton_fractal.py", "48", "1000"),
    script("sir_model.py", "200 2", "12000 30"),
    script("nbody.py", "9", "12000"),
    script("spiral_network.py", "2", "250"),
    script("ray_objects.py", "16", "220", needs=""),
    script("ray_arrays.py", "16", "800"),
    script("path_planner.py", "12", "200"),
    script("kalman_pid.py", "200", "45000"),
    script("rule110.py", "40"),
    script("word_counts.py", "500", "400000", needs=""),
    script("sudoku.py", "1", needs=""),
    script("interpreter.py", "40", "6000", needs=""),
    script("graph_algorithms.py", "60", "36000", needs=""),
    script("recursion.py", "9", "31", needs=""),
    script("csv_report.py", "demo --rows 50", "demo", needs=""),
    script("plot_waves.py", "30", needs="numpy matplotlib"),
    script("sales_frames.py", "500", needs="numpy pandas"),
    script("polynomial_tests.py", "-q TestArithmetic.test_division_by_zero", volatile=DURATION),
    script("thread_workers.py", "400"),
    script("process_pool.py", "400"),
    script("echo_server.py", "4", needs=""),
    script("ecosystem.py", "8 12", needs=""),
    script("factorisations.py", "24"),
    script("image_filters.py", "32", "800"),
    script("audio_synth.py", "0"),
    script("dynamic_programming.py", "24", "1000"),
    script("lattice_boltzmann.py", "40"),
    script("gray_scott.py", "24"),
    script("option_pricing.py", "300"),
)
IMPORTS = (
    imported("numpy", STRICT_FLOOR, 0.040),
    imported("matplotlib.pyplot", STRICT_FLOOR, 0.0),
    imported("pandas", STRICT_FLOOR, 0.0),
)
SUITES = (
    suite("inventory's tests", "pytest", INVENTORY, f"{INVENTORY} -k round_trip", "pytest numpy"),
    suite(
        "networkx's test_graph",
        "pytest",
        "-q --pyargs networkx.classes.tests.test_graph",
        "-q --pyargs networkx.classes.tests.test_graph -k data_input",
        "pytest networkx",
    ),
    suite(
        "toolz's tests",
        "pytest",
        "-q --pyargs toolz",
        "-q --pyargs toolz.tests.test_recipes",
        "pytest toolz",
    ),
    suite(
        "more_itertools's doctests",
        "pytest",
        "-q --doctest-modules --pyargs more_itertools",
        "-q --doctest-modules --pyargs more_itertools.recipes",
        "pytest more_itertools",
    ),
    suite(
        "sympy's test_densearith",
        "pytest",
        "-q --pyargs sympy.polys.tests.test_densearith",
        "-q --pyargs sympy.polys.tests.test_densearith -k dup_abs",
        "pytest sympy",
    ),
    suite(
        "CPython's test_statistics",
        "unittest",
        " ".join(f"test.test_statistics.Test{name}" for name in STATISTICS),
        "test.test_statistics.TestMode",
        "test.test_statistics",
    ),
    suite(
        "CPython's test_heapq",
        "unittest",
        "test.test_heapq",
        "test.test_heapq.TestHeapPython.test_push_pop",
        "test.test_heapq",
    ),
)
PROGRAMS = (*SCRIPTS, *IMPORTS, *SUITES)
