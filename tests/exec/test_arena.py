"""Memory of the machine's temporaries: recycled, bounded, released; checked in C and Python."""

import pytest

import dyntrace
from dyntrace import config
from dyntrace.exec import machine_resources
from tests.native import building


@pytest.mark.skipif(building.COMPILER is None, reason="no C compiler here")
@pytest.mark.parametrize("name", building.names("arena"))
def test_arena_in_c(name, tmp_path_factory):
    building.assert_passes("arena", name, tmp_path_factory.getbasetemp())


def test_reset_releases_everything_kept():
    dyntrace.reset()
    assert machine_resources.arena_held() == 0


@pytest.mark.skipif(not config.native, reason="the extension is not in use")
def test_limit_of_kept_memory_is_checked():
    with pytest.raises(OverflowError):
        machine_resources.arena_trim(-1)
    with pytest.raises(TypeError):
        machine_resources.arena_trim(1.5)
