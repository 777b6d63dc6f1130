"""Items made one step ahead of their use."""

import threading
from collections.abc import Iterator

import pytest

from sanhe.core.ahead import ahead


def test_the_next_item_is_made_while_one_is_used() -> None:
    made = [threading.Event() for _ in range(4)]

    def items() -> Iterator[int]:
        for number, event in enumerate(made):
            event.set()
            yield number

    told = []
    for number in ahead(items()):
        told.append(number)
        if number + 1 < len(made):
            assert made[number + 1].wait(10), "nobody makes the next while this one is used"
        assert all(not event.is_set() for event in made[number + 2 :]), "one ahead, no more"
    assert told == [0, 1, 2, 3]
    assert list(ahead([])) == []


def test_an_error_in_making_comes_in_its_place() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("the second can't be made")

    coming = ahead(items())
    assert next(coming) == 1
    with pytest.raises(ValueError, match="second"):
        next(coming)
