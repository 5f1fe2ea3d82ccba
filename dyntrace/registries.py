"""Registry: a dict that decorators and `add_…` functions fill at import, frozen from then on.

Invariant: after `freeze` an entry is neither added, exchanged nor removed, so all threads read the
table without a lock. Look-ups are those of a dict. Tables written out as one literal are a
`types.MappingProxyType` instead.
"""

from __future__ import annotations

from typing import Any, NoReturn, TypeVar

__all__ = ["Registry"]

Key = TypeVar("Key")
Value = TypeVar("Value")


class Registry(dict[Key, Value]):
    """Entries by key, added one by one with `registry[key] = value`."""

    __slots__ = ()
    frozen = False

    def freeze(self) -> None:
        """Refuse entries from now on with a TypeError, by another class: filling stays a dict's."""
        bases: tuple[Any, ...] = (_Frozen, type(self))
        self.__class__ = type(type(self).__name__, bases, {"__slots__": ()})

    def is_open(self) -> bool:
        """Whether a frozen registry takes new entries now; some subclasses do."""
        return False


class _Frozen:
    """What a registry refuses once it is frozen; first in the MRO of its class from then on."""

    __slots__ = ()
    frozen = True

    def __setitem__(self: Any, key: Any, value: Any) -> None:
        if not self.is_open():
            self._refuse()
        dict.__setitem__(self, key, value)

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("the registry is filled at import and frozen from then on")

    __delitem__ = __ior__ = clear = pop = popitem = setdefault = update = _refuse
