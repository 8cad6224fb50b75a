"""Torch files that want to run something: they are refused, and nothing runs."""

import os
import pickle
import struct
from pathlib import Path
from typing import Any

import pytest

from tests.foreign.nvidia_snapshot import call
from tests.foreign.torch_containers import (
    CONTAINERS,
    called,
    checkpoint,
    numbers,
    storage_id,
    tensor,
    text,
)
from tests.foreign.watched_reader import read_all

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.xdist_group("hostile torch files")


MARKER = "it-ran"
COMMAND = f"touch {MARKER}"
CODE = f"open({MARKER!r}, 'w')"
NESTED = (
    b"B"
    + struct.pack("<I", 40)
    + b"\x80\x02cos\nsystem\nX\x0c\x00\x00\x00touch it-ran\x85R.".ljust(40)
)


def _gadget(name: str, *args: str | bytes) -> bytes:
    """Return a checkpoint in which a name is called with texts, or with opcodes."""
    opcodes = [text(arg) if isinstance(arg, str) else arg for arg in args]
    return checkpoint(state_dict=called(name, *opcodes))


GADGETS = {
    f"{name} of {len(args)}": _gadget(name, *args)
    for name, *args in [
        ("os.system", COMMAND),
        ("posix.system", COMMAND),
        ("nt.system", COMMAND),
        ("subprocess.Popen", COMMAND),
        ("subprocess.check_output", COMMAND),
        ("pty.spawn", COMMAND),
        ("builtins.eval", CODE),
        ("builtins.exec", CODE),
        ("__builtin__.eval", CODE),
        ("__builtin__.execfile", MARKER),
        ("builtins.compile", CODE, "a", "exec"),
        ("builtins.__import__", "antigravity"),
        ("builtins.open", MARKER, "w"),
        ("builtins.getattr", b"cos\nsystem\n", "__call__"),
        ("builtins.type", "A", b")", b"}"),
        ("io.open", MARKER, "w"),
        ("importlib.import_module", "antigravity"),
        ("runpy._run_code", CODE, b"}"),
        ("runpy.run_path", MARKER),
        ("pydoc.locate", "os.system"),
        ("pydoc.pipepager", "text", COMMAND),
        ("timeit.timeit", CODE),
        ("code.InteractiveInterpreter", b"}"),
        ("cProfile.run", CODE),
        ("operator.attrgetter", "system"),
        ("operator.methodcaller", "system", COMMAND),
        ("functools.partial", b"cos\nsystem\n", COMMAND),
        ("functools.reduce", b"cos\nsystem\n", b"]"),
        ("itertools.starmap", b"cos\nsystem\n", b"]"),
        ("types.FunctionType", NESTED, b"}"),
        ("types.CodeType", b"K\x00"),
        ("marshal.loads", NESTED),
        ("pickle.loads", NESTED),
        ("_pickle.loads", NESTED),
        ("copyreg._reconstructor", b"cos\n_wrap_close\n", b"c__builtin__\nobject\n", b"N"),
        ("copyreg.__newobj__", b"cos\n_wrap_close\n"),
        ("ctypes.CDLL", "libc.so.6"),
        ("shutil.rmtree", MARKER),
        ("webbrowser.open", "file:///"),
        ("socket.create_connection", numbers((1, 2))),
        ("logging.config.fileConfig", MARKER),
        ("numpy.testing._private.utils.runstring", CODE, b"}"),
        ("numpy.load", MARKER),
        ("numpy.f2py.crackfortran.getlincoef", CODE, b"}"),
        ("torch.load", MARKER),
        ("torch.serialization.load", MARKER),
        ("torch.storage._load_from_bytes", NESTED),
        ("torch.hub.load", "a/b", "c"),
        ("torch.jit.load", MARKER),
        ("torch.jit.unsupported_tensor_ops.execWrapper", CODE, b"}", b"}"),
        ("torch.utils.collect_env.run", COMMAND),
        ("torch.ops.load_library", MARKER),
        ("torch.utils.cpp_extension.load", MARKER),
        ("torch._utils._rebuild_from_type_v2", b"cos\nsystem\n", b"N", b")", b"}"),
        ("torch._utils._import_dotted_name", "os.system"),
        ("torch.nn.modules.container.Sequential",),
        ("torch.package.PackageImporter", MARKER),
        ("torch.FloatStorage", "7"),
        ("builtins.list", b"]"),
        ("tedigan.foreign.pickles.mapped_file.mapped", MARKER),
        ("tedigan.foreign.pickles.torch_names.TorchNames", "x"),
    ]
}
OPCODES = {
    "a pickle made by Python": pickle.dumps(call(os.system, COMMAND), 2),
    "INST": b"\x80\x02(X\x0c\x00\x00\x00touch it-ranios\nsystem\n.",
    "OBJ": b"\x80\x02(cos\nsystem\nX\x0c\x00\x00\x00touch it-rano.",
    "NEWOBJ": b"\x80\x02cos\n_wrap_close\n)\x81.",
    "NEWOBJ_EX": b"\x80\x04cargparse\nNamespace\n)}\x92.",
    "EXT1": b"\x80\x02\x82\x01.",
    "protocol 0": b"cos\nsystem\n(S'touch it-ran'\ntR.",
    "getattr through dots": b"\x80\x04\x8c\x0bcollections\x8c\x10OrderedDict.keys\x93.",
    "a call of a text": b"\x80\x02X\x01\x00\x00\x00a)R.",
    "a call of what a call gave": checkpoint(x=called("argparse.Namespace") + b")R"),
    "BUILD on a name": b"\x80\x02cargparse\nNamespace\n}b.",
    "BUILD on a plain dict": b"\x80\x02}}b.",
    "BUILD on a tensor": checkpoint(
        x=tensor(storage_id("0", 0), 0, (0,), (1,)) + b"}X\x01\x00\x00\x00aK\x01sb"
    ),
    "BUILD with slots": checkpoint(x=called("argparse.Namespace") + b"N}\x86b"),
    "a persistent id of a class": checkpoint(x=b"(X\x06\x00\x00\x00modulecos\nsystem\nNNtQ"),
    "a persistent id of one number": b"\x80\x02K\x01Q.",
    "a storage of another kind": checkpoint(x=storage_id("0", 0, kind="argparse.Namespace")),
    "a namespace made from arguments": checkpoint(x=called("argparse.Namespace", text("a"))),
    "a parameter of a text": checkpoint(
        x=called("torch._utils._rebuild_parameter", text("a"), b"\x89", b"N")
    ),
}
HOSTILE = GADGETS | OPCODES


