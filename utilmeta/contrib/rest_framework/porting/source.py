"""Python source that is put together from parts: imports, classes, functions."""

import sys
from dataclasses import dataclass, field
from typing import Any

WIDTH = 88
INDENT = "    "


@dataclass(slots=True)
class Source:
    """A module that is being written.

    Attributes:
        title: its docstring.
        imports: names by the module they are imported from; None for the module itself.
        blocks: its classes and functions by name, in order.
    """

    title: str
    imports: dict[str, set[str | None]] = field(default_factory=dict)
    blocks: dict[str, list[str]] = field(default_factory=dict)

    def need(self, module: str, name: str | None = None) -> str:
        """Have a name imported, and return it.

        Args:
            module: the module.
            name: what of it; None for the module itself.
        """
        self.imports.setdefault(module, set()).add(name)
        return name or module

    def need_object(self, found: Any) -> str:
        """Have a class or function imported by where it was defined, and return its name."""
        return self.need(found.__module__, found.__qualname__.partition(".")[0]) and (
            str(found.__qualname__)
        )

    def add(self, name: str, lines: list[str]) -> None:
        """Add a class or a function."""
        self.blocks[name] = lines

    def render(self) -> str:
        """Return the source."""
        parts = [f'"""{self.title}"""', *self._imports()]
        text = "\n\n".join(parts)
        before = "types"
        for lines in self.blocks.values():
            # Types stand together; classes and functions have two lines around them.
            kind = "types" if len(lines) == 1 else "code"
            text += ("\n\n\n" if kind == "code" or before == "code" else "\n\n") + "\n".join(lines)
            before = kind
        return text + "\n"

    def _imports(self) -> list[str]:
        groups: list[list[str]] = [[], [], []]
        for module in sorted(self.imports):
            group = groups[_group_of(module)]
            names = self.imports[module]
            if None in names:
                group.append(f"import {module}")
            found = sorted((name for name in names if name), key=_order)
            if found:
                group.append(_wrapped(f"from {module} import ", found, "(", ")", bare=True))
        # Modules as they are come before what is taken from modules.
        return ["\n".join(sorted(group, key=_plain_first)) for group in groups if group]


def text_type(field: Any, source: Source) -> str:
    """Return the type of what a text field takes, which REST framework strips of white space.

    Args:
        field: the serializer's field.
        source: the module that the type is written into.
    """
    options = ["strip_whitespace=True"] if field.trim_whitespace else []
    if not field.allow_blank:
        options.append("min_length=1")
    if not options:
        return "str"
    name = {
        ("strip_whitespace=True", "min_length=1"): "Text",
        ("strip_whitespace=True",): "BlankText",
    }.get(tuple(options), "RawText")
    if name not in source.blocks:
        made = f"{source.need('pydantic')}.StringConstraints({', '.join(options)})"
        annotated = source.need("typing", "Annotated")
        source.blocks = {name: [f"{name} = {annotated}[str, {made}]"], **source.blocks}
    return name


def _group_of(module: str) -> int:
    """Return which paragraph a module is imported in: Python's, installed ones, the project's."""
    top = module.partition(".")[0]
    if top in sys.stdlib_module_names:
        return 0
    place = getattr(sys.modules.get(top), "__file__", None) or ""
    installed = not sys.modules.get(top) or "site-packages" in place or "dist-packages" in place
    return 1 if installed else 2


def _order(name: str) -> tuple[int, str]:
    """Return what sorts names as linters do: constants, classes, all others."""
    rank = 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2
    return rank, name


def _plain_first(line: str) -> bool:
    return not line.startswith("import ")


def _wrapped(
    head: str, items: list[str], opening: str, closing: str, *, bare: bool = False, depth: int = 0
) -> str:
    """Return items behind a head on one line, or one on each where that is too long.

    Args:
        head: what stands before them.
        items: the items.
        opening: what opens them.
        closing: what closes them, and what follows.
        bare: whether nothing encloses them on one line.
        depth: levels of indentation.
    """
    pad = INDENT * depth
    inner = ", ".join(items)
    line = f"{pad}{head}{inner}" if bare else f"{pad}{head}{opening}{inner}{closing}"
    if len(line) <= WIDTH:
        return line
    second = f"{pad}{INDENT}{inner}"
    if len(second) <= WIDTH and not bare:
        return f"{pad}{head}{opening}\n{second}\n{pad}{closing}"
    body = "".join(f"{pad}{INDENT}{item},\n" for item in items)
    return f"{pad}{head}{opening}\n{body}{pad}{closing}"


def call(head: str, items: list[str], *, depth: int = 1, closing: str = ")") -> str:
    """Return a line that calls something, or declares a function, broken where it is too long.

    Args:
        head: what stands before the opening parenthesis.
        items: arguments.
        depth: levels of indentation.
        closing: the closing parenthesis and what follows.
    """
    return _wrapped(head, items, "(", closing, depth=depth)


def quoted(text: str) -> str:
    """Return a text as a Python literal in double quotes where it can be."""
    shown = repr(text)
    if '"' in text or "\\" in shown:
        return shown
    return f'"{shown[1:-1]}"' if shown[0] == "'" else shown


def literal(value: Any) -> str:
    """Return a plain value as Python source."""
    return quoted(value) if isinstance(value, str) else repr(value)


def docstring(text: str, depth: int = 1) -> list[str]:
    """Return the lines of a docstring."""
    pad = INDENT * depth
    text = text.replace("\\", "\\\\").replace('"""', "'''").strip()
    lines = text.splitlines()
    if len(lines) == 1:
        return [f'{pad}"""{text}"""']
    body = [f"{pad}{line}".rstrip() for line in lines[1:]]
    return [f'{pad}"""{lines[0]}', *body, f'{pad}"""']


def comment(text: str, depth: int = 1) -> list[str]:
    """Return the lines of a comment, broken between words."""
    pad = f"{INDENT * depth}# "
    lines = [""]
    for word in text.split():
        if lines[-1] and len(pad) + len(lines[-1]) + 1 + len(word) > WIDTH:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return [pad + line for line in lines]
