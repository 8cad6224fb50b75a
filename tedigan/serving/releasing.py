"""The releases of a workspace: register what it made, find one, decide, promote, roll back, verify.

Places and keys that are not given come from the environment, as a deployment sets them:

    TEDIGAN_RELEASES      the release store; without it <work>/release-store
    TEDIGAN_POLICY        policy.yaml; without it infra/policy.yaml
    TEDIGAN_SIGNING_KEY   a private key (PEM)
"""

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

from tedigan.errors import DataError, ParamsError, StoreError
from tedigan.progress import note
from tedigan.provenance import CHECKOUT
from tedigan.releases.evidence import Evidence, read_evidence
from tedigan.releases.policy import Policy, read_policy
from tedigan.releases.promotions import Named, Promotion, Promotions
from tedigan.releases.registry import CHALLENGER, CHAMPION, Registered, Registry, open_registry
from tedigan.releases.release import MODELS
from tedigan.releases.release_store import ReleaseStore
from tedigan.serving.release_files import files_of
from tedigan.serving.weighing import Weighed, weigh
from tedigan.store.files import sha256_value
from tedigan.store.signing import sign, signed_statement
from tedigan.turns import turn
from tedigan.workspace import Workspace

SHOWN = (
    "text_fidelity[referee]",
    "edit_reached[referee,ours]",
)  # of the metrics, in a list of releases
REFUSAL = "urn:tedigan:refusal:v1"


