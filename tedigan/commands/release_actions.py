"""`tedigan release`: what is served, what may be, and why. docs/operations.md walks through it."""

import argparse
import getpass
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tedigan.serving.releasing import Releases

REFUSED = 3  # exit code: the policy says no, or somebody has to approve


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The sub-commands, each with its own `do`."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    _add(actions, "list", "every release, and which is champion", _list)
    show = _add(actions, "show", "what a release holds, measures and became", _show)
    _add(actions, "register", "make this workspace's results the challenger", _register)
    weigh = _add(actions, "weigh", "say whether it may become champion; status 3 if not", _weigh)
    promote = _add(
        actions, "promote", "make it champion, if the policy lets it; status 3 if not", _promote
    )
    _add(actions, "rollback", "make the champion before champion again", _rollback)
    _add(actions, "verify", "read every object and record again; status 1 if one is wrong", _verify)
    _add(actions, "mirror", "set the registry's alias to the champion", _mirror)
    fetch = _add(actions, "fetch", "a release as a folder of this machine; prints it", _fetch)
    drift = _add(
        actions, "drift", "has what is asked of the champion changed? status 3 if so", _drift
    )
    drift.add_argument("jobs", help="where jobs are kept: a folder, or s3://bucket/prefix")
    for one in (show, weigh, promote, fetch):
        one.add_argument(
            "release", help="champion, challenger, a version, or the start of a digest"
        )
    promote.add_argument(
        "--approve", action="store_true", help="in your own name, where policy asks"
    )
    key = actions.add_parser("key", help="make a key that signs promotions, and its public half")
    key.add_argument("file", type=Path)
    key.set_defaults(do=_key)


def run(arguments: argparse.Namespace) -> int:
    """The chosen action's exit status."""
    status: int = arguments.do(arguments)
    return status


def _add(actions: Any, name: str, help: str, do: Any) -> argparse.ArgumentParser:
    from tedigan.commands.workspace_arguments import add_workspace_arguments

    one: argparse.ArgumentParser = actions.add_parser(name, help=help, description=help)
    add_workspace_arguments(one)
    one.add_argument(
        "--place", help="of the releases; else TEDIGAN_RELEASES, or the workspace's own"
    )
    one.add_argument("--policy", type=Path, help="else TEDIGAN_POLICY, or infra/policy.yaml")
    if name in ("promote", "rollback"):
        one.add_argument("--key", type=Path, help="that signs; else TEDIGAN_SIGNING_KEY")
    one.set_defaults(do=do)
    return one


def _releases(arguments: argparse.Namespace) -> "Releases":
    from tedigan.commands.workspace_arguments import workspace_folder
    from tedigan.serving.releasing import Releases
    from tedigan.workspace import Workspace

    workspace = Workspace.open(
        workspace_folder(arguments), writes_params=arguments.profile is not None
    )
    key = getattr(arguments, "key", None)
    return Releases.of(workspace, place=arguments.place, policy=arguments.policy, key=key)


def _list(arguments: argparse.Namespace) -> int:
    from tedigan.serving.verifying import warning

    releases = _releases(arguments)
    champion = releases.champion()
    for one in releases.registry.all():
        is_champion = champion is not None and one.named == champion
        marks = ["champion"] if is_champion else []
        marks += [alias for alias in one.aliases if alias != "champion"]
        said = "  ".join(f"{name} {value}" for name, value in sorted(_shown(one.tags).items()))
        print(
            f"{one.named.version:>4}  {one.named.digest[:12]}  {one.created}  {','.join(marks) or '-':<10}  {said}"
        )
    if said := warning(releases):
        print(f"warning: {said}")
    return 0


def _shown(tags: Any) -> dict[str, str]:
    return {name: value for name, value in tags.items() if name != "stage"}


def _show(arguments: argparse.Namespace) -> int:
    from tedigan.releases.release import SHORT

    releases = _releases(arguments)
    named = releases.resolve(arguments.release)
    release = releases.store.release(named.digest)
    print(f"{named}, {release.num_model_bytes / 1e6:.1f} MB of models, {len(release.files)} files")
    for part, digest in release.parts.items():
        print(f"  {part:<28}{digest[:SHORT]}")
    evidence = releases.evidence(named)
    for name, value in sorted(evidence.metrics.items()):
        print(f"  {name:<64}{'null' if value is None else f'{value:.4g}'}")
    for one in releases.promotions.all():
        if one.champion == named:
            print(
                f"{one.kind} {one.number}, {one.at}, by {one.by}, after {one.before or 'nothing'}"
            )
    return 0


def _register(arguments: argparse.Namespace) -> int:
    found = _releases(arguments).register()
    print(f"{found.named}: challenger, in {found.place}")
    return 0


def _weigh(arguments: argparse.Namespace) -> int:
    releases = _releases(arguments)
    weighed = releases.weigh(releases.resolve(arguments.release))
    print("\n".join(weighed.lines()))
    return 0 if weighed.decision.is_better else REFUSED


def _promote(arguments: argparse.Namespace) -> int:
    releases = _releases(arguments)
    releases.check_key()
    weighed = releases.weigh(releases.resolve(arguments.release))
    print("\n".join(weighed.lines()))
    if not weighed.decision.is_better:
        print(f"it stays a challenger: {releases.refuse(weighed)}")
        return REFUSED
    why = releases.needs_a_person(weighed)
    if why and not arguments.approve:
        print(f"{why}: `tedigan release promote ... --approve`")
        return REFUSED
    by = _user() if arguments.approve else "policy"
    print(f"champion: {releases.promote(weighed, by=by).champion}")
    return 0


def _rollback(arguments: argparse.Namespace) -> int:
    releases = _releases(arguments)
    releases.check_key()
    by = f"{_user()}, {datetime.now(UTC):%Y-%m-%d %H:%M:%S.%f}"  # who says it again means another one
    print(f"champion again: {releases.roll_back(by=by).champion}")
    return 0


def _user() -> str:
    """Who is logged in here; by number, where nobody knows the name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def _verify(arguments: argparse.Namespace) -> int:
    from tedigan.serving.verifying import verify

    releases = _releases(arguments)
    count, problems = verify(releases)
    for one in problems:
        print(one)
    print(
        f"{count} releases and {len(releases.promotions.all())} promotions read; {len(problems)} problems"
    )
    if not releases.policy.signers:
        print("signatures were not checked: the policy names no signers")
    return 1 if problems else 0


def _mirror(arguments: argparse.Namespace) -> int:
    print(f"champion: {_releases(arguments).mirror() or 'none yet'}")
    return 0


def _fetch(arguments: argparse.Namespace) -> int:
    releases = _releases(arguments)
    print(releases.fetch(releases.digest_of(arguments.release)))
    return 0


def _drift(arguments: argparse.Namespace) -> int:
    from tedigan.serving.watching import watch

    found = watch(_releases(arguments), arguments.jobs)
    print("\n".join(found.lines()))
    return 0 if found.is_better else REFUSED


def _key(arguments: argparse.Namespace) -> int:
    from tedigan.store.signing import make_key

    print(
        f"{arguments.file} signs, {make_key(arguments.file)} verifies: name it as signer in the policy"
    )
    return 0
