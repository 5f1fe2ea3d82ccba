"""What the tests of the frame hook share: the hook for a block, replacement code, a probe."""

import dis

from dyntrace.runtime import handles


class installed:
    """The hook for a block; `seen` are the names of the codes the callback was asked about."""

    def __init__(self, callback=lambda code, names: None):
        self.callback = callback
        self.seen = []

    def __enter__(self):
        assert handles.hook_install(self._ask) is True
        return self

    def _ask(self, code, names):
        self.seen.append(code.co_name)
        return self.callback(code, names)

    def __exit__(self, *error):
        handles.hook_remove()


def code_of(source, name="f"):
    names = {}
    exec(compile(source, "<replacement>", "exec"), names)
    return names[name].__code__


def inlines():
    """Are Python functions called within one evaluation loop, as without any hook?"""
    answers = []
    names = {"stub": lambda: answers.append(handles.osr(code, offset))}
    exec("def f():\n    stub()\n    return 1", names)
    code = names["f"].__code__.replace(co_name="g")
    offset = next(i.offset for i in dis.get_instructions(code) if i.opname == "POP_TOP")
    names["f"]()
    return answers == [True]
