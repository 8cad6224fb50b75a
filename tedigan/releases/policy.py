"""policy.yaml: what a release must be to become champion, who may sign for it, and when it is looked for.

`infra/policy.yaml` is the one that comes along; each key says what it means.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tedigan.errors import ParamsError
from tedigan.overlay import read_sections

Compared = Literal["text_fidelity", "edit_reached", "edit_kept", "edit_same_person"]
Share = Annotated[float, Field(ge=0, le=1)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Subgroups(_Part):
    """of: attributes, as the referee sees them in the prompts' photographs; with and without make two groups each.

    min_prompts: a smaller group decides nothing. floor, at_most_worse: of its text fidelity, see `Policy`.
    """

    of: tuple[Literal["Male", "Young", "Pale_Skin"], ...]
    min_prompts: int = Field(ge=2)
    floor: Share
    at_most_worse: Share


class Drift(_Part):
    """When people are told that what is asked of the champion has changed.

    min_prompts: fewer faces say nothing. at_most_prompts: total variation between what prompts name and what the
    evaluation's captions name. at_most_lacking: of recent faces that lack something of their prompts.
    """

    min_prompts: int = Field(ge=1)
    at_most_prompts: Share
    at_most_lacking: Share


class Policy(_Part):
    """See `infra/policy.yaml`. signers: public keys, absolute."""

    approval: Literal["none", "required"]
    signers: tuple[Path, ...]
    at_most_worse: dict[Compared, Share]
    must_gain: bool
    floors: dict[str, float]
    subgroups: Subgroups
    at_most_memorised: Share
    at_most_memorised_more: Share
    at_most_megabytes: float = Field(gt=0)
    at_most_slower: float = Field(gt=0)
    drift: Drift


def read_policy(path: Path) -> Policy:
    """Parse and check a policy; paths in it are relative to its folder. Raises ParamsError with every problem."""
    try:
        policy = Policy.model_validate(read_sections(path))
    except ValidationError as error:
        lines = "\n".join(
            f"  {'.'.join(str(part) for part in one['loc'])}: {one['msg']}, given {str(one['input'])[:80]!r}"
            for one in error.errors()
        )
        raise ParamsError(
            f"{path} is not usable:\n{lines}\nMend these; infra/policy.yaml says what each key means."
        ) from error
    signers = tuple((path.parent / one).resolve() for one in policy.signers)
    return policy.model_copy(update={"signers": signers})
