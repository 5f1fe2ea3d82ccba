"""Contents: for each type of mutable object, how to save its content and restore it.

Invariant: saving runs no code of the user's classes. Restoring writes into the object itself, so
its identity stays, and everything that shares its memory sees the restored content. A new type is
one `_register` entry. `reachable` walks the objects and applies the entries.
"""

from __future__ import annotations

import array
import collections
import ctypes
import functools
import io
import mmap
import random
import sys
import types
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from dyntrace.exec.effects.memory import WRITEABLE
from dyntrace.registries import Registry

__all__ = ["INSTANCE", "Content", "Names", "content_of"]

Saved = Any


def _identical(one: Any, other: Any) -> bool:
    """Whether two saved lists or dicts hold the same objects in the same order."""
    first, second = (_flat(saved) for saved in (one, other))
    return len(first) == len(second) and all(map(lambda a, b: a is b, first, second))


def _flat(saved: Any) -> list[Any]:
    if isinstance(saved, dict):
        return [part for item in dict.items(saved) for part in item]
    return list(saved)


def _equal(one: Any, other: Any) -> bool:
    return bool(one == other)


def _itself(owner: Any, saved: Saved) -> Any:
    return owner


def _changed_names(owner: Any, saved: Mapping[str, Any]) -> dict[str, Any]:
    """The names whose values differ from the saved ones; `<unbound>` for deleted names."""
    content = content_of(owner)
    assert content is not None
    now = content.read(owner)
    names = [*now, *(name for name in saved if name not in now)]
    return {name: now.get(name, "<unbound>") for name in names if _moved(name, now, saved)}


def _moved(name: str, now: Mapping[str, Any], saved: Mapping[str, Any]) -> bool:
    return name not in now or name not in saved or now[name] is not saved[name]


@dataclass(frozen=True, slots=True)
class Content:
    """How objects of one type are saved and restored.

    read           returns the content now, independent of later changes
    write          restores saved content; raises if it cannot
    same           whether two saved contents are the same
    describe       returns the value to describe if the content has changed
    holds_objects  the saved content is a list or dict of the objects that the owner refers to
    """

    read: Callable[[Any], Saved]
    write: Callable[[Any, Saved], None]
    same: Callable[[Saved, Saved], bool] = _equal
    describe: Callable[[Any, Saved], Any] = _itself
    holds_objects: bool = False


_CONTENTS: Registry[type, Content] = Registry()


def _register(*kinds: type, **parts: Any) -> None:
    for kind in kinds:
        _CONTENTS[kind] = Content(**parts)


def content_of(value: Any) -> Content | None:
    """The entry for the type of `value`, or for the nearest of its bases that has one."""
    return next((_CONTENTS[base] for base in type(value).__mro__ if base in _CONTENTS), None)


# containers ---------------------------------------------------------------------------------------


def _kind_of_dict(owner: Any) -> Any:
    """The class whose methods to call: OrderedDict keeps an order of its own besides the dict's."""
    return collections.OrderedDict if isinstance(owner, collections.OrderedDict) else dict


def _write_dict(owner: Any, saved: dict[Any, Any]) -> None:
    kind = _kind_of_dict(owner)
    kind.clear(owner)
    for key, value in saved.items():
        kind.__setitem__(owner, key, value)


def _write_set(owner: Any, saved: list[Any]) -> None:
    set.clear(owner)
    set.update(owner, saved)


def _write_deque(owner: Any, saved: list[Any]) -> None:
    collections.deque.clear(owner)
    collections.deque.extend(owner, saved)


def _as_list(owner: Any, saved: Saved) -> list[Any]:
    return list(owner)


_register(
    list,
    read=lambda owner: list.copy(owner),
    write=lambda owner, saved: list.__setitem__(owner, slice(None), saved),
    same=_identical,
    holds_objects=True,
)
_register(
    dict,
    read=lambda owner: dict(_kind_of_dict(owner).items(owner)),
    write=_write_dict,
    same=_identical,
    holds_objects=True,
)
_register(
    set,
    read=lambda owner: list(set.copy(owner)),
    write=_write_set,
    same=_identical,
    holds_objects=True,
)
_register(
    collections.deque,
    read=list,
    write=_write_deque,
    same=_identical,
    describe=_as_list,
    holds_objects=True,
)


# functions, classes and namespaces ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Names:
    """Some names of a namespace: the globals that a function uses, without the module's others."""

    space: dict[str, Any]
    names: frozenset[str]


def _write_names(owner: Names, saved: dict[str, Any]) -> None:
    for name in _changed_names(owner, saved):
        if name in saved:
            owner.space[name] = saved[name]
        else:
            del owner.space[name]


