"""`cached_property` as Python has it from 3.12 on: without the lock that all instances of a class share in 3.11.

A visitor whose prediction waited for its turn held up the predictions of all others. Two threads that ask one instance
at the same time may both work the value out; what is dear to make goes through a `core.shelf.Shelf`.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from functools import cached_property
else:

    class cached_property:  # noqa: N801, named as the one it stands for
        """A method whose value is worked out at first use and kept in the instance."""

        def __init__(self, method: Any) -> None:
            self.method, self.name, self.__doc__ = method, method.__name__, method.__doc__

        def __set_name__(self, owner: type, name: str) -> None:
            self.name = name

        def __get__(self, instance: Any, owner: type | None = None) -> Any:
            if instance is None:
                return self
            values = vars(instance)
            if self.name not in values:
                values[self.name] = self.method(instance)
            return values[self.name]


__all__ = ["cached_property"]
