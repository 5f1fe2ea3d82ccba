"""Builds the optional extensions `dyntrace._native` and `_sampler`; pyproject.toml has the rest.

Both are `optional`: if there is no C compiler, or a file does not compile (on a Python whose frames
it does not know), setuptools installs the package without that extension, and dyntrace uses the
Python twins. `_native` needs NumPy's headers (its ABI is stable from 2.0 on), so NumPy is a build
requirement. docs/architecture.md says why the backend is setuptools.
"""

from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

FOLDER = Path("dyntrace")
NATIVE = FOLDER / "_native"
HEADERS = [path.as_posix() for path in sorted(FOLDER.glob("_*/**/*.[hd]*"))]


def extension(name: str, include_dirs: list[str]) -> Extension:
    """The extension `dyntrace.NAME`, of the C files in that folder and below it.

    Headers are included by their path from `_native`, such as "vm/run.h".
    """
    return Extension(
        f"dyntrace.{name}",
        sources=sorted(path.as_posix() for path in (FOLDER / name).rglob("*.c")),
        depends=HEADERS,
        include_dirs=[NATIVE.as_posix(), *include_dirs],
        extra_compile_args=[
            *("-std=c11", "-O3", "-pthread", "-fvisibility=hidden", "-Werror=switch")
        ],
        extra_link_args=["-pthread"],
        optional=True,
    )


try:
    import numpy
except ImportError:
    extensions = []
else:
    extensions = [extension("_native", [numpy.get_include()]), extension("_sampler", [])]


class BuildBesideSources(build_ext):
    """Also copies the extensions beside the sources, so that a checkout can be used in place."""

    def run(self) -> None:
        super().run()
        if not self.inplace:
            self.copy_extensions_to_source()


setup(ext_modules=extensions, cmdclass={"build_ext": BuildBesideSources})
