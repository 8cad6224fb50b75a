"""Promotions are signed, numbered without a gap, and one at a time; the last one names the champion."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from tedigan.errors import DataError, ParamsError, StoreError
from tedigan.releases.promotions import Named, Promotions
from tedigan.store.objects import MemoryBucket
from tedigan.store.signing import make_key, sign, signed_statement

A, B, C = (Named(number, str(number) * 64) for number in (1, 2, 3))


@pytest.fixture
def key(tmp_path: Path) -> Path:
    make_key(tmp_path / "key")
    return tmp_path / "key"


def add(promotions: Promotions, key: Path, champion: Named, **changes: Any):
    facts = {"after": promotions.last(), "by": "a person", "decision": None, "key": key}
    return promotions.add("promote", champion, **(facts | changes))


def test_the_last_promotion_names_the_champion(key: Path) -> None:
    promotions = Promotions(MemoryBucket(), [key.with_suffix(".pub")])
    assert promotions.last() is None
    for champion in (A, B, A):
        add(promotions, key, champion)
    assert [(one.number, one.before) for one in promotions.all()] == [(1, None), (2, A), (3, B)]
    assert promotions.last().champion == A


def test_of_many_who_promote_at_once_one_is_heard(key: Path) -> None:
    promotions = Promotions(MemoryBucket())
    first, heard, told = add(promotions, key, A), [], []

    def promote(number: int) -> None:
        try:
            heard.append(add(promotions, key, Named(number, f"{number:064}"), after=first))
        except StoreError as error:
            told.append(str(error))

    threads = [threading.Thread(target=promote, args=(number,)) for number in range(2, 10)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert (len(heard), len(told)) == (1, 7)
    assert "decide again" in told[0]
    assert promotions.all() == [first, heard[0]]


def test_a_record_that_was_changed_is_refused(key: Path) -> None:
    bucket = MemoryBucket()
    promotions = Promotions(bucket, [key.with_suffix(".pub")])
    add(promotions, key, A)
    (name,) = bucket.names("promotions/")
    envelope = json.loads(bucket.read(name))
    forged = sign({"x": "0" * 64}, "urn:tedigan:promotion:v1", {}, key)
    bucket.write(name, json.dumps(envelope | {"payload": json.loads(forged)["payload"]}).encode())
    with pytest.raises(DataError, match="changed, or signed by none"):
        promotions.last()


def test_a_stranger_s_signature_is_refused_before_anything_is_written(key: Path, tmp_path) -> None:
    make_key(tmp_path / "stranger")
    bucket = MemoryBucket()
    promotions = Promotions(bucket, [key.with_suffix(".pub")])
    with pytest.raises(DataError, match="signed by none"):
        add(promotions, tmp_path / "stranger", A)
    assert list(bucket.names()) == []
    add(Promotions(bucket), tmp_path / "stranger", A)
    with pytest.raises(DataError, match="signed by none"):
        promotions.last()


def test_a_record_that_was_deleted_is_missed(key: Path) -> None:
    bucket = MemoryBucket()
    promotions = Promotions(bucket)
    for champion in (A, B, C):
        add(promotions, key, champion)
    bucket.delete("promotions/000002.json")
    with pytest.raises(DataError, match="without a gap"):
        promotions.last()


def test_a_record_in_another_s_place_is_noticed(key: Path) -> None:
    bucket = MemoryBucket()
    promotions = Promotions(bucket)
    for champion in (A, B):
        add(promotions, key, champion)
    bucket.write("promotions/000002.json", bucket.read("promotions/000001.json"))
    with pytest.raises(DataError, match="another promotion"):
        promotions.last()


def test_a_statement_is_as_in_toto_and_dsse_have_it(key: Path) -> None:
    content = sign({"name": "a" * 64}, "urn:x", {"is": "so"}, key)
    assert json.loads(content)["payloadType"] == "application/vnd.in-toto+json"
    assert signed_statement(content, [key.with_suffix(".pub")], source="it") == {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "name", "digest": {"sha256": "a" * 64}}],
        "predicateType": "urn:x",
        "predicate": {"is": "so"},
    }


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"payload": "!"}'])
def test_what_is_no_envelope_is_said_to_be_none(content: bytes) -> None:
    with pytest.raises(DataError, match="no signed statement"):
        signed_statement(content, [], source="it")


def test_a_key_is_its_owner_s_and_never_written_over(key: Path, tmp_path: Path) -> None:
    assert key.stat().st_mode & 0o077 == 0
    for name in (key, tmp_path / "a.pub"):
        with pytest.raises(ParamsError, match="never written"):
            make_key(name)
    with pytest.raises(StoreError, match="cannot be written"):
        make_key(Path("/dev/null/key"))
    (tmp_path / "none.pem").write_text("no key")
    for bad in (tmp_path / "none.pem", tmp_path / "absent", key.with_suffix(".pub")):
        with pytest.raises(ParamsError, match="no private key"):
            sign({}, "urn:x", {}, bad)
