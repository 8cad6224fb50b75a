"""ONNX files written by hand, so that the tests need no exporter."""

from pathlib import Path

import torch


def varint(value: int) -> bytes:
    high, low = divmod(value, 128)
    return bytes([low | 128]) + varint(high) if high else bytes([low])


def message(*fields: tuple[int, int | bytes]) -> bytes:
    """A protobuf message of numbers and of bytes."""
    return b"".join(
        varint(number << 3) + varint(value)
        if isinstance(value, int)
        else varint(number << 3 | 2) + varint(len(value)) + value
        for number, value in fields
    )


def picture(name: bytes, channels: int, side: int) -> bytes:
    """A ValueInfoProto: float32 [1, channels, side, side]; side 0 = any."""
    sizes = [
        message((1, size)) if size else message((2, b"any")) for size in (1, channels, side, side)
    ]
    shape = message(*((1, size) for size in sizes))
    return message((1, name), (2, message((1, message((1, 1), (2, shape))))))


def onnx_file(path: Path, weights: list[float], *, side: int = 0, bias: float = 0.0) -> Path:
    """A 1 x 1 convolution from as many planes as there are weights to one."""

    def tensor(name: bytes, values: list[float], *dims: int) -> bytes:
        raw = torch.tensor(values).numpy().tobytes()
        return message(*((1, size) for size in dims), (2, 1), (8, name), (9, raw))

    node = message((1, b"x"), (1, b"w"), (1, b"b"), (2, b"y"), (4, b"Conv"))
    graph = message(
        (1, node),
        (2, b"one convolution"),
        (5, tensor(b"w", weights, 1, len(weights), 1, 1)),
        (5, tensor(b"b", [bias], 1)),
        (11, picture(b"x", len(weights), side)),
        (12, picture(b"y", 1, side)),
    )
    path.write_bytes(message((1, 8), (7, graph), (8, message((1, b""), (2, 13)))))
    return path
