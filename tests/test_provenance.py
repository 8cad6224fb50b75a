"""The run record names what float bits depend on."""

import torch

from tedigan.provenance import surroundings


def test_the_record_names_threads_processor_and_packages():
    before = torch.get_num_threads()
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            around = surroundings()
            assert around["num_threads"] == count
    finally:
        torch.set_num_threads(before)
    assert around["cpu_capability"] == torch.backends.cpu.get_cpu_capability()
    assert around["packages"]["torch"] == torch.__version__
