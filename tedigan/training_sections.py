"""The sections of params.yaml that say how networks are trained, one a stage."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from tedigan.sections import Count, CountOrZero, Positive, Section, Share, Steered, Weight


class Training(Section):
    """What every training has."""

    checkpoint_every: Count
    seed: int


class TrainGenerator(Training):
    """The StyleGAN2 training stage."""

    init: str | None
    total_nimg: CountOrZero
    z_dim: Count
    w_dim: Count
    num_mapping_layers: Count
    channel_base: Count
    channel_max: Count
    conv_clamp: Positive | None
    batch_size: Count
    learning_rate: Positive
    r1_gamma: Weight
    r1_interval: Count
    path_length_weight: Weight
    path_length_interval: Count
    feature_weight: Weight
    style_mixing_prob: Share
    ema_halflife_nimg: Positive
    ema_rampup: Weight
    mirror: bool
    augment: Literal["none", "color,translation"]
    precision: Literal["fp32", "bf16", "fp16"]
    num_fp16_res: Count
    sheet_faces: Annotated[int, Field(ge=1, le=256)]
    watch_every: CountOrZero
    watch_faces: CountOrZero

    @field_validator("watch_faces")
    @classmethod
    def _is_a_spread(cls, watch_faces: int) -> int:
        if watch_faces == 1:
            raise ValueError(
                "expected at least 2 faces, as one has no spread, or 0 for the sheet alone"
            )
        return watch_faces


class TrainEncoder(Training):
    """The inversion encoder training stage (A1)."""

    init: str | None
    head_dim: Count
    num_passes: Count
    num_synthetic_steps: CountOrZero
    num_steps: CountOrZero
    batch_size: Count
    learning_rate: Positive
    weight_pixel: Weight
    weight_perceptual: Weight
    weight_adversarial: Weight
    weight_latent: Weight
    weight_delta: Weight
    style_mixing_prob: Share
    r1_gamma: Weight
    r1_interval: Count


class TrainSketchEncoder(TrainEncoder):
    """The sketch encoder's training stage (A5)."""

    parser: str | None
    num_pairs: Annotated[int, Field(ge=2)]
    drawer: str | None
    num_drawer_steps: CountOrZero
    drawer_channels: Annotated[int, Field(ge=1, le=64)]
    num_fit_steps: CountOrZero
    fit_rate: Positive
    weight_prior: Weight
    weight_coherence: Weight


class TrainLabelEncoder(TrainSketchEncoder):
    """The label encoder's training stage (A5)."""


class TrainTextEncoder(Training):
    """The text encoder training stage (A2)."""

    backbone: str
    hidden_dim: Count
    captions_per_image: Count
    num_steps: Count
    batch_size: Count
    learning_rate: Positive
    relevance_share: Share


class TrainGuide(Training):
    """The stage that trains the tagger which steering follows."""

    init: str | None
    base_channels: Count
    num_steps: Count
    batch_size: Count
    learning_rate: Positive
    input_px: Count | None


class TrainLatentTagger(Training):
    """The stage that learns to read attributes off codes."""

    num_pairs: Count
    pairs_batch_size: Count
    hidden_dim: Count
    num_members: Count
    num_steps: Count
    batch_size: Count
    learning_rate: Positive


class TrainTextMapper(Training, Steered):
    """The stage of the network that turns sentences into wishes, and wishes into shifts of codes."""

    reader: str | None
    backbone: str
    num_backbone_layers: Count
    reader_dim: Count
    threshold: Share
    num_sentences: Count
    num_reader_steps: CountOrZero
    reader_batch_size: Count
    reader_learning_rate: Positive
    mover_dim: Count
    num_mover_steps: CountOrZero
    mover_batch_size: Count
    mover_learning_rate: Positive


class TrainReferee(Training):
    """The stage that trains the independent judge of attributes and identity."""

    num_views: Count
    hidden_dim: Count
    num_steps: Count
    batch_size: Count
    learning_rate: Positive
    embedding_dim: Count
    weight_identity: Weight


RivalMethod = Literal["attngan", "controlgan", "dmgan", "dfgan", "manigan"]


class TrainRivals(Training):
    """The stage that trains rivals for a comparison, and what `tedigan compare` trains by."""

    methods: list[RivalMethod]
    encoder_steps: Count
    encoder_batch: Count
    steps: Count
    batch_size: Count

    @field_validator("methods")
    @classmethod
    def _names_each_once(cls, methods: list[RivalMethod]) -> list[RivalMethod]:
        if len({*methods}) < len(methods):
            raise ValueError("expected each method once")
        return methods
