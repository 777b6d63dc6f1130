"""Work that is done one step ahead of its use."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

T = TypeVar("T")
_END: Final = object()


def ahead(items: Iterable[T]) -> Iterator[T]:
    """The items in their order, each made in a thread of its own while the one before is used.

    For items that are computed and then written: the computing goes on while the database works.
    What makes them must not touch what their user touches, such as a transaction. An error in
    making one is raised in its place.
    """
    source = iter(items)
    with ThreadPoolExecutor(max_workers=1) as pool:
        coming = pool.submit(next, source, _END)
        while (item := coming.result()) is not _END:
            coming = pool.submit(next, source, _END)
            yield item  # type: ignore[misc]
