"""Reads what a module imports, calls and does while it is imported, without running it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import msgspec

ROOMS = ("contract", "agent", "ui", "server", "extension")
_ENVIRONMENT = {"environ", "environb", "getenv"}


class Module(msgspec.Struct, frozen=True):
    """One source file: dotted name and syntax tree."""

    name: str
    tree: ast.Module

    @property
    def room(self) -> str:
        """The outermost package."""
        return self.name.partition(".")[0]


def parse(name: str, source: str) -> Module:
    """Return a module from its source; `name` as in agent.sensing.processes."""
    try:
        return Module(name, ast.parse(source))
    except SystemError:
        # WORKAROUND(python/cpython#106905): before 3.11.8 and 3.12.2 its count of depth can be upset by what went wrong in an earlier call.
        return Module(name, ast.parse(source))


def modules_of(checkout: Path) -> Iterator[Module]:
    """Yield every module of the four rooms."""
    for room in ROOMS:
        for file in sorted((checkout / room).rglob("*.py")):
            parts = file.relative_to(checkout).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            yield parse(name, file.read_text(encoding="utf-8"))


def is_within(name: str, package: str) -> bool:
    """Tell whether a dotted name is a package or something in it."""
    return name == package or name.startswith(f"{package}.")


def imports_of(module: Module) -> set[str]:
    """Return everything the module may import, nested and by name too, as dotted names.

    `from a import b` gives `a.b`, whether b is a module or not.
    """
    return {name for node in ast.walk(module.tree) for name in _imported_by(node, module.name)}


def _imported_by(node: ast.AST, importer: str) -> Iterator[str]:
    match node:
        case ast.Import():
            yield from (alias.name for alias in node.names)
        case ast.ImportFrom():
            base = node.module or ""
            if node.level:
                parents = importer.split(".")[: -node.level]
                base = ".".join([*parents, base]) if base else ".".join(parents)
            yield from (f"{base}.{alias.name}" for alias in node.names)
        case ast.Call(func=ast.Name(id="__import__") | ast.Attribute(attr="import_module"), args=[first, *_]):
            yield from _spelled(first)


def _spelled(node: ast.expr) -> Iterator[str]:
    """Yield the text that an expression begins with, if it is spelled out: of an f-string, the part before the first {."""
    if isinstance(node, ast.JoinedStr) and node.values:
        node = node.values[0]
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value.rstrip(".")


def called_in(module: Module) -> set[str]:
    """Return the last part of the name of everything that is called: `open`, `now` for `datetime.now`."""
    names: set[str] = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call):
            names.add(_last(node.func))
    return names


def named_in(module: Module) -> set[str]:
    """Return every name that is used, bare or as an attribute, or imported."""
    used = {_last(node) for node in ast.walk(module.tree) if isinstance(node, ast.expr)}
    return used | {name.rpartition(".")[2] for name in imports_of(module)}


def _last(node: ast.expr) -> str:
    match node:
        case ast.Name():
            return node.id
        case ast.Attribute():
            return node.attr
        case _:
            return ""


def environment_read_at_import(module: Module) -> list[int]:
    """Return the lines at which the environment is read while the module is imported."""
    return [node.lineno for node in _run_at_import(module.tree) if _last(node) in _ENVIRONMENT]


def _run_at_import(node: ast.AST) -> Iterator[ast.expr]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            # Its body runs later; decorators and defaults run now.
            for now in (*child.decorator_list, *child.args.defaults, *child.args.kw_defaults):
                if now is not None:
                    yield from _expressions(now)
        elif isinstance(child, ast.Lambda):
            continue
        else:
            if isinstance(child, ast.expr):
                yield child
            yield from _run_at_import(child)


def _expressions(node: ast.expr) -> Iterator[ast.expr]:
    yield node
    yield from _run_at_import(node)
