"""A ready-made generator -> models/generator, in the place of a training."""

from pathlib import Path

import torch

from tedigan.generator.stylegan import Generator
from tedigan.models.cards import generator_card
from tedigan.models.imports import read_generator
from tedigan.store import pictures
from tedigan.store.files import finished_folder
from tedigan.store.model_folders import save_model
from tedigan.tensors import sample_z, to_pixels

SHEET_FACES, SHEET_COLUMNS, SHEET_PSI = 32, 8, 0.7
SHEET_BATCH, LARGE_PX = 4, 512  # images at once; from there on one, which fits a small memory


def adopt_generator(init: Path, folder: Path, *, sheet_faces: int = SHEET_FACES) -> int:
    """Write the networks that init has, its history and a sheet of samples; the images that they had seen."""
    found = read_generator(init)
    config = found.config | {"training": found.history | {"adopted": True}}
    generator = found.networks["G_ema"]
    assert isinstance(generator, Generator), "the table of kinds names it so"
    with finished_folder(folder) as fresh:
        save_sheet(fresh / "samples.png", generator, sheet_faces)
        save_model(fresh, found.networks, config, generator_card(config, found.networks))
    return int(found.history.get("images_seen", 0))


@torch.no_grad()
def save_sheet(path: Path, generator: Generator, faces: int = SHEET_FACES) -> None:
    """A sheet of faces, the same z for every generator."""
    z = sample_z(0, list(range(faces)), generator.config.z_dim)
    z = z.to(generator.mapping.w_avg.device)
    batch = SHEET_BATCH if generator.config.img_resolution < LARGE_PX else 1
    drawn = [to_pixels(generator(few, truncation_psi=SHEET_PSI)).cpu() for few in z.split(batch)]
    pictures.save(path, pictures.grid(torch.cat(drawn), min(SHEET_COLUMNS, faces)))
