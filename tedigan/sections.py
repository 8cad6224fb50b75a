"""The sections of params.yaml, one a class: what a run may choose, with its type and range."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from tedigan.errors import ShapeError
from tedigan.tensors import MAX_STRENGTH, num_ws_of

Count = Annotated[int, Field(ge=1)]
CountOrZero = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Weight = Annotated[float, Field(ge=0)]
Strength = Annotated[float, Field(ge=-MAX_STRENGTH, le=MAX_STRENGTH)]
Layers = Literal["measured"] | list[CountOrZero]


class Section(BaseModel):
    """A frozen section of params.yaml; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Paths(Section):
    """Where things lie, relative to the folder of params.yaml."""

    code: Path
    data: Path
    models: Path
    results: Path
    work: Path


class Dataset(Section):
    """The data set stage."""

    source: str
    licence: str | None
    num_images: Count | None
    resolution: Count
    kinds: list[Literal["text", "sketch", "label", "cutout"]]
    captions_per_image: Annotated[int, Field(ge=1, le=100)]
    image_format: Literal["png", "jpg", "webp"]
    records_per_shard: Count
    grammar: str | None
    negatives: Share | None
    align: bool
    tagger: str | None
    parser: str | None
    matting: str | None
    simplifier: str | None
    duplicates: Literal["reject", "keep"]
    attribute_conflicts: Literal["reject", "keep"]
    faceless: Literal["reject", "keep"]
    people: Literal["source", "faces"]
    split: Literal["identity", "published", "official", "auto"]
    val_fraction: Share
    test_fraction: Share
    seed: int

    @field_validator("resolution")
    @classmethod
    def _is_power_of_two(cls, value: int) -> int:
        try:
            num_ws_of(value)
        except ShapeError as error:
            raise ValueError(str(error)) from error
        return value


class Invert(Section):
    """The stage that turns every photograph into its W+ code."""

    batch_size: Count


class Steered(Section):
    """What every stage has that steers codes; see `SteeringSettings`."""

    margin: Positive
    num_search_steps: CountOrZero
    search_rate: Positive
    weight_unnamed: Weight
    weight_distance: Weight
    weight_length: Weight
    num_picture_steps: CountOrZero
    weight_picture: Weight
    weight_identity: Weight
    weight_spread: Weight


class AnalyseLayers(Steered):
    """The stage that measures which layers draw which attribute."""

    num_faces: Annotated[int, Field(ge=2)]
    batch_size: Count
    truncation_psi: Share
    seed: int


class Evaluate(Section):
    """The evaluation stage."""

    num_prompts: Count
    num_images: Annotated[int, Field(ge=2)]
    batch_size: Count
    truncation_psi: Share
    lpips_trunk: str | None
    seed: int


class EvaluateEdits(Section):
    """The stage that judges edits and inversions; their own numbers are manipulate's."""

    num_photographs: Annotated[int, Field(ge=2)]
    attributes: Annotated[list[str], Field(min_length=1)] | None
    num_strips: Count
    strengths: Annotated[list[Strength], Field(min_length=3)]
    num_faces: Annotated[int, Field(ge=2)]
    descriptor: Literal["dlib", "referee"] | None
    parser: str | None
    published_encoder: str | None
    batch_size: Count
    seed: int

    @field_validator("strengths")
    @classmethod
    def _rise(cls, value: list[float]) -> list[float]:
        if value != sorted(set(value)):
            raise ValueError("strengths of a strip rise from one to the next; sort them")
        return value


class EvaluateSources(Section):
    """The stage that judges faces of drawings; where they begin and how they are steered is generate's to say."""

    num_drawings: Annotated[int, Field(ge=2)]
    faces_per_drawing: Count
    num_candidates: Count
    parser: str | None
    batch_size: Count
    seed: int


class Generate(Steered):
    """Captions -> faces."""

    captions: str
    faces_per_caption: Count
    batch_size: Count
    way: Literal["search", "one_pass"]
    truncation_psi: Share
    strength: Strength
    bank_size: Count
    bank_best: CountOrZero
    bank_lack: Weight
    style_layers: Layers
    noise_mode: Literal["const", "random", "none"]
    noise_variants: CountOrZero
    variant_layers: Annotated[list[CountOrZero], Field(min_length=1)] | None
    precision: Literal["auto", "fp32", "bf16", "fp16"]
    compile: Literal["auto", "never"]
    image_format: Literal["png", "jpg", "webp"]
    seed: int


class Compose(Section):
    """Sources -> faces; where they begin and how they are steered is generate's to say."""

    sources: str
    faces_per_row: Count
    batch_size: Count
    layers: dict[Literal["sketch", "label", "photograph", "style"], list[CountOrZero]]
    weights: dict[Literal["text", "sketch", "label", "photograph", "style"], Share]
    strength: Strength
    image_format: Literal["png", "jpg", "webp"]
    seed: int


class Manipulate(Steered):
    """Photographs + text -> edited photographs."""

    photographs: str
    edits: str
    max_photographs: Count
    strip: list[Strength]
    region_cells: CountOrZero
    num_steps: CountOrZero
    learning_rate: Positive
    min_progress: Share
    weight_pixel: Weight
    weight_perceptual: Weight
    weight_encoder: Weight
    weight_norm: Weight
    weight_coherence: Weight
    num_tuning_steps: CountOrZero
    tuning_learning_rate: Positive
    tuning_blocks: list[Count]
    tuning_mse: Weight
    batch_size: Count


class Showcase(Section):
    """The same captions and edits by models that come along; other numbers are generate's and manipulate's."""

    models: str | None
    max_captions: Count
    faces_per_caption: Count
    max_edits: Count
    num_faces: Count
    strengths: Annotated[list[Strength], Field(min_length=1)]
    bank_size: Count
    margin: Positive
    weight_distance: Weight
    num_search_steps: CountOrZero
    weight_identity: Weight
    seed: int


class Report(Section):
    """The page that a person reads."""

    title: str
    max_examples: Count


TrainingStage = Literal[
    "train_generator",
    "train_encoder",
    "train_sketch_encoder",
    "train_label_encoder",
    "train_text_encoder",
    "train_guide",
    "train_latent_tagger",
    "train_text_mapper",
    "train_referee",
]


class Runtime(Section):
    """Where it runs; never changes what comes out of a CPU run, but for the last bits."""

    device: Literal["auto", "cpu", "cuda"]
    num_workers: Literal["auto"] | Count
    model_signers: tuple[str, ...]
    num_processes: dict[TrainingStage, Count]
    photographs: Literal["read", "device"]
    profile: CountOrZero
