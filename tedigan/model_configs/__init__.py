"""What the JSON of a model folder may say: one schema, with a range for every number that makes a network.

`check_config` is asked wherever a config.json is read, translated from a foreign file, or written, before anything
is built from it; `check_layers` of a layer table.
"""

from collections.abc import Mapping

from pydantic import ValidationError

from tedigan.errors import WeightsError
from tedigan.model_configs.fields import ADVICE, first_problem, shown
from tedigan.model_configs.layer_tables import LayersOfAttributes
from tedigan.model_configs.networks import SCHEMAS, Adopted

ARCHITECTURES = tuple(SCHEMAS)
OFFICIAL = ("idinvert_encoder", "psp_encoder", "e4e_encoder")


def check_config(config: object, place: str) -> None:
    """Refuse a config.json that no network can be built from. place: where it stands, for the error.

    Raises WeightsError, which names the first key that is wrong, what it is and what was expected.
    """
    if not isinstance(config, Mapping):
        raise WeightsError(f"{place} holds {shown(config)}, expected a model's numbers. {ADVICE}")
    schema = SCHEMAS[kind_of(config.get("architecture"), place)]
    try:
        schema.model_validate(config)
    except ValidationError as error:
        raise WeightsError(f"{place}: {first_problem(error)}. {ADVICE}") from None
    if schema is Adopted:
        network = config["network"]
        if kind_of(network.get("architecture"), f"{place}: network") not in OFFICIAL:
            raise WeightsError(
                f"{place}: network.architecture is {shown(network['architecture'])}, expected one of "
                f"{', '.join(OFFICIAL)}. {ADVICE}"
            )
        check_config(network, f"{place}: network")


def kind_of(architecture: object, place: str) -> str:
    """The known architecture that a text names, if need be with words behind it."""
    if isinstance(architecture, str):
        for known in ARCHITECTURES:
            if architecture[:40].lower().startswith(known):
                return known
    raise WeightsError(
        f"{place}: the model's architecture is {shown(architecture)}, expected one of "
        f"{', '.join(ARCHITECTURES)}. {ADVICE}"
    )


def check_layers(table: object, place: str) -> None:
    """Refuse a layers.json that is no table of a generator's layers. place: where it stands, for the error.

    Raises WeightsError, which names the first key that is wrong.
    """
    if not isinstance(table, Mapping):
        raise WeightsError(
            f"{place} holds {shown(table)}, expected a table of layers. Run the stage analyse_layers again."
        )
    try:
        LayersOfAttributes.model_validate(table)
    except ValidationError as error:
        raise WeightsError(
            f"{place}: {first_problem(error)}. Run the stage analyse_layers again."
        ) from None
