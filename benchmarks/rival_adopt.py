"""What `benchmarks.rivals` brought back -> a model folder a rival, for `tedigan compare draw --rival`."""

import functools
import json
import zipfile
from pathlib import Path

from safetensors import safe_open

from benchmarks.rival_worker import ENCODERS, load_encoders
from tedigan.rivals.methods import METHODS
from tedigan.rivals.rival_folder import save_rival
from tedigan.store.files import sha256_file, write_bytes

LOGS = "logs.zip"


def adopt(out: Path, folder: Path, licence: str) -> list[Path]:
    """The folders; weights stay in half precision, as they came. A rival of other encoders is a ValueError."""
    encoders = load_encoders(out / ENCODERS)
    digest = sha256_file(out / ENCODERS)
    made = []
    for method in METHODS:
        path = out / f"{method}.safetensors"
        if not path.exists():
            continue
        with safe_open(path, "pt") as file:
            about = json.loads(file.metadata()["config"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}
        if about["encoders_sha256"] != digest:
            raise ValueError(f"{path} was trained with other encoders than {out / ENCODERS}")
        rival = METHODS[method].from_json(about.pop("numbers"), encoders.regions)
        rival.G_ema.load_state_dict({name: value.float() for name, value in tensors.items()})
        for network in (rival.G_ema, encoders.words, encoders.regions):
            network.half()
        log = functools.partial(_copy_log, out / LOGS, method)
        save_rival(folder / method, rival, encoders, about, licence, log=log)
        made.append(folder / method)
    return made


def _copy_log(archive: Path, method: str, path: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        write_bytes(path, opened.read(f"{method}.csv"))
