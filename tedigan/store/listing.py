"""What a place holds, entry by entry: each is offered under its name, or left out with a reason.

One rule for folders, tars and buckets. An entry is a file, a link or something else that has a name; a folder is
none. Names are POSIX paths relative to the place, in UTF-8, without `.`, `..` and empty parts.
"""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field

QUARANTINE = ("name", "problem", "reason")  # columns of a table of what was left out
NOT_READ = "not read"  # the problem of what nobody means to be read
_LITTER = {"__MACOSX", "@eaDir"}  # folders that macOS and Synology leave beside photographs
_MAX_LINKS = 40  # in one path, as in Linux


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An entry that is not used: the problem in a word or two, and the reason in full."""

    name: str
    problem: str
    reason: str

    @property
    def is_fault(self) -> bool:
        """Whether somebody should look at it; NOT_READ is as it should be."""
        return self.problem != NOT_READ


@dataclass
class Entries:
    """What was found.

    files: name -> the name under which its bytes lie. links: name -> the name that it leads to; None = out of the
    place.
    """

    files: dict[str, str] = field(default_factory=dict)
    links: dict[str, str | None] = field(default_factory=dict)
    left_out: list[LeftOut] = field(default_factory=list)

    def leave_out(self, name: str, problem: str, what: str) -> None:
        """what: continues the sentence that begins with the name."""
        shown = printable(name)
        self.left_out.append(LeftOut(shown, problem, f"{shown} {what}"))

    def offered(self) -> dict[str, str]:
        """Files and what links lead to, by name in order; all else is in `left_out` afterwards."""
        real = sorted(self.files)
        for name, target in sorted(self.links.items()):
            self._follow(name, target, real)
        for name in [one for one in self.files if one != printable(one)]:
            self.leave_out(name, "name", "is no name in UTF-8. Rename it.")
            del self.files[name]
        for name in [one for one in self.files if is_hidden(one)]:
            self.leave_out(name, NOT_READ, "is hidden: it, or its folder, is a system's own.")
            del self.files[name]
        self.left_out.sort(key=lambda one: (one.name, one.reason))
        return dict(sorted(self.files.items()))

    def _follow(self, name: str, target: str | None, real: list[str]) -> None:
        """A link within the place is what it leads to; one to a folder is all files of that which are no links."""
        if target is None:
            what = "is a link that leads out of the source, and is not followed. Copy what it leads to there."
            self.leave_out(name, "link", what)
        elif target in self.files and target not in self.links:
            self.files[name] = target
        elif not target or name.startswith(f"{target}/"):
            self.leave_out(name, "link", "is a link to a folder that it lies in. Remove it.")
        elif found := _below(target, real):
            named = {f"{name}/{one.removeprefix(f'{target}/')}": one for one in found}
            self.files = named | self.files
        else:
            what = "is a link that leads nowhere, so that it cannot be read. Remove it, or mend where it leads."
            self.leave_out(name, "link", what)


def is_hidden(name: str) -> bool:
    """Whether a file, or a folder that it lies in, begins with a dot or is a system's own."""
    parts = name.split("/")
    return any(part.startswith(".") or part in _LITTER for part in parts)


def printable(name: str) -> str:
    """The name as text; bytes that are not UTF-8 are shown by their numbers."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _below(folder: str, names: list[str]) -> list[str]:
    """Those of sorted names that lie in a folder, at any depth."""
    start = bisect_left(names, f"{folder}/")
    return names[start : bisect_left(names, f"{folder}0")]  # 0 comes after /


def clean_name(name: str) -> str | None:
    """A path without `.` and empty parts; None where it is absolute or leads upwards."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    return None if name.startswith("/") or ".." in parts or not parts else "/".join(parts)


def led_to(folder: str, text: str, links: Mapping[str, tuple[str, str]]) -> str | None:
    """The name that a link in `folder` with this text leads to, through other links; None = out of the place.

    links: name -> (the folder that it is read from, its text). A circle leads nowhere: its own first name.
    """
    done: list[str] = []
    todo = [*reversed(f"{folder}/{text}".split("/"))]
    if text.startswith("/"):
        return None
    num_links = 0
    while todo:
        part = todo.pop()
        if part == "..":
            if not done:
                return None
            done.pop()
        elif part not in ("", "."):
            name = "/".join([*done, part])
            if name not in links:
                done.append(part)
                continue
            base, further = links[name]
            num_links += 1
            if further.startswith("/"):
                return None
            if num_links > _MAX_LINKS:
                return name
            done = [one for one in base.split("/") if one]
            todo += reversed(further.split("/"))
    return "/".join(done)
