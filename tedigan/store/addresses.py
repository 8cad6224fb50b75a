"""What a user names: a folder, a file or an s3:// prefix, opened as a bucket or as shelves to read from."""

from collections.abc import Collection
from pathlib import Path

from tedigan.store.objects import Bucket, FolderBucket
from tedigan.store.shelves import BucketShelf, FolderShelf, Shelf, TarShelf

TAR = ".tar"


def open_bucket(address: str) -> Bucket:
    """The bucket of a folder, which need not be there yet, or of an s3:// prefix."""
    if not address.startswith("s3://"):
        return FolderBucket(Path(address))
    from tedigan.store.s3 import S3Bucket  # with boto3, which a folder does without

    return S3Bucket(address)


def open_shelves(
    address: str, *, cache: Path, alone: Collection[str], keeps: bool = True
) -> list[Shelf]:
    """The shelf of a folder or prefix and of each .tar in it, of one .tar, or of one file.

    cache: where what lies elsewhere is kept. alone: suffixes of files that are read by themselves; another
    single file is taken for a tar. keeps: whether objects that are no tars are kept in the cache too.
    """
    folder, _, name = address.rpartition("/")
    is_remote = address.startswith("s3://")
    if Path(address).is_file() or (is_remote and name.lower().endswith(TAR)):
        bucket = open_bucket(folder)
        if Path(name).suffix.lower() in alone:
            return [BucketShelf(bucket, cache=cache if keeps else None, names=[name])]
        return [TarShelf(bucket.fetch(name, cache))]
    shelf: Shelf = FolderShelf(Path(address))
    if is_remote:
        shelf = BucketShelf(open_bucket(address), cache=cache if keeps else None)
    tars = [name for name in shelf.names() if name.lower().endswith(TAR)]
    return [shelf, *(TarShelf(shelf.file_of(name, cache)) for name in tars)]
