"""What generate and evaluate share: a workspace's way from sentences to faces, opened."""

from dataclasses import replace

from tedigan.generator.engine import Engine
from tedigan.method.steering import SteeringSettings
from tedigan.method.text_to_face import FaceMaker, FaceSettings, Read, StartSettings
from tedigan.models.makers import Way, open_face_maker, open_text
from tedigan.params import chosen
from tedigan.workspace import Workspace


def open_maker(
    workspace: Workspace, *, way: Way | None = None, truncation_psi: float | None = None
) -> tuple[FaceMaker, Read, Engine]:
    """Its face maker, what reads its sentences, and the engine that draws.

    way, truncation_psi: in the place of generate's.
    """
    params = workspace.params.generate
    psi = params.truncation_psi if truncation_psi is None else truncation_psi
    generator, text, reader = open_text(
        workspace.models,
        workspace.device,
        way or params.way,
        workspace.grammar,
        replace(chosen(params, StartSettings), truncation_psi=psi),
        chosen(params, SteeringSettings),
        strength=params.strength,
    )
    settings = replace(chosen(params, FaceSettings), truncation_psi=psi)
    maker, engine = open_face_maker(
        generator, text, settings, precision=params.precision, compilation=params.compile
    )
    return maker, reader.reading, engine
