"""Import of NVIDIA's StyleGAN2 pickles, of both releases, without running anything from them.

`read_nvidia_pickle` gives the networks of a file as constructor arguments and tensors under
NVIDIA's own names; `network_config` turns a generator's arguments into our generator's settings.
"""

from tedigan.foreign.nvidia.pickled_networks import NvidiaNetwork, read_nvidia_pickle
from tedigan.foreign.nvidia.settings import network_config

__all__ = ["NvidiaNetwork", "network_config", "read_nvidia_pickle"]