def _read_cell(cell: types.CellType) -> list[Any]:
    try:
        return [cell.cell_contents]
    except ValueError:  # the cell is empty
        return []


def _write_cell(cell: types.CellType, saved: list[Any]) -> None:
    if saved:
        cell.cell_contents = saved[0]
    else:
        del cell.cell_contents


def _write_function(owner: Any, saved: dict[str, Any]) -> None:
    for name in _changed_names(owner, saved):
        setattr(owner, name, saved[name])


def _write_class(owner: type, saved: dict[str, Any]) -> None:
    for name in _changed_names(owner, saved):
        if name in saved:
            type.__setattr__(owner, name, saved[name])
        else:
            type.__delattr__(owner, name)


def _own_dict(owner: Any) -> dict[Any, Any]:
    try:
        held = object.__getattribute__(owner, "__dict__")
    except AttributeError:
        return {}
    return held if isinstance(held, dict) else {}


def _slots(owner: Any) -> dict[str, Any]:
    """The descriptors of the slots that the classes of `owner` define."""
    return {
        name: member
        for base in type(owner).__mro__
        for name, member in vars(base).items()
        if isinstance(member, types.MemberDescriptorType) and base.__module__ != "builtins"
    }


def _read_attributes(owner: Any) -> dict[Any, Any]:
    held = dict(_own_dict(owner))
    for name, member in _slots(owner).items():
        try:
            held[name] = member.__get__(owner, type(owner))
        except AttributeError:  # the slot is empty
            continue
    return held


def _write_attributes(owner: Any, saved: dict[Any, Any]) -> None:
    """Restore the instance's dict and slots without running code of its class."""
    slots, now = _slots(owner), _read_attributes(owner)
    for name in [name for name in slots if name in {**now, **saved} and _moved(name, now, saved)]:
        if name in saved:
            slots[name].__set__(owner, saved[name])
        else:
            slots[name].__delete__(owner)
    wanted = {name: item for name, item in saved.items() if name not in slots}
    held = _own_dict(owner)
    if not _identical(dict(held), wanted):
        held.clear()
        held.update(wanted)


_register(
    Names,
    read=lambda owner: {name: owner.space[name] for name in owner.names if name in owner.space},
    write=_write_names,
    same=_identical,
    describe=_changed_names,
    holds_objects=True,
)
_register(
    types.CellType,
    read=_read_cell,
    write=_write_cell,
    same=_identical,
    describe=lambda owner, saved: _read_cell(owner),
    holds_objects=True,
)
_register(
    types.FunctionType,
    read=lambda owner: {name: getattr(owner, name) for name in ("__defaults__", "__kwdefaults__")},
    write=_write_function,
    same=_identical,
    describe=_changed_names,
    holds_objects=True,
)
_register(
    type,
    read=lambda owner: dict(vars(owner)),
    write=_write_class,
    same=_identical,
    describe=_changed_names,
    holds_objects=True,
)
INSTANCE = Content(
    read=_read_attributes,
    write=_write_attributes,
    same=_identical,
    holds_objects=True,
)


# arrays and other memory --------------------------------------------------------------------------


def _plain(owner: Any) -> np.ndarray[Any, Any]:
    return owner if type(owner) is np.ndarray else np.ndarray.view(owner, np.ndarray)


def _writeable(owner: Any) -> bool:
    """The WRITEABLE flag, read from `flags.num`.

    Reading `flags.writeable` of a result of `np.broadcast_arrays` may warn
    (numpy/_core/src/multiarray/flagsobject.c).
    """
    return bool(owner.flags.num & WRITEABLE)


def _read_array(owner: Any) -> Saved:
    """Layout, WRITEABLE flag and elements; None for elements that the base array saves."""
    array, flag = _plain(owner), _writeable(owner)
    apart = not isinstance(owner.base, np.ndarray) and (flag or owner.flags.owndata)
    layout = (array.shape, array.strides, array.dtype)
    return layout, flag, array.copy(order="K") if apart else None


def _same_array(one: Saved, other: Saved) -> bool:
    return bool(one[:2] == other[:2] and _same_elements(one[2], other[2]))


def _same_elements(one: Any, other: Any) -> bool:
    if one is None or other is None:
        return one is other
    if one.dtype.kind == "T":  # bytes do not decide: equal StringDType elements may differ in them
        return False
    return bool(one.tobytes() == other.tobytes())


def _write_array(owner: Any, saved: Saved) -> None:
    layout, writeable, elements = saved
    if (owner.shape, owner.strides, owner.dtype) != layout:
        _lay_out(owner, *layout)
    if elements is not None and not _same_elements(_plain(owner), elements):
        owner.flags.writeable = True
        np.copyto(_plain(owner), elements)
    if _writeable(owner) != writeable:
        owner.flags.writeable = writeable


