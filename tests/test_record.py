"""Records: what `dataclasses` makes of a class, made without compiling functions for each class."""

import copy
import dataclasses
import weakref

import pytest

from dyntrace.record import field, record, replace

OPTIONS = [{"frozen": frozen, "eq": eq} for frozen in (False, True) for eq in (False, True)]


def classes(decorate, field, **options):
    """A class and one derived from it, with fields of every sort."""

    @decorate(**options)
    class Point:
        x: int
        y: int = 2
        note: str = field(default="", compare=False, repr=False)

        def sum(self):
            return self.x + self.y

    @decorate(**options)
    class Path(Point):
        items: list = field(default_factory=list)
        kinds: tuple = ()

        def __repr__(self):
            return f"<path of {len(self.items)}>"

    return Point, Path


def observed(made):
    """What these instances of one class are like."""
    cls = type(made[0])
    names = ("x", "y", "note", "items", "kinds")
    yield [[getattr(one, name, None) for name in names] for one in made]
    yield [(one == other, one != other) for one in made for other in made]
    yield [repr(one) for one in made]
    yield cls.__hash__ is None or [hash(one) == hash(other) for one in made for other in made]
    yield [hasattr(one, "__dict__") for one in made], tuple(cls.__slots__), cls.__qualname__
    yield [one == (1, 2) for one in made], [one.sum() for one in made]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_a_record_is_what_dataclasses_make_of_the_same_class(options):
    points, paths = zip(
        classes(record, field, **options),
        classes(dataclasses.dataclass, dataclasses.field, **options, slots=True),
        strict=True,
    )
    ours, theirs = (
        [cls(1), cls(x=1, y=2), cls(1, 3), cls(3, y=1), cls(1, note="other")] for cls in points
    )
    assert list(observed(ours)) == list(observed(theirs))
    ours, theirs = (
        [cls(1, items=()), cls(1, 2, "a", ()), cls(1, kinds=(2,), items=(3,))] for cls in paths
    )
    assert list(observed(ours)) == list(observed(theirs))


def test_a_class_that_is_told_so_gets_no_init():
    point, _ = classes(record, field, init=False)
    with pytest.raises(TypeError, match="takes no arguments"):
        point(1)


def test_each_record_gets_a_default_of_its_own():
    _, path = classes(record, field)
    one, other = path(1), path(1)
    one.items.append(1)
    assert other.items == [] and path(2).items == []


def test_a_wrong_call_is_told_in_the_names_of_the_class():
    point, _ = classes(record, field)
    with pytest.raises(TypeError, match=r"Point.__init__\(\) missing .* argument: 'x'"):
        point()
    with pytest.raises(TypeError, match="unexpected keyword argument 'z'"):
        point(1, z=2)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, replace])
def test_a_record_can_be_copied(copied):
    point, path = classes(record, field, frozen=True)
    for made in (point(1, 3, "note"), path(1, items=(2,))):
        again = copied(made)
        assert again == made and again.note == made.note and type(again) is type(made)


def test_replace_changes_the_named_fields_only():
    point, _ = classes(record, field, frozen=True)
    changed = replace(point(1, 3, "note"), x=2)
    assert (changed.x, changed.y, changed.note) == (2, 3, "note")


def test_records_are_referenced_weakly_where_they_ask_for_it():
    @record(weakref_slot=True)
    class Held:
        value: int

    held = Held(1)
    assert weakref.ref(held)() is held
    with pytest.raises(TypeError, match="weak reference"):
        weakref.ref(classes(record, field)[0](1))


def test_what_a_class_defines_itself_is_kept():
    @record(frozen=True)
    class Odd:
        value: int

        def __eq__(self, other):
            return True

        def __hash__(self):
            return 7

        def __repr__(self):
            return "odd"

    assert Odd(1) == Odd(2) and hash(Odd(3)) == 7 and repr(Odd(1)) == "odd"
