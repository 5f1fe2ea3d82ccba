"""Under a tracer, profiler or monitoring tool compiled code steps aside; and what C alone can do."""

import sys
import threading

import pytest

from dyntrace.runtime import absent


# Tracing -----------------------------------------------------------------------------------------
def test_traced_thread_runs_the_original(runtime, tracing_active, recording_gate):
    region = runtime.Region([((), (), lambda: 1, False)])
    assert not tracing_active()
    assert recording_gate() is True
    for switch in (sys.settrace, sys.setprofile):
        switch(lambda *args: None)
        try:
            assert tracing_active()
            assert recording_gate() is None
            assert region.handle() is None
        finally:
            switch(None)
    assert region.handle() == 1
    assert region.calls == 1


@pytest.mark.skipif(not hasattr(sys, "monitoring"), reason="has no sys.monitoring")
def test_monitored_interpreter_runs_the_original(runtime, tracing_active):
    region = runtime.Region([((), (), lambda: 1, False)])
    monitoring = sys.monitoring
    monitoring.use_tool_id(4, "test")
    try:
        assert region.handle() == 1
        for event in (monitoring.events.LINE, monitoring.events.RAISE, monitoring.events.CALL):
            monitoring.set_events(4, event)
            assert tracing_active()
            assert region.handle() is None
            monitoring.set_events(4, 0)
            assert region.handle() == 1
    finally:
        monitoring.set_events(4, 0)
        monitoring.free_tool_id(4)


def test_tracer_of_another_thread_does_not_matter(runtime):
    region = runtime.Region([((), (), lambda: 1, False)])
    entered, leave = threading.Event(), threading.Event()

    def traced():
        sys.settrace(lambda *args: None)
        entered.set()
        leave.wait(20)
        sys.settrace(None)

    thread = threading.Thread(target=traced)
    thread.start()
    entered.wait()
    try:
        assert region.handle() == 1
    finally:
        leave.set()
        thread.join()


def test_absent_parts_decline():
    code = absent.osr.__code__
    assert absent.osr(code, 2) is False
    assert absent.hook_install(print) is False
    assert absent.hook_set(code, None) is absent.hook_forget(code) is None
    assert absent.hook_suspend() is absent.hook_resume() is absent.hook_remove() is None
