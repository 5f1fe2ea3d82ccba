"""From a traced loop to a loop program: text, then machine code, beside the program that runs.

Invariant: machine code is made for the kinds that the loop's inputs are guarded to have, and holds
none of the user's objects. Read `loop_text` for the text, `llvm` for the code, `disk` for where it
is kept, `background` for the thread, `functions.loop_compiler` for the caller.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

from dyntrace._native import LoopProgram
from dyntrace.exec.kernels import background, disk, llvm
from dyntrace.exec.kernels.addresses import address_of
from dyntrace.exec.kernels.loop_text import NAME, LoopText

__all__ = ["compile_later", "go_on", "program_of"]


def compile_later(text: LoopText, deliver: Callable[[LoopProgram], None]) -> bool:
    """Compile beside the program; `deliver` gets the loop program on the thread that compiles.

    False if the interpreter is about to exit.
    """
    return background.submit(lambda: deliver(program_of(text)))


def go_on() -> None:
    """Have what waits to be compiled since a fork compiled now."""
    background.resume()


def program_of(text: LoopText) -> LoopProgram:
    """The loop program of a text; RuntimeError if LLVM refuses it."""
    llvm.processor()  # imports llvmlite, which no loop is charged for
    start = perf_counter()
    code = llvm.load_object(_object_of(text.text), NAME)
    code.seconds = perf_counter() - start
    addresses = tuple(map(address_of, text.functions))
    return LoopProgram(code.address, text.inputs, text.outputs, len(text.sites), addresses, code)


def _object_of(text: str) -> bytes:
    """The object file of a text: of an earlier run, or compiled now."""
    key = disk.key_of(text, llvm.processor())
    image = disk.load(key)
    if image is None:
        image = llvm.compile_text(text)
        disk.store(key, image)
    return image
