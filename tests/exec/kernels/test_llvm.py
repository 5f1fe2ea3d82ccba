"""Text becomes machine code: what is refused, what is freed, and what others' code does not see."""

import ctypes

import pytest

from dyntrace import config

pytestmark = pytest.mark.skipif(not config.jit, reason="loops are compiled by llvmlite")

TEXT = "define i64 @loop(i64 %x) {{\n %y = add i64 %x, {}\n ret i64 %y\n}}\n"


def resident():
    """The pages of this process that are in memory."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1])


def loaded(number):
    from dyntrace.exec.kernels import llvm

    return llvm.load_object(llvm.compile_text(TEXT.format(number)), "loop")


def call(code, value):
    return ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(code.address)(value)


def test_code_does_what_its_text_says():
    codes = [loaded(number) for number in range(3)]
    assert [call(code, 40) for code in codes] == [40, 41, 42]


def test_same_text_gives_the_same_bytes():
    from dyntrace.exec.kernels import llvm

    assert llvm.compile_text(TEXT.format(5)) == llvm.compile_text(TEXT.format(5))


def test_malformed_text_is_refused_with_llvms_message():
    from dyntrace.exec.kernels import llvm

    with pytest.raises(RuntimeError, match="expected"):
        llvm.compile_text("define nothing")


def test_function_that_is_not_in_the_object_file_is_refused():
    from dyntrace.exec.kernels import llvm

    with pytest.raises(RuntimeError, match="no function other"):
        llvm.load_object(llvm.compile_text(TEXT.format(1)), "other")


def test_memory_is_flat_over_code_that_is_dropped():
    for number in range(20):
        loaded(number)
    before = resident()
    for number in range(200):
        assert call(loaded(number), 1) == number + 1
    assert resident() - before < 500  # pages; LLVM's passes alone would be 3000


def test_types_of_other_users_of_llvmlite_are_not_ours():
    import llvmlite.binding as binding

    for width in ("i32", "i64"):
        text = f"%shared = type {{ {width} }}\ndefine void @f() {{\n ret void\n}}\n"
        module = binding.parse_assembly(text)
        module.verify()
        loaded(3)
