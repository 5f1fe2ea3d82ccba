"""Machine code by LLVM: loops as LLVM's intermediate representation, compiled beside the program.

Read `loop_text` for how a loop becomes text, `llvm` for how the text becomes machine code.
"""
