"""A service without a budget, for the tests of serving."""

import pytest

from dyntrace.budget import Budget


@pytest.fixture
def service():
    from dyntrace.programs.serving import Service

    made = Service("numpy", Budget(unlimited=True))
    yield made
    made.close()
