"""Declares and finds everything that has a name: biases, sources, readers, methods, back-ends, engines, interventions.

In: modules of this package, and the entry points that other packages install under `unsway.plugins`. Out: things by name.
Files in the working folder are never loaded. Only installed code is, once, and each plug-in is logged.

    engines: Registry[type[Engine]] = Registry("engine", "unsway.models.engines", Engine, classes=True)
    engines.add("mine", MyEngine)       # at the end of the module that defines it
    engines.get("mine"), engines.names()
"""

from __future__ import annotations

import importlib
import logging
import pkgutil
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import MISSING, dataclass, fields
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, TypeVar

from unsway.errors import BadInput, UnknownName, UnswayError, kind_of, number_of
from unsway.types.kinds import check_kinds

GROUP = "unsway.plugins"
"""The entry-point group under which other packages add things; each entry's value is a module to import."""

T = TypeVar("T")
_NAME = re.compile(r"[^\s,@]+")
"""Names appear in lists with commas, and before @ and a version."""
_log = logging.getLogger(__name__)
_loaded: dict[EntryPoint, BadInput | None] = {}
"""The entry points imported so far or being imported; the value is the error if the import failed."""
_loading: list[str] = []
"""The plug-ins being imported, the innermost last, as errors name them."""


@dataclass(frozen=True, slots=True)
class Ref:
    """A name as rows and the command line write it: `name`, `name/form`, `name@version` or `name/form@version`."""

    name: str
    """The declared name; for a source with members, the family."""
    form: str = ""
    """The form of a bias, or the member of a family of sources; may be empty."""
    version: str = ""
    """The text after the last @: a version, a revision or a level; may be empty."""

    @classmethod
    def parse(cls, text: str) -> Ref:
        """Read a name. `Ref.parse("suggested_answer/quoted@1.1")` has all three parts."""
        unversioned, _, version = text.rpartition("@") if "@" in text else (text, "", "")
        name, _, form = unversioned.partition("/")
        return cls(name, form, version)

    @property
    def unversioned(self) -> str:
        """`name`, or `name/form`."""
        return f"{self.name}/{self.form}" if self.form else self.name

    def __str__(self) -> str:
        """The name as it was written."""
        return f"{self.unversioned}@{self.version}" if self.version else self.unversioned


class Registry(Generic[T]):
    """Things of one kind by name; the modules that declare them are imported at the first lookup."""

    def __init__(self, kind: str, package: str, of: Any, *, classes: bool = False) -> None:
        """An empty registry.

        Args:
            kind: The word used in error messages.
            package: The package whose modules declare things; all are imported before the first answer.
            of: The class of the things; a protocol must be checkable at run time.
            classes: The things are subclasses of `of`, not instances.
        """
        self.kind = kind
        self.package = package
        self._of = of
        self._classes = classes
        self._things: dict[str, T] = {}
        self._owners: dict[str, str] = {}
        self._discovered = False

    def add(self, name: str, thing: T) -> T:
        """Declare a thing under a name, and return it.

        Raises:
            BadInput: The name is taken, malformed or not the thing's own; or the thing or one of its fields has the
                wrong type.
        """
        untyped_name: object = name
        if not isinstance(untyped_name, str) or not _NAME.fullmatch(untyped_name):
            raise BadInput(
                f"{name!r} cannot be the name of this {self.kind}. Write letters, digits, - and _; no space, comma or @."
            )
        if name in self._things:
            owner = self._owners.get(name)
            raise BadInput(
                f"The name {name!r} is taken by another {self.kind}{f', of {owner}' if owner else ''}. Rename one of the two."
            )
        value: object = thing
        is_class = isinstance(value, type)
        if is_class != self._classes or not (issubclass if is_class else isinstance)(value, self._of):  # type: ignore[arg-type]
            class_name = self._of.__name__
            allowed = (
                f"a subclass of {class_name}, not a value" if self._classes else f"a value of the class {class_name}"
            )
            raise BadInput(f"The {self.kind} {name!r} is {kind_of(value)}; give {allowed}. CONTRIBUTING.md shows one.")
        if (own_name := getattr(value, "name", name)) != name:  # rows and studies store its own name, and look it up
            raise BadInput(f"The {self.kind} {name!r} has the name {own_name!r} itself. Give both the same one.")
        if not is_class:
            _check_fields(self.kind, name, value)
        self._things[name] = thing
        if _loading:
            self._owners[name] = _loading[-1]
        return thing

    def get(self, name: str) -> T:
        """The thing with that name. Raises `UnknownName` with the closest names."""
        self._discover()
        untyped_name: object = name
        if not isinstance(untyped_name, str) or untyped_name not in self._things:  # a list is not hashable
            raise UnknownName(self.kind, str(untyped_name), self._things)
        return self._things[untyped_name]

    def names(self) -> tuple[str, ...]:
        """All names in alphabetical order."""
        self._discover()
        return tuple(sorted(self._things))

    def __contains__(self, name: object) -> bool:
        """Whether a thing has that name."""
        self._discover()
        return name in self._things

    def _discover(self) -> None:
        """Import every module of the package once, then every plug-in not imported yet."""
        if not self._discovered:
            for module in pkgutil.iter_modules(importlib.import_module(self.package).__path__, f"{self.package}."):
                importlib.import_module(module.name)
            self._discovered = True
        load_plugins()


