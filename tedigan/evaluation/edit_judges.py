"""The judges of edits, made ready: what else goes with an attribute, and what the generator draws at all."""

from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from tedigan.annotators.parser import load_parser
from tedigan.annotators.referee import load_referee
from tedigan.dataset.folder import Dataset
from tedigan.evaluation.contestants import choose_test_photographs
from tedigan.evaluation.edit_faces import EditNetworks
from tedigan.evaluation.edits import EditJudges, label_correlations
from tedigan.evaluation.same_person import Descriptor, open_same_person
from tedigan.progress import progress
from tedigan.store.model_folders import read_config
from tedigan.tensors import to_images, to_pixels


def gather_judges(
    data: Dataset,
    networks: EditNetworks,
    random_ws: Float[Tensor, "n num_ws w_dim"],
    referee: Path,
    *,
    descriptor: Descriptor | None,
    parser: Path | None,
    batch_size: int,
    seed: int,
) -> EditJudges:
    """Open the folders of the referee and the parser; let the former look at random faces and at photographs.

    random_ws: unconditional codes, at the psi that text fidelity is measured at.
    """
    judge, people = load_referee(referee, random_ws.device), read_config(referee)["identity"]
    columns = [data.attribute_names.index(name) for name in judge.names]
    ids = choose_test_photographs(data, len(random_ws), seed=seed)
    parts = progress(
        random_ws.split(batch_size), desc="evaluate_edits: faces without a text", unit="batch"
    )
    with torch.no_grad():
        found = [
            judge.find(to_images(to_pixels(networks.draw(one).float()).cpu())) for one in parts
        ]
    seen = [
        judge.find(to_images(data.pixels(ids[i : i + batch_size])))
        for i in range(0, len(ids), batch_size)
    ]
    return EditJudges(
        judge,
        open_same_person(descriptor, judge, people),
        label_correlations(data.attributes(data.split("train"))[:, columns]),
        torch.cat(found).float().mean(dim=0),
        torch.cat(seen).float().mean(dim=0),
        None if parser is None else load_parser(str(parser), random_ws.device),
        seed,
    )
