"""TediGAN: text, photographs, sketches and label maps in StyleGAN's W+ space, as a batch platform."""

import os

# Weights come from given paths or installed packages, never from a hub at run time.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

__version__ = "0.1.0"

from tedigan import allocator, torchvision_cure

torchvision_cure.install()
allocator.keep_large_blocks()
