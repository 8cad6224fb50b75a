"""What a user can cause to go wrong, as one tree.

    TediganError
    ├── ParamsError            params.yaml or a command-line value
    ├── CodeLockError          code.lock does not speak of the code that runs
    ├── MissingExtraError      a package that is installed only where it is asked for
    ├── WeightsError           a model file: missing, damaged, of another kind
    │   └── KeysError          its tensor names are not the expected ones
    ├── ShapeError             tensors that do not fit each other
    ├── DataError              a data set or a record of it
    │   ├── ImageError         a picture
    │   ├── CaptionError       a caption or a caption file
    │   ├── AttributeFileError the attribute table
    │   └── LabelError         a 19-class label map
    ├── NumbersError           a training that diverged, a metric that is no number
    ├── LostRankError          another process of a training is gone; it may pass
    └── StoreError             a bucket or a disk that does not answer as it should
        └── ObjectError        one object that cannot be had

Each message has four parts: what was wrong, what came, what was expected, what to do.
Our own bugs are `assert` statements, not members of this tree. What the operating system refuses becomes a
StoreError where it is met, or at the command line and around each stage at the latest.
"""

import errno

# What gives the same answer when it is tried again: somebody must mend the name, the rights or the space first.
_LASTING = frozenset(
    getattr(errno, name)
    for name in (
        "ENOENT EACCES EPERM EISDIR ENOTDIR ELOOP ENAMETOOLONG EROFS EEXIST ENOTEMPTY EXDEV EINVAL ENOSPC "
        "EDQUOT EFBIG ENODEV ENXIO ENOEXEC ENOTSUP EILSEQ EMLINK EPIPE"
    ).split()
)


def passes(error: OSError) -> bool:
    """Whether it may pass by itself, as a network disk that does not answer does, and a full disk does not.

    What has no number is no disk's: a picture that is none, such as Pillow's.
    """
    is_network = isinstance(error, ConnectionError | TimeoutError)
    return is_network or error.errno not in {*_LASTING, None}


class TediganError(Exception):
    """Anything that a user can cause and mend; the command line prints it without a traceback."""


class ParamsError(TediganError):
    """params.yaml (or a value given instead of it) is not usable."""


class CodeLockError(TediganError):
    """code.lock does not speak of the code that runs."""


class MissingExtraError(TediganError):
    """A package of one of the extras is not installed."""


class WeightsError(TediganError):
    """A model file is missing, damaged, or not what its name says."""


class KeysError(WeightsError):
    """A model file's tensor names or shapes are not the expected ones."""


class ShapeError(TediganError):
    """Tensors that do not fit each other or the network."""


class DataError(TediganError):
    """A data set, or one record of it, is not usable.

    problem: a word or two under which records that were set aside are counted.
    """

    problem = "record"

    def __init__(self, message: str, *, problem: str | None = None) -> None:
        super().__init__(message)
        self.problem = problem or self.problem


class ImageError(DataError):
    """A picture cannot be read or is of a refused kind."""

    problem = "picture"


class CaptionError(DataError):
    """A caption or a caption file is not usable."""

    problem = "captions"


class AttributeFileError(DataError):
    """The attribute table is not usable."""

    problem = "attributes"


class LabelError(DataError):
    """A label map is not usable."""

    problem = "label map"


class NumbersError(TediganError):
    """A training or a measurement gave NaN or infinity, which is no result."""


class LostRankError(TediganError):
    """One of the processes that train a network together is gone; its checkpoint is kept, and it can go on."""


class StoreError(TediganError):
    """A bucket or a disk does not answer as it should.

    may_pass: whether it may pass by itself, as a network that is down does; it travels with the error from a
    worker.
    """

    may_pass = False


class ObjectError(StoreError):
    """One object is absent or cannot be read; the bucket or disk around it answers."""
