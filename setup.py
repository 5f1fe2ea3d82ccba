"""Builds the optional extensions `dyntrace._native` and `_sampler`; pyproject.toml has the rest.

Without a C compiler, or on a Python whose frames it does not know, the build goes on without it
and dyntrace uses the Python twins. NumPy's headers are used (its ABI is stable from 2.0 on), so
NumPy is a build requirement; without it there is no extension either.
"""

from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

FOLDER = Path("dyntrace")
NATIVE = FOLDER / "_native"
HEADERS = [path.as_posix() for path in sorted(FOLDER.glob("_*/**/*.[hd]*"))]


def extension(name: str, include_dirs: list[str]) -> Extension:
    """The C files of a folder, and of those in it, as an extension of that name.

    Headers are included by their path from `_native`, such as "vm/program.h".
    """
    return Extension(
        f"dyntrace.{name}",
        sources=sorted(path.as_posix() for path in (FOLDER / name).rglob("*.c")),
        depends=HEADERS,
        include_dirs=[NATIVE.as_posix(), *include_dirs],
        extra_compile_args=["-std=c11", "-O3", "-pthread", "-Werror=switch"],
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
    """Also leaves the extension beside the sources, where a checkout's own copy finds it."""

    def run(self) -> None:
        super().run()
        if not self.inplace:
            self.copy_extensions_to_source()


setup(ext_modules=extensions, cmdclass={"build_ext": BuildBesideSources})