def _lay_out(owner: Any, shape: Any, strides: Any, dtype: Any) -> None:
    """Undo calls of `x.resize` and assignments to `x.shape`, `x.strides` and `x.dtype`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy deprecates these assignments
        owner.dtype = dtype
        if owner.size != np.prod(shape, dtype=int):
            np.ndarray.resize(owner, shape, refcheck=False)
        owner.shape = shape
        owner.strides = strides


def _read_view(view: memoryview) -> Saved:
    return None if view.readonly or not view.c_contiguous else view.tobytes()


def _write_view(view: memoryview, saved: Saved) -> None:
    view.cast("B")[:] = saved


def _write_bytes(owner: Any, saved: Saved) -> None:
    owner[:] = saved


def _read_map(owner: mmap.mmap) -> Saved:
    return owner[:], owner.tell()


def _write_map(owner: mmap.mmap, saved: Saved) -> None:
    content, position = saved
    if owner[:] != content:
        owner[:] = content
    owner.seek(position)


def _read_ctypes(owner: Any) -> bytes:
    return ctypes.string_at(ctypes.addressof(owner), ctypes.sizeof(owner))


def _current(owner: Any, saved: Saved) -> Any:
    content = content_of(owner)
    return content and content.read(owner)


# `_SimpleCData`, the base of c_int and its like, has no public name.
_CTYPES = (ctypes.Array, ctypes.Structure, ctypes.Union, ctypes.c_int.__mro__[1])

_register(np.ndarray, read=_read_array, write=_write_array, same=_same_array)
_register(bytearray, read=bytes, write=_write_bytes)
_register(array.array, read=lambda owner: owner[:], write=_write_bytes, describe=_as_list)
_register(memoryview, read=_read_view, write=_write_view, describe=_current)
_register(mmap.mmap, read=_read_map, write=_write_map, describe=_current)
_register(
    *_CTYPES,
    read=_read_ctypes,
    write=lambda owner, saved: ctypes.memmove(ctypes.addressof(owner), saved, len(saved)),
    describe=_current,
)


# random generators, streams and caches ------------------------------------------------------------


def _comparable(state: Any) -> Any:
    """The state of a random generator with arrays as bytes, so that `==` gives one bool."""
    if isinstance(state, dict):
        return {name: _comparable(item) for name, item in state.items()}
    return state.tobytes() if isinstance(state, np.ndarray) else state


def _same_state(one: Any, other: Any) -> bool:
    return bool(_comparable(one) == _comparable(other))


def _describe_random(owner: random.Random, saved: Saved) -> Any:
    _, words, gauss = random.Random.getstate(owner)
    return np.array(words), gauss


def _position(stream: Any) -> Saved:
    """The position of a file.

    None for standard streams, for files opened to append, and for streams that cannot seek.
    """
    standard = stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__)
    appends = "a" in str(getattr(stream, "mode", ""))
    left = standard or appends or stream.fileno() <= 2 or not stream.seekable()
    return None if left else stream.tell()


def _write_position(stream: Any, saved: Saved) -> None:
    if saved is not None:
        stream.seek(saved)


def _read_cache(cache: Any) -> dict[str, int]:
    """Misses and size of a `functools.cache`; together they show whether its entries changed."""
    info = cache.cache_info()
    return {"misses": info.misses, "entries": info.currsize}


def _write_cache(cache: Any, saved: dict[str, int]) -> None:
    if saved["entries"]:
        raise ValueError("single entries of a cache cannot be taken back")
    cache.cache_clear()


_register(
    np.random.BitGenerator,
    read=lambda owner: owner.state,
    write=lambda owner, saved: setattr(owner, "state", saved),
    same=_same_state,
    describe=_current,
)
_register(
    np.random.RandomState,
    read=lambda owner: owner.get_state(legacy=False),
    write=lambda owner, saved: owner.set_state(saved),
    same=_same_state,
    describe=_current,
)
_register(
    random.Random,
    read=random.Random.getstate,
    write=random.Random.setstate,
    describe=_describe_random,
)
_register(
    io.StringIO,
    io.BytesIO,
    read=lambda owner: owner.__getstate__()[:-1],
    write=lambda owner, saved: owner.__setstate__((*saved, None)),
    describe=_current,
)
_register(
    io.FileIO,
    io.BufferedReader,
    io.BufferedWriter,
    io.BufferedRandom,
    io.TextIOWrapper,
    read=_position,
    write=_write_position,
    describe=_current,
)
_register(
    type(functools.cache(len)),
    read=_read_cache,
    write=_write_cache,
    describe=_current,
)


_CONTENTS.freeze()
