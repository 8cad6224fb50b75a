"""Merkle trees: RFC 6962's roots, and proofs that hold for what they were made for alone."""

import hashlib

import pytest

from tedigan.bulk.merkle import leaf_hash, node_hash, proof_of, root_from, root_of

# Certificate Transparency's own test entries and roots (google/certificate-transparency, merkle_tree_test).
ENTRIES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657"]
ENTRIES.append("606162636465666768696a6b6c6d6e6f")
ROOTS = {
    0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    5: "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


def leaves(count: int) -> list[bytes]:
    return [leaf_hash(bytes.fromhex(entry)) for entry in ENTRIES[:count]]


@pytest.mark.parametrize("count", ROOTS)
def test_roots_are_those_of_certificate_transparency(count: int) -> None:
    assert root_of(leaves(count)).hex() == ROOTS[count]


def test_the_root_is_the_recursive_one_of_the_rfc_for_every_size() -> None:
    def recursive(part: list[bytes]) -> bytes:
        if len(part) == 1:
            return part[0]
        split = 1
        while split * 2 < len(part):
            split *= 2
        return node_hash(recursive(part[:split]), recursive(part[split:]))

    many = [leaf_hash(bytes([i])) for i in range(40)]
    for size in range(1, 41):
        assert root_of(many[:size]) == recursive(many[:size])


def test_every_leaf_of_every_size_has_a_proof_that_gives_the_root() -> None:
    many = [leaf_hash(bytes([i])) for i in range(20)]
    for size in range(1, 21):
        for index in range(size):
            path = proof_of(many[:size], index)
            assert root_from(many[index], index, size, path) == root_of(many[:size])


def test_a_proof_fails_for_another_leaf_place_size_or_path() -> None:
    many = [leaf_hash(bytes([i])) for i in range(11)]
    path, root = proof_of(many, 6), root_of(many)
    assert root_from(many[5], 6, 11, path) != root
    assert root_from(many[6], 7, 11, path) != root
    assert root_from(many[6], 6, 7, path) != root
    assert root_from(many[6], 6, 11, path[:-1]) is None
    assert root_from(many[6], 6, 11, [*path, path[0]]) is None
    assert root_from(many[6], 11, 11, path) is None
    changed = [hashlib.sha256(path[0]).digest(), *path[1:]]
    assert root_from(many[6], 6, 11, changed) != root


def test_a_leaf_there_is_not_has_no_proof() -> None:
    with pytest.raises(IndexError, match="leaf 3 of 3"):
        proof_of(leaves(3), 3)
