"""llvmlite: the only module that imports it. Text becomes machine code for this processor.

llvmlite is imported when the first loop is hot, on the thread that compiles. It lets go of
the interpreter's lock while LLVM works. Invariants: code lives as long as its `MachineCode`; LLVM's
own data for a loop is dropped once the code is there; a text's module is in a context of its
own, apart from those of other users of llvmlite. Read `loop_text` for the text.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any, cast

from dyntrace.record import record

__all__ = ["MachineCode", "assembly_of", "compile_text", "load_object", "processor", "size_of"]

LEVEL = 2  # of optimisation


@record(frozen=True)
class _Target:
    """LLVM's description of this processor.

    new_context  makes a context whose pointers have no type
    """

    binding: Any
    machine: Any
    name: str
    new_context: Callable[[], Any]


@functools.cache
def _target() -> _Target:
    import llvmlite
    import llvmlite.binding as binding

    if tuple(map(int, llvmlite.__version__.split(".")[:2])) < (0, 45):
        binding.initialize()
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    binding.initialize_native_asmparser()
    cpu, features = binding.get_host_cpu_name(), binding.get_host_cpu_features().flatten()
    machine = binding.Target.from_default_triple().create_target_machine(
        opt=LEVEL, cpu=cpu, features=features, jit=True
    )
    name = f"llvmlite {llvmlite.__version__}, LLVM {binding.llvm_version_info}, {cpu} {features}"
    return _Target(binding, machine, name, _contexts(llvmlite, binding))


def _contexts(llvmlite: Any, binding: Any) -> Callable[[], Any]:
    """What makes a context. llvmlite 0.44 asks an environment variable if pointers have types."""
    if not hasattr(llvmlite, "opaque_pointers_enabled"):
        return cast("Callable[[], Any]", binding.create_context)
    create = binding.ffi.lib.LLVMPY_ContextCreate
    return lambda: binding.context.ContextRef(create(True))


def processor() -> str:
    """What machine code depends on besides its text: the processor and the compiler."""
    return _target().name


class MachineCode:
    """A loaded function: its address, and what keeps it in memory.

    image    the object file that it was loaded from
    seconds  that it took to make
    """

    seconds = 0.0

    def __init__(self, engine: Any, address: int, image: bytes) -> None:
        self._engine = engine
        self.address = address
        self.image = image


def compile_text(text: str) -> bytes:
    """The object file of a module; RuntimeError with LLVM's message if the text is malformed."""
    target = _target()
    with _parsed(target, text) as module:
        module.verify()
        _optimise(target, module)
        return bytes(target.machine.emit_object(module))


@contextlib.contextmanager
def _parsed(target: _Target, text: str) -> Iterator[Any]:
    """The module of a text, in a context that is closed after it.

    Closed here, since the garbage collector, which finds both if an error holds them, may close the
    context first.
    """
    with target.new_context() as context, target.binding.parse_assembly(text, context) as module:
        yield module


def _optimise(target: _Target, module: Any) -> None:
    binding = target.binding
    options = binding.create_pipeline_tuning_options(speed_level=LEVEL)
    options.loop_vectorization = options.slp_vectorization = True
    builder = binding.create_pass_builder(target.machine, options)
    passes = builder.getModulePassManager()
    passes.run(module, builder)
    _dispose(binding, passes)


def _dispose(binding: Any, passes: Any) -> None:
    """Free the passes: from 0.45 on llvmlite's class inherits the `_dispose` that does nothing."""
    if type(passes)._dispose is binding.ffi.ObjectRef._dispose:
        binding.ffi.lib.LLVMPY_DisposeNewModulePassManger(passes)


def assembly_of(text: str) -> str:
    """The assembly of a module's text."""
    target = _target()
    with _parsed(target, text) as module:
        _optimise(target, module)
        return str(target.machine.emit_assembly(module))


def size_of(image: bytes) -> int:
    """The bytes of instructions in an object file."""
    sections = _target().binding.ObjectFileRef.from_data(image).sections()
    return sum(section.size() for section in sections if section.is_text())


def load_object(image: bytes, name: str) -> MachineCode:
    """Load an object file and find a function in it."""
    target = _target()
    binding = target.binding
    # Of the global context, which outlives it: an engine lets go of its modules before it ends.
    empty = binding.parse_assembly("")
    machine = binding.Target.from_default_triple().create_target_machine(opt=LEVEL, jit=True)
    engine = binding.create_mcjit_compiler(empty, machine)
    engine.add_object_file(binding.ObjectFileRef.from_data(image))
    engine.finalize_object()
    address = engine.get_function_address(name)
    if not address:
        raise RuntimeError(f"the object file has no function {name}")
    return MachineCode(engine, address, image)
