"""The command line: `run` and `explain` a script, list NumPy's callables with `ops`.

`run` optimises code that `programs.sampling` finds warm. `explain`, and `run` with
`DYNTRACE_WARM=0`, optimise every frame that is entered, through the frame hook of `api.optimize`.
Invariant: a script runs as under `python script.py`: same `sys.argv`, `sys.path[0]`, `__main__`
module, exit code and traceback.
"""

from __future__ import annotations

import builtins
import io
import os
import sys
from collections.abc import Sequence
from importlib.machinery import SourceFileLoader
from types import CodeType, ModuleType, TracebackType
from typing import TYPE_CHECKING

from dyntrace import config
from dyntrace.programs.sampling import Sampling

if TYPE_CHECKING:
    from argparse import ArgumentParser

__all__ = ["main"]

NO_HOOK = "dyntrace: the native module is not in use, so the script runs as it is"


def parser() -> ArgumentParser:
    from argparse import REMAINDER, ArgumentParser

    top = ArgumentParser(prog="dyntrace", description="Run NumPy programs as graphs.")
    commands = top.add_subparsers(dest="command", required=True, metavar="command")
    run = commands.add_parser("run", help="run a script with its warm code optimised")
    run.add_argument("--report", metavar="OUT.html", help="write what was captured to this file")
    run.add_argument("--stats", action="store_true", help="print at exit where the time went")
    explain = commands.add_parser("explain", help="run a script, then print what was captured")
    for command in (run, explain):
        command.add_argument("script", help="path of the Python script")
        command.add_argument("args", nargs=REMAINDER, help="arguments of the script")
    commands.add_parser("ops", help="list every public NumPy callable with its treatment")
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code of the command; a script's own SystemExit passes through."""
    words = sys.argv[1:] if arguments is None else [*arguments]
    if len(words) > 1 and words[0] == "run" and not words[1].startswith("-"):
        # The usual command: argparse and the accounts are not imported for it.
        return run_script(words[1], words[2:], Sampling())
    options = parser().parse_args(words)
    if options.command == "ops":
        from dyntrace.ops.listing import format_listing

        print(format_listing())
        return 0
    from dyntrace.programs.accounts import Accounts

    everything = options.command == "explain"
    report = None if everything else options.report
    watch = Sampling(accounts=Accounts())
    try:
        return run_script(options.script, options.args, watch, everything=everything)
    finally:
        if everything or report is not None:
            tell(options.script, watch, report)
        if not everything and options.stats:
            print(watch.screen(), file=sys.stderr)


def tell(script: str, watch: Sampling, path: str | None) -> None:
    """Print what was captured, or write it to the file `path` as an HTML page."""
    from dyntrace.api import explanations
    from dyntrace.functions.family import live_compiled
    from dyntrace.report.collect_loops import what_loops_lack
    from dyntrace.report.html import page
    from dyntrace.report.text import all_findings_text
    from dyntrace.report.whole import whole_report

    whole = whole_report(explanations(), os.path.abspath(script), watch.accounts)
    notes = what_loops_lack(live_compiled())
    if path is None:
        print(all_findings_text(whole.own, whole.libraries, whole.hot, notes))
        return
    with open(path, "w", encoding="utf-8") as file:
        file.write(page(whole.own, script, whole.libraries, whole.hot, notes))


def run_script(script: str, args: Sequence[str], watch: Sampling, everything: bool = False) -> int:
    """Run `script` in a fresh `__main__` module.

    Returns the exit code: 0, 1 if the script raised, 2 if it could not be read. dyntrace optimises
    the code that `watch` finds warm, or every frame that is entered if `everything` is set.
    """
    path = os.path.abspath(script)
    try:
        with io.open_code(path) as file:
            source = file.read()
    except OSError as error:
        print(f"dyntrace: can't open file {path!r}: {error.strerror}", file=sys.stderr)
        return 2
    if not config.native:
        print(NO_HOOK, file=sys.stderr)
    if config.keep_memory:
        import dyntrace._sampler as _sampler

        _sampler.keep_memory()
    namespace = become_main(script, path, args)
    try:
        execute(compile(source, path, "exec", dont_inherit=True), namespace, watch, everything)
    except Exception as error:
        show_traceback(error, path)
        return 1
    return 0


def become_main(script: str, path: str, args: Sequence[str]) -> dict[str, object]:
    """Set up `sys.argv`, `sys.path[0]` and `__main__` as the interpreter does for a script."""
    sys.argv = [script, *args]
    if not sys.flags.safe_path:
        sys.path[0] = os.path.dirname(os.path.realpath(path))
    module = ModuleType("__main__")
    module.__file__ = path
    module.__loader__ = SourceFileLoader("__main__", path)
    namespace = module.__dict__
    namespace.update(__annotations__={}, __builtins__=builtins, __cached__=None)
    sys.modules["__main__"] = module
    return namespace


def execute(
    code: CodeType, namespace: dict[str, object], watch: Sampling, everything: bool
) -> None:
    explains, everything = everything, everything or config.warm_at_once
    watches = watch.start(serves=not everything)
    if watches and not everything:
        import dyntrace._sampler as _sampler

        _sampler.run(code, namespace)
        return
    if not config.native:
        exec(code, namespace)
        return
    from dyntrace.api import hooked, optimize

    if explains:
        hooked("numpy").family.lose_patience()
    with optimize():
        exec(code, namespace)


def show_traceback(error: Exception, path: str) -> None:
    """Print the traceback as the interpreter would: from the script's first frame on."""
    found: TracebackType | None = error.__traceback__
    while found is not None and found.tb_frame.f_code.co_filename != path:
        found = found.tb_next
    if isinstance(error, SyntaxError) or found is not None:
        error.__traceback__ = found
    sys.excepthook(type(error), error, error.__traceback__)


if __name__ == "__main__":
    sys.exit(main())
