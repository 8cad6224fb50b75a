"""What generate and evaluate share: a workspace's ways from sentences to faces, opened."""

from collections.abc import Sequence
from dataclasses import replace

from tedigan.generator.engine import Engine
from tedigan.method.steering import SteeringSettings
from tedigan.method.text_to_face import FaceMaker, FaceSettings, Read, StartSettings
from tedigan.models.makers import Way, open_face_makers, open_texts
from tedigan.params import chosen
from tedigan.workspace import Workspace


def open_maker(
    workspace: Workspace, *, truncation_psi: float | None = None
) -> tuple[FaceMaker, Read, Engine]:
    """As `open_makers`, of generate's way alone."""
    way = workspace.params.generate.way
    makers, read, engine = open_makers(workspace, [way], truncation_psi=truncation_psi)
    return makers[way], read, engine


def open_makers(
    workspace: Workspace, ways: Sequence[Way], *, truncation_psi: float | None = None
) -> tuple[dict[str, FaceMaker], Read, Engine]:
    """A face maker for each way, what reads their sentences, and the engine that draws; shared parts opened once.

    truncation_psi: in the place of generate's.
    """
    params = workspace.params.generate
    psi = params.truncation_psi if truncation_psi is None else truncation_psi
    generator, texts, reader = open_texts(
        workspace.models,
        workspace.device,
        ways,
        workspace.grammar,
        replace(chosen(params, StartSettings), truncation_psi=psi),
        chosen(params, SteeringSettings),
        strength=params.strength,
    )
    settings = replace(chosen(params, FaceSettings), truncation_psi=psi)
    makers, engine = open_face_makers(
        generator, texts, settings, precision=params.precision, compilation=params.compile
    )
    return makers, reader.reading, engine
