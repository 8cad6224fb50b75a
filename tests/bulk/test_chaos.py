"""The short form of `python -m benchmarks.bulk_chaos`: all that may befall a job, on a real S3 server."""

from pathlib import Path
from random import Random

import pytest

from benchmarks.chaos.torment import Plague, Server, quiet_root, torment
from tedigan.store.s3 import client
from tests.bulk.test_job_failures import set_environment


def test_deaths_a_restart_of_s3_two_at_once_and_a_wrong_clock_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plague = Plague(
        kills=2,
        restarts=1,
        shards=16,
        shard_s=0.2,
        stranger_s=0.4,
        life_s=0.5,
        early=0.0,
        down_s=1.0,
        within_s=200,
    )
    server = Server(tmp_path / "s3")
    set_environment(monkeypatch, server.start())
    client().create_bucket(Bucket="faces")
    try:
        found = torment(
            "local",
            1,
            plague,
            place="s3://faces",
            server=server,
            root=quiet_root(tmp_path / "quiet", plague.shards),
            folder=tmp_path,
            environment={},
            dice=Random(0),
        )
    finally:
        server.stop()
    assert found.faults == []
    assert found.is_enough(plague)
    assert found.drawn >= found.shards + found.in_vain
