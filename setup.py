"""Builds the optional extension `dyntrace._native`; everything else is in pyproject.toml.

Without a C compiler, or on a Python whose frames it does not know, the build goes on without it
and dyntrace uses the Python twins. NumPy's headers are used (its ABI is stable from 2.0 on), so
NumPy is a build requirement; without it there is no extension either.
"""

from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

try:
    import numpy
except ImportError:
    extensions = []
else:
    folder = Path("dyntrace") / "_native"
    extensions = [
        Extension(
            "dyntrace._native",
            sources=sorted(path.as_posix() for path in folder.glob("*.c")),
            depends=sorted(path.as_posix() for path in folder.glob("*.h")),
            include_dirs=[numpy.get_include()],
            extra_compile_args=["-std=c11", "-O3", "-pthread"],
            extra_link_args=["-pthread"],
            optional=True,
        )
    ]


class BuildBesideSources(build_ext):
    """Also leaves the extension beside the sources, where a checkout's own copy finds it."""

    def run(self) -> None:
        super().run()
        if not self.inplace:
            self.copy_extensions_to_source()


setup(ext_modules=extensions, cmdclass={"build_ext": BuildBesideSources})
