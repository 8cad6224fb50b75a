"""The layer table on disk: what was measured comes back, and another generator's is refused."""

from pathlib import Path

import pytest
import torch

from tedigan.errors import WeightsError
from tedigan.method.layer_analysis import LayerTable
from tedigan.models.layers import load_layers, save_layers

LOW = torch.tensor([[0.5, 0.0, 0.2], [0.0, 0.0, 0.0]])
TABLE = LayerTable(("Bangs", "Wearing_Hat"), LOW + 0.1, LOW, LOW + 0.2, LOW / 2)


def test_control_gets_the_layers_that_act_in_the_order_it_asks(tmp_path: Path) -> None:
    save_layers(tmp_path / "layers", TABLE, num_faces=8)
    layers = load_layers(tmp_path / "layers", ("Wearing_Hat", "Bangs"), 3)
    assert layers.tolist() == [[True, True, True], [True, False, True]]


def test_the_table_and_the_card_say_what_is_not_drawn(tmp_path: Path) -> None:
    save_layers(tmp_path / "layers", TABLE, num_faces=8)
    rows = (tmp_path / "layers/layers.csv").read_text().splitlines()
    assert rows[0] == "attribute,layer,px,gain,gain_low,gain_high,leak,acts"
    assert rows[3].startswith("Bangs,2,8,0.3,0.2,0.4,0.1,true")
    assert "| Wearing_Hat | none |" in (tmp_path / "layers/README.md").read_text()


@pytest.mark.parametrize(("names", "num_ws"), [(("Bangs", "Young"), 3), (("Bangs",), 14)])
def test_a_table_of_other_models_is_refused(
    tmp_path: Path, names: tuple[str, ...], num_ws: int
) -> None:
    save_layers(tmp_path / "layers", TABLE, num_faces=8)
    with pytest.raises(WeightsError, match="Run the stage analyse_layers again"):
        load_layers(tmp_path / "layers", names, num_ws)
