"""Caption grammars: YAML files that say how captions are written and read."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import yaml

from tedigan.captions.grammar import Grammar
from tedigan.captions.grammar_check import parse_grammar
from tedigan.errors import CaptionError
from tedigan.store.files import read_text, write_text

_BUILT_IN = Path(__file__).parent / "grammars"
CELEBA = _BUILT_IN / "celeba.yaml"
GRAMMAR = "grammar.yaml"

Key = tuple[str, ...]


def load_grammar(path: Path = CELEBA, *, columns: Collection[str] | None = None) -> Grammar:
    """A grammar file, with what it extends, checked; a CaptionError lists all problems with their lines.

    columns: the attributes of the data set. Those that the file adds must be among them; those of the grammar
    that it extends need not.
    """
    content, lines, inherited = _read(path, ())
    known = None if columns is None else {*columns, *inherited}
    return parse_grammar(content, lines=lines, known=known)


def save_grammar(grammar: Grammar, path: Path) -> None:
    """Write a grammar whole, with what it extends; `load_grammar` reads it back."""
    content = grammar.file.model_dump(mode="json", exclude_unset=True)
    write_text(path, yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100))


def _read(path: Path, above: tuple[Path, ...]) -> tuple[dict[str, Any], dict[Key, str], set[str]]:
    """The content without `extends`, the place of each key, and the attributes that are inherited."""
    content, numbers = _parse(path)
    lines = {key: f"{path.name} line {number}" for key, number in numbers.items()}
    base = content.pop("extends", None)
    if base is None:
        return content, lines, set()
    place = _base_path(path, str(base))
    if place in (path.resolve(), *above):
        raise CaptionError(
            f"{lines['extends',]}: {base} extends this file in turn. Remove one of the two."
        )
    inherited, inherited_lines, _ = _read(place, (*above, path.resolve()))
    return _merge(inherited, content), inherited_lines | lines, _attributes_of(inherited)


def _attributes_of(content: dict[str, Any]) -> set[str]:
    """The attributes that a file knows; a damaged one knows none, and is refused later."""
    sections = [content.get(name) for name in ("attributes", "subject")]
    attributes, subject = (one if isinstance(one, dict) else {} for one in sections)
    return {*attributes, str(subject.get("attribute"))}


def _base_path(path: Path, base: str) -> Path:
    """A grammar of the package by its name, or a file beside this one."""
    built_in = _BUILT_IN / f"{base}.yaml"
    return (built_in if built_in.is_file() else path.parent / base).resolve()


def _merge(base: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Own keys take the place of the base's, section by section; null removes one, lists are added."""
    merged = dict(base)
    for section, value in own.items():
        below = base.get(section)
        if isinstance(value, dict) and isinstance(below, dict):
            both = below | value
            merged[section] = {key: one for key, one in both.items() if one is not None}
        elif isinstance(value, list) and isinstance(below, list):
            merged[section] = below + value
        else:
            merged[section] = value
    return merged


def _parse(path: Path) -> tuple[dict[str, Any], dict[Key, int]]:
    """YAML as plain values, and the line of each key. Keys are texts as they stand there, `no` too."""
    try:
        node = yaml.compose(read_text(path), Loader=yaml.SafeLoader)
        reading = _Reading()
        content = reading.value(node, ())
    except (yaml.YAMLError, RecursionError) as error:
        raise CaptionError(f"{path} is not YAML: {error}. Mend the line it names.") from error
    if not isinstance(content, dict):
        raise CaptionError(
            f"{path} holds {type(content).__name__}; expected the sections of a grammar. "
            "Begin it with `extends: celeba`."
        )
    if reading.problems:
        raise CaptionError(f"{path} is not usable. Mend:\n" + "\n".join(reading.problems))
    return content, reading.lines


class _Reading:
    """Nodes -> values; keys that stand twice and references are problems, as one would be lost unseen."""

    def __init__(self) -> None:
        self.lines: dict[Key, int] = {(): 1}
        self.problems: list[str] = []
        self._scalars = yaml.SafeLoader("")
        self._seen: set[int] = set()

    def value(self, node: yaml.Node | None, key: Key) -> Any:
        """The node as a dict, a list or a plain value."""
        if node is None:
            return None
        if not isinstance(node, yaml.ScalarNode) and id(node) in self._seen:
            line = node.start_mark.line + 1
            self.problems.append(f"  line {line}: is referred to by an alias; write it out instead")
            return None
        self._seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, key)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(one, (*key, str(i))) for i, one in enumerate(node.value)]
        return self._scalars.construct_object(node, deep=True)

    def _mapping(self, node: yaml.MappingNode, key: Key) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name_node, value_node in node.value:
            name, line = str(name_node.value), name_node.start_mark.line + 1
            if name in values:
                self.problems.append(f"  line {line}: `{name}` stands twice; remove one of them")
            self.lines[*key, name] = line
            values[name] = self.value(value_node, (*key, name))
        return values
