"""The sample of mutants, and how it is counted."""

from benchmarks.mutants import sample, share_fixtures, summary

NAMES = [f"tedigan.method.control.x_mix__mutmut_{i}" for i in range(50)]


def test_a_sample_depends_on_the_names_alone_and_a_larger_one_holds_it() -> None:
    few = sample(NAMES, 10)
    assert sample(NAMES[::-1], 10) == few
    assert sample(NAMES, 20)[:10] == few
    assert sample(NAMES, 100) != NAMES
    assert sorted(sample(NAMES, 100)) == sorted(NAMES)


def test_a_test_is_asked_about_what_the_others_of_its_file_run() -> None:
    stats = {
        "duration_by_test": {"a.py::one": 1, "a.py::two": 2, "b.py::one": 3},
        "tests_by_mangled_function_name": {"f": ["a.py::two"], "g": ["b.py::one"], "h": []},
    }
    share_fixtures(stats)
    expected = {"f": ["a.py::one", "a.py::two"], "g": ["b.py::one"], "h": []}
    assert stats["tests_by_mangled_function_name"] == expected


def test_what_is_noticed_is_counted_by_module_and_room() -> None:
    came = ["killed", "timeout", "caught by type check", "survived", "no tests"]
    status = dict(zip(NAMES, came, strict=False)) | {"tedigan.training.loop.x_a": "survived"}
    rows = [line.strip("| ").split(" | ") for line in summary(status).splitlines()[2:]]
    assert [row[0] for row in rows] == [
        "method/", "method/control.py", "training/", "training/loop.py", "all"
    ]  # fmt: skip
    assert rows[0][1:] == ["5", "1", "1", "1", "1", "1", "60% [23%-88%]", "50% [15%-85%]"]
    assert rows[-1][1:7] == ["6", "1", "1", "1", "2", "1"]
