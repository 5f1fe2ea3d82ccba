"""Programs with state that `verify` is tried on: each builds its function and arguments anew.

The programs stand in `stateful_objects` and `stateful_data`, each with its PROGRAMS.
"""

from dataclasses import dataclass, field

import numpy as np
import pytest

NOTHING = lambda: None  # noqa: E731


@dataclass
class Case:
    """A program and its arguments, built anew; `look` gives what the call leaves behind."""

    fn: object
    args: tuple = ()
    kwargs: dict = field(default_factory=dict)
    look: object = NOTHING


class Programs(list):
    """Builders of cases, as parameters of a test; `add` is the decorator that adds one."""

    def add(self, build):
        self.append(pytest.param(build, id=build.__name__))
        return build


def data():
    return np.linspace(0.5, 4.5, 12)