def _in_both(pickles: dict[str, bytes]) -> dict[str, bytes]:
    return {
        f"{kind}: {name}": container(content)
        for name, content in pickles.items()
        for kind, container in CONTAINERS.items()
    }


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return read_all(tmp_path_factory.mktemp("hostile"), _in_both(HOSTILE))


@pytest.mark.parametrize("name", _in_both(HOSTILE))
def test_hostile_files_run_nothing(hostile: dict[str, Any], name: str) -> None:
    outcome, seconds, seen = hostile["outcomes"][name]
    assert outcome.startswith("refused")
    assert "Nothing from it was run" in outcome
    assert seen == []
    assert seconds < 1
    assert not (ROOT / MARKER).exists()


def test_the_watch_sees_what_these_files_would_run(tmp_path: Path) -> None:
    """Python's own reader runs them; without this, the tests above would prove nothing."""
    folder, marker = tmp_path / "files", tmp_path / MARKER
    folder.mkdir()
    files = {
        "system": _gadget("os.system", f"touch {marker}"),
        "exec": _gadget("builtins.exec", "import antigravity_that_is_not_there"),
        "Popen": _gadget("subprocess.Popen", "/bin/true"),
    }
    outcomes = read_all(folder, files, "--unpickle")["outcomes"]
    assert marker.exists()
    assert "os.system" in outcomes["system"][2]
    assert {"compile", "exec", "import"} <= set(outcomes["exec"][2])
    assert "subprocess.Popen" in outcomes["Popen"][2]


def test_attributes_with_special_names_are_only_items(tmp_path: Path) -> None:
    state = b"}(" + text("__class__") + text("x") + text("__setstate__") + text("y") + b"u"
    content = checkpoint(args=called("argparse.Namespace") + state + b"b")
    outcomes = read_all(tmp_path, _in_both({"dunder": content}))["outcomes"]
    assert all(outcome == ["read", outcome[1], []] for outcome in outcomes.values())
