"""Everything that a release store says, read again, and compared with what the registry says."""

from tedigan.errors import DataError, StoreError
from tedigan.releases.registry import CHAMPION, Registered
from tedigan.serving.releasing import Releases


def verify(releases: Releases) -> tuple[int, list[str]]:
    """How many releases were read, and what is wrong with them, the promotions and the alias."""
    digests = releases.store.digests()
    problems = [f"{one[:12]}: {problem}" for one in digests for problem in _problems(releases, one)]
    try:
        history = releases.promotions.all()
        problems += [
            f"promotion {one.number} is of {one.champion}, which is not in {releases.store.place}"
            for one in history
            if one.champion.digest not in digests
        ]
        last = max(map(_number_of, releases.registry.all()), default=0)
        if last > len(history):
            problems.append(f"promotion {last} is in the registry, and gone from the store")
        problems += filter(None, [warning(releases)])
    except DataError as error:
        problems.append(str(error))
    return len(digests), problems


def warning(releases: Releases) -> str:
    """Where the registry's alias says another champion than the last promotion; "" where it does not."""
    champion = releases.champion()
    named = [one.named for one in releases.registry.all() if CHAMPION in one.aliases]
    if named == ([champion] if champion else []):
        return ""
    shown = " and ".join(str(one) for one in named) or "no version"
    return (
        f"the registry's alias {CHAMPION} is on {shown}, and the last promotion made {champion} champion, "
        "which is what is served. `tedigan release mirror` sets the alias."
    )


def _problems(releases: Releases, digest: str) -> list[str]:
    try:
        return releases.store.problems(digest)
    except (DataError, StoreError) as error:
        return [str(error)]


def _number_of(one: Registered) -> int:
    """The last promotion that the registry was told of this release; 0 = none."""
    said = [
        one.tags[kind].partition(",")[0] for kind in ("promote", "rollback") if kind in one.tags
    ]
    return max((int(number) for number in said if number.isdecimal()), default=0)