def declared(what: str, kind: Callable[..., T], name: str, about: Mapping[str, Any], **own: Any) -> T:
    """Build the frozen dataclass that a decorator declares, from its name, its author's fields and the decorator's.

    Args:
        what: The word used in error messages.
        kind: The dataclass.
        name: Its name.
        about: The fields that its author gave.
        own: The fields that the decorator fills.

    Raises:
        UnknownName: The author gave a field that does not exist or that the decorator fills.
        BadInput: A field is missing or has the wrong type.
    """
    allowed = {field.name: field for field in fields(kind) if field.name not in {"name", *own}}  # type: ignore[arg-type]
    for field_name in about:
        if field_name not in allowed:
            raise UnknownName(f"field of a {what}", field_name, allowed)
    required_names = [
        key for key, field in allowed.items() if field.default is MISSING and field.default_factory is MISSING
    ]
    if missing := [key for key in required_names if key not in about]:
        raise BadInput(
            f"The {what} {name!r} has no {' and no '.join(missing)}. Every {what} says its {', '.join(required_names)}."
        )
    value = kind(name=name, **about, **own)
    if isinstance(name, str):  # else `add` reports the wrong name
        _check_fields(what, name, value)
    return value


def _check_fields(kind: str, name: str, value: object) -> None:
    """Raise `BadInput` if a field of a declared value has another type than its annotation."""
    try:
        check_kinds(value)
    except BadInput as error:
        raise BadInput(f"The {kind} {name!r} cannot be used: {error}") from None


@contextmanager
def blaming(kind: str, name: str, on: str) -> Iterator[None]:
    """Turn any error of a plug-in's function into a `BadInput` that names the plug-in.

    Raises:
        BadInput: The function failed. unsway's own errors pass unchanged.
    """
    try:
        yield
    except UnswayError:
        raise
    except Exception as error:
        cause = f"{type(error).__name__}: {error}"
        raise BadInput(f"The {kind} {name!r} failed on {on} ({cause}). Mend it, or leave it out.") from error


def load_plugins() -> None:
    """Import the plug-ins not imported yet, and log them, one line per package.

    Raises:
        BadInput: A plug-in cannot be imported, now or at an earlier call. Nothing is listed without it.
    """
    names_by_package: dict[str, list[str]] = {}
    try:
        for entry in _plugins():
            if entry not in _loaded:
                package = f"{entry.dist.name} {entry.dist.version}" if entry.dist else "an unknown package"
                _import(entry, package)
                names_by_package.setdefault(package, []).append(entry.name)
            elif (error := _loaded[entry]) is not None:  # its declarations from before the failure are still there
                raise error.with_traceback(None)
    finally:
        for package, names in names_by_package.items():  # a warning, because this code did not come with unsway
            _log.warning("%s of %s loaded: %s.", number_of(len(names), "plug-in"), package, ", ".join(names))


def _import(entry: EntryPoint, package: str) -> None:
    """Import a plug-in, and record it as the owner of what it declares. Raises `BadInput`."""
    _loaded[entry] = None  # set before the import, because a plug-in may itself list biases or sources
    _loading.append(f"the plug-in {entry.name!r} of {package}")
    try:
        entry.load()
    except (Exception, SystemExit) as error:  # a script named as a plug-in may exit
        import_error = BadInput(
            f"The plug-in {entry.name!r} ({entry.value}) of {package} cannot be imported: "
            f"{f'{type(error).__name__}: {error}'.rstrip('.')}. Fix it, or uninstall the package, and start Python again."
        )
        _loaded[entry] = import_error
        raise import_error from error
    finally:
        _loading.pop()


@cache
def _plugins() -> tuple[EntryPoint, ...]:
    """The installed plug-ins by name; cached, because looking them up takes milliseconds."""
    return tuple(sorted(entry_points(group=GROUP), key=lambda entry: (entry.name, entry.value)))
