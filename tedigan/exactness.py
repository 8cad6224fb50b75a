"""What says that two tensors are the same to the bit, and what their last bits may depend on."""

import hashlib
import platform
from importlib.metadata import version

import torch
from torch import Tensor


def sha256_tensor(tensor: Tensor) -> str:
    """Of shape, dtype and values."""
    digest = hashlib.sha256(f"{tensor.dtype} {list(tensor.shape)} ".encode())
    digest.update(tensor.contiguous().cpu().numpy().tobytes())
    return digest.hexdigest()


def environment() -> dict[str, str]:
    """What a float's last bits may depend on beside what is computed and the number of threads."""
    return {
        "torch": version("torch"),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "machine": platform.machine(),
        "cuda": torch.cuda.get_device_name() if torch.cuda.is_available() else "",
    }