@dataclass(frozen=True)
class Releases:
    """See above. key: that signs; None = nothing can be promoted or rolled back."""

    workspace: Workspace
    store: ReleaseStore
    policy: Policy
    key: Path | None

    @classmethod
    def of(
        cls,
        workspace: Workspace,
        *,
        place: str | None = None,
        policy: Path | None = None,
        key: Path | None = None,
    ) -> "Releases":
        """Those of a workspace; what is not given, the environment says."""
        return cls(
            workspace,
            ReleaseStore(
                place or _set("TEDIGAN_RELEASES") or str(workspace.work / "release-store")
            ),
            read_policy(policy or Path(_set("TEDIGAN_POLICY") or CHECKOUT / "infra/policy.yaml")),
            key or (Path(given) if (given := _set("TEDIGAN_SIGNING_KEY")) else None),
        )

    @cached_property
    def registry(self) -> Registry:
        """Opened where it is asked: who names the champion or a digest needs none."""
        return open_registry("mlflow", self.workspace)

    @property
    def cache(self) -> Path:
        """Where releases lie on this machine."""
        return self.workspace.work / "releases"

    @property
    def promotions(self) -> Promotions:
        """Checked by the policy's signers."""
        return Promotions(self.store.bucket, self.policy.signers)

    def champion(self) -> Named | None:
        """Which release is served."""
        last = self.promotions.last()
        return last.champion if last else None

    def digest_of(self, name: str) -> str:
        """The digest of `champion`, `challenger`, a version or the start of a digest.

        Raises DataError for what is none. Of these, challenger and versions are asked of the registry.
        """
        if name == CHAMPION:
            if (found := self.champion()) is None:
                raise DataError(
                    f"{self.store.place} has no champion yet; expected a promotion. `tedigan release promote`, or "
                    "name a version or a digest."
                )
            return found.digest
        if name == CHALLENGER or _is_version(name):
            return self.resolve(name).digest
        return self.store.digest_of(name)

    def resolve(self, name: str) -> Named:
        """As `digest_of`, with the version."""
        known = self.registry.all()
        if name == CHALLENGER or _is_version(name):
            found = [one for one in known if name in one.aliases or name == str(one.named.version)]
        else:
            digest = self.digest_of(name)
            found = [one for one in known if one.named.digest == digest]
        if not found:
            raise DataError(
                f"no release {name!r} is registered; expected champion, challenger, a version or the start of a "
                "digest. `tedigan release list` shows them, `tedigan release register` makes one."
            )
        return found[0].named

    def register(self) -> Registered:
        """Make what this workspace made a release, and the challenger; a DataError where it is out of date."""
        with turn(self.workspace.turn, "registering a release"):
            files = files_of(self.workspace)
            self.registry.check()
            release = self.store.put(files)
        metrics = self.evidence(Named(0, release.digest)).metrics
        shown = {name: f"{value:.3f}" for name in SHOWN if (value := metrics.get(name)) is not None}
        tags = {name.partition("[")[0]: value for name, value in shown.items()}
        return self.registry.add(release.digest, self.store.place, tags)

    def fetch(self, digest: str) -> Path:
        """A release as a folder of this machine."""
        return self.store.fetch(digest, self.cache)

    def models(self, name: str) -> tuple[str, Path]:
        """The digest of a release, and the folder of its models on this machine."""
        digest = self.digest_of(name)
        return digest, self.fetch(digest) / MODELS

    def evidence(self, named: Named) -> Evidence:
        """What was measured of a release."""
        return read_evidence(self.store.release(named.digest), self.fetch(named.digest))

    def weigh(self, candidate: Named) -> Weighed:
        """Beside the champion, as the policy has it. Raises DataError for the champion itself."""
        champion = self.champion()
        if champion == candidate:
            raise DataError(
                f"{candidate} is the champion; expected another release. `tedigan release register` makes a "
                "challenger."
            )
        return weigh(self.workspace, self.store, self.cache, candidate, champion, self.policy)

    def consider(self, name: str) -> Weighed | None:
        """As `weigh`, with a key at hand; None for no challenger, and for the champion itself."""
        if name == CHALLENGER and not any(CHALLENGER in one.aliases for one in self.registry.all()):
            return None
        named = self.resolve(name)
        if named == self.champion():
            return None
        self.check_key()
        return self.weigh(named)

    def needs_a_person(self, weighed: Weighed) -> str:
        """Why a person has to approve besides; "" where the policy alone decides."""
        if self.policy.approval == "required":
            return "the policy asks for a person"
        taken_back = [
            one.number
            for before, one in pairwise(self.promotions.all())
            if one.kind == "rollback" and before.champion == weighed.candidate
        ]
        return f"rollback {taken_back[-1]} took it back" if taken_back else ""

    def check_key(self) -> Path:
        """The key; a ParamsError where none was given, a DataError for one that may not sign."""
        if self.key is None:
            raise ParamsError(
                "a promotion is signed, and no key was given; expected a private key. Name it with --key or "
                "TEDIGAN_SIGNING_KEY; `tedigan release key FILE` makes one."
            )
        trial = sign({}, REFUSAL, {}, self.key)
        signed_statement(trial, self.policy.signers, source=f"a trial with {self.key}")
        return self.key

    def promote(self, weighed: Weighed, *, by: str) -> Promotion:
        """Make a candidate champion that was found better than the one that is champion now."""
        if not weighed.decision.is_better:
            raise DataError(
                f"{weighed.candidate} does not meet the policy; expected one that does. It stays a challenger."
            )
        last = self.promotions.last()
        if (last.champion if last else None) != weighed.champion:
            raise StoreError(
                f"the champion is {last.champion if last else None} by now, and {weighed.candidate} was compared "
                f"with {weighed.champion}. Decide again."
            )
        policy = self.policy.model_dump(mode="json")
        decision = weighed.decision.to_json() | {"policy": policy, "judge": weighed.judge}
        promotion = self.promotions.add(
            "promote", weighed.candidate, after=last, by=by, decision=decision, key=self.check_key()
        )
        self._show(promotion)
        return promotion

    def refuse(self, weighed: Weighed) -> str:
        """Keep the signed decision that a candidate is not better; the first rule that it failed."""
        facts = {
            "candidate": asdict(weighed.candidate),
            "champion": None if weighed.champion is None else asdict(weighed.champion),
            "decision": weighed.decision.to_json(),
        }
        subject = {f"tedigan.release/{weighed.candidate.version}": weighed.candidate.digest}
        content = sign(subject, REFUSAL, facts, self.check_key())
        self.store.bucket.create(f"refusals/{sha256_value(facts)}.json", content)
        failed = [one for one in weighed.decision.reasons if not one.is_met]
        said = f"{failed[0].rule}: {failed[0].said}"
        self.registry.note(weighed.candidate.version, "refused", said)
        return said

    def roll_back(self, *, by: str) -> Promotion:
        """Make the champion before this one champion again; once in one name."""
        history = self.promotions.all()
        if history and history[-1].kind == "rollback" and history[-1].by == by:
            self._show(history[-1])
            return history[-1]
        target = _before(history)
        if target is None:
            raise DataError(
                "there is no champion before this one; expected at least two promotions. Promote another release."
            )
        self.fetch(target.digest)  # or there is nothing to go back to
        promotion = self.promotions.add(
            "rollback", target, after=history[-1], by=by, decision=None, key=self.check_key()
        )
        self._show(promotion)
        return promotion

    def mirror(self) -> Named | None:
        """Set the registry's alias as the last promotion has it: a process died in between, or it was moved."""
        if (last := self.promotions.last()) is not None:
            self._show(last)
            return last.champion
        return None

    def _show(self, promotion: Promotion) -> None:
        """Say it in the registry too; what is served is decided, and one that fails changes nothing."""
        champion = promotion.champion
        try:
            known = [one.named for one in self.registry.all() if one.named == champion]
            if not known:
                raise StoreError(
                    f"the registry has no version of {champion}. Register it there again."
                )
            self.registry.point(CHAMPION, known[0].version)
            said = f"{promotion.number}, {promotion.at}, by {promotion.by}"
            self.registry.note(known[0].version, promotion.kind, said)
        except (StoreError, ConnectionError) as error:
            note(f"{champion} is champion, and the registry does not say so yet: {error}")


def models_to_draw_with(workspace: Workspace, given: Path | None, release: str) -> tuple[str, Path]:
    """The digest of the release and the folder of its models; "" and the workspace's where no release is named.

    given: a folder that is taken in any case, whose files whoever draws compares with the plan's.
    """
    if given is None and release:
        return Releases.of(workspace).models(release)
    return release, given or workspace.models


def _before(history: Sequence[Promotion]) -> Named | None:
    """The champion to go back to: a rollback goes behind the promotion that it takes back, not behind itself."""
    line: list[Named] = []
    for one in history:
        if one.kind == "promote":
            line.append(one.champion)
        elif line:
            line.pop()
    return line[-2] if len(line) > 1 else None


def _is_version(name: str) -> bool:
    return name.isdecimal() and len(name) < 8  # a digest's start has eight digits


def _set(name: str) -> str | None:
    """A variable that is set and not empty."""
    return os.environ.get(name) or None
