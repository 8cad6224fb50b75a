"""One drawn face: a person and a look, drawn in order from the back to the front."""

from dataclasses import dataclass

import numpy as np

from tedigan.drawn import features, hair, head, mouth, surroundings, wear
from tedigan.drawn.exact_attributes import attributes_of
from tedigan.drawn.look import Look, sample_look
from tedigan.drawn.person import Person, sample_person
from tedigan.drawn.scene import PIVOT, Scene

PERSON_STREAM, LOOK_STREAM = 0, 1


@dataclass(frozen=True)
class DrawnFace:
    """A picture, its label map and its attributes; the three agree because one drawing made them.

    svg: the picture, 512 x 512 units, aligned like CelebA-HQ.
    label_svg: the same geometry in CelebAMask-HQ's flat class colours; rasterise it with crisp edges.
    attributes: CelebA's forty names in their order.
    identity: faces with equal identity show one person.
    """

    svg: str
    label_svg: str
    attributes: dict[str, bool]
    identity: int


def draw_face(seed: int, index: int, faces_per_identity: int = 3) -> DrawnFace:
    """Draw face `index` of the endless set named by `seed`; nothing else has influence on it."""
    person, look, identity = _sample(seed, index, faces_per_identity)
    scene = Scene(person, look)
    _draw_body(scene)
    scene.canvas.rotate(look.roll, PIVOT)
    _draw_head(scene)
    scene.canvas.end_rotation()
    return DrawnFace(
        svg=scene.canvas.picture_svg(),
        label_svg=scene.canvas.label_svg(),
        attributes=attributes_of(person, look),
        identity=identity,
    )


def describe_face(
    seed: int, index: int, faces_per_identity: int = 3
) -> tuple[dict[str, bool], int]:
    """Attributes and identity of that face, in a twentieth of the time that drawing it takes."""
    person, look, identity = _sample(seed, index, faces_per_identity)
    return attributes_of(person, look), identity


def _sample(seed: int, index: int, faces_per_identity: int) -> tuple[Person, Look, int]:
    identity = index // faces_per_identity
    person = sample_person(np.random.default_rng([seed, PERSON_STREAM, identity]))
    return person, sample_look(np.random.default_rng([seed, LOOK_STREAM, index]), person), identity


def _draw_body(scene: Scene) -> None:
    """Everything behind and below the face."""
    surroundings.draw_ground(scene)
    scene.canvas.rotate(scene.look.roll, PIVOT)
    hair.draw_back_hair(scene)
    scene.canvas.end_rotation()
    head.draw_neck(scene)
    surroundings.draw_clothes(scene)
    wear.draw_necklace(scene)


def _draw_head(scene: Scene) -> None:
    """The head from skin to hat."""
    head.draw_ears(scene)
    head.draw_double_chin(scene)
    head.draw_face_skin(scene)
    head.draw_bald_crown(scene)
    head.draw_cheeks(scene)
    head.draw_age(scene)
    head.draw_smile_folds(scene)
    features.draw_nose(scene)
    wear.mark_glasses(scene)
    features.draw_eyes(scene)
    features.draw_brows(scene)
    mouth.draw_facial_hair(scene)
    mouth.draw_mouth(scene)
    wear.draw_glasses(scene)
    hair.draw_front_hair(scene)
    wear.draw_earrings(scene)
    wear.draw_hat(scene)
