"""overlay.yaml: a profile, as the keys in which it differs from the checkout's params.yaml.

    paths:
      code: ../../../code.lock    # the params.yaml beside it holds what the overlay does not say
    dataset:
      resolution: 256

DVC reads no overlay. So the whole is written beside it as params.yaml, with a link to the checkout's dvc.yaml
and a DVC repository of its own, so that the checkout's knows nothing of it; git ignores all of these, and whoever
opens the folder first asks whether params.yaml is still what the overlay makes.
"""

import configparser
import io
import os
from pathlib import Path
from typing import Any

import yaml

from tedigan.errors import ParamsError
from tedigan.store.files import write_text

OVERLAY, PARAMS, PIPELINE = "overlay.yaml", "params.yaml", "dvc.yaml"
DVC_CONFIG, DVC_IGNORE = ".dvc/config", ".dvcignore"


class _Loader(yaml.SafeLoader):
    """Refuses a key that stands twice in one mapping, of which YAML would silently take the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """As its base does."""
        seen: set[Any] = set()
        for key, _ in node.value:
            if (name := self.construct_object(key, deep=True)) in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {name!r} stands twice", key.start_mark
                )
            seen.add(name)
        return super().construct_mapping(node, deep=deep)


def read_sections(path: Path) -> dict[str, Any]:
    """A params.yaml or an overlay.yaml as plain values, unchecked."""
    try:
        raw = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506, a SafeLoader
    except FileNotFoundError:
        raise ParamsError(
            f"{path} does not exist. Run from the folder that holds params.yaml, or name a profile."
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ParamsError(f"{path} is not YAML: {error}. Mend the line it names.") from error
    if not isinstance(raw, dict):
        raise ParamsError(f"{path} holds {type(raw).__name__}, expected a mapping of sections.")
    return raw


def check_overlay(folder: Path) -> None:
    """A ParamsError for a folder that is no profile."""
    if not (folder / OVERLAY).is_file():
        raise ParamsError(
            f"{folder} holds no {OVERLAY}, so there is nothing to write; expected a profile's folder. "
            "Name one, such as infra/profiles/celebahq-64."
        )


def merge(folder: Path) -> dict[str, Any]:
    """The checkout's params with the values of the folder's overlay in their place; lists are not added to."""
    whole = read_sections(base_of(folder) / PARAMS)
    for name, section in read_sections(folder / OVERLAY).items():
        known = whole.get(name)
        is_both = isinstance(known, dict) and isinstance(section, dict)
        whole[name] = known | section if is_both else section
    return whole


def base_of(folder: Path) -> Path:
    """The folder of the checkout whose code.lock the overlay names in paths.code."""
    paths = read_sections(folder / OVERLAY).get("paths")
    code = paths.get("code") if isinstance(paths, dict) else None
    if not isinstance(code, str):
        raise ParamsError(
            f"{folder / OVERLAY}: paths.code is {code!r}, expected where the checkout's code.lock lies, as "
            "seen from there. Add it, such as ../../../code.lock."
        )
    return (folder / code).parent


def is_written(folder: Path) -> bool:
    """Does params.yaml say what the overlay makes of the checkout's? True without an overlay."""
    if not (folder / OVERLAY).is_file():
        return True
    whole = merge(folder)
    try:
        return read_sections(folder / PARAMS) == whole
    except ParamsError:  # lost or damaged, and can be written again
        return False


def check_written(folder: Path) -> None:
    """A ParamsError unless `is_written`."""
    if not is_written(folder):
        raise ParamsError(
            f"{folder / PARAMS} is not what {OVERLAY} makes of {base_of(folder) / PARAMS}; one of them was "
            f"changed. Run `python -m tedigan params write {folder}`."
        )


def write_dvc_home(folder: Path, base: Path) -> None:
    """A DVC repository of the folder's own, with the checkout's remote and cache.

    Without it the checkout's `dvc status` and the like would find two pipelines. git is not its matter.
    """
    checkout = configparser.ConfigParser()
    if not checkout.read(base / DVC_CONFIG, encoding="utf-8"):
        return
    if not checkout.has_section("core"):
        checkout.add_section("core")
    checkout["core"]["no_scm"] = "True"
    if not checkout.has_section("cache"):
        checkout.add_section("cache")
    checkout["cache"].setdefault("dir", "cache")
    for section in checkout.sections():
        for key in ("url", "dir"):
            place = checkout[section].get(key)
            if place and "://" not in place and not Path(place).is_absolute():
                checkout[section][key] = os.path.relpath(base / ".dvc" / place, folder / ".dvc")
    text = io.StringIO()
    checkout.write(text)
    path = folder / DVC_CONFIG
    if not (path.is_file() and path.read_text(encoding="utf-8") == text.getvalue()):
        write_text(path, text.getvalue())
        write_text(folder / DVC_IGNORE, (base / DVC_IGNORE).read_text(encoding="utf-8"))
