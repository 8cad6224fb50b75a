"""The page of a sealed job: it counts what the tables say, and takes pictures out of few shards."""

from pathlib import Path

import pytest

from benchmarks.toy_jobs import ToyWorker
from tedigan.__main__ import main
from tedigan.bulk import job_report as job_report_file
from tedigan.bulk.job_report import job_report
from tedigan.bulk.marks import LACKING, kind_of, wishes_of
from tedigan.bulk.prompt_table import write_prompts
from tedigan.bulk.prompts import Rejected
from tedigan.bulk.replay import committed_picture
from tedigan.bulk.seal import seal
from tedigan.bulk.tally import NUM_WORST, Agreement, Tally, read_columns
from tedigan.errors import DataError, StoreError
from tedigan.report.rendering import data_uri
from tedigan.store import pictures
from tests.bulk.marked import marked_job
from tests.report.outline import Outline


@pytest.fixture
def worker(tmp_path: Path) -> ToyWorker:
    """40 images in 10 shards; 14 of them are marked."""
    worker = marked_job(tmp_path / "jobs", tmp_path, num_images=40)
    seal(worker.ledger)
    return worker


def tars(worker: ToyWorker) -> dict[int, Path]:
    """Shard -> its pictures."""
    return {
        commit.shard: Path(worker.job, "shards", f"{commit.tar.sha256}.tar")
        for commit in worker.ledger.commits()
    }


def test_a_tally_counts_what_the_tables_say(worker: ToyWorker, tmp_path: Path) -> None:
    tally = Tally(is_judged=True)
    for commit in worker.ledger.commits():
        tally.add(read_columns(worker.ledger.piece(commit.table, ".parquet", tmp_path)))
    assert (tally.num_images, tally.num_marked) == (40, 14)
    assert tally.lacking == {0: 26, 2: 14}
    assert tally.attempts == {1: 20, 2: 20}
    assert tally.reasons == {LACKING: 14}
    assert tally.agreements() == [
        Agreement("Bald", 0, 0, 40, 26, 14),
        Agreement("Male", 40, 40, 0, 0, 40),
        Agreement("Smiling", 40, 26, 0, 0, 26),
    ]
    assert [row.share for row in tally.agreements()] == [0.65, 1.0, 0.65]
    assert [row["image"] for row in tally.worst()] == [*range(0, 40, 3)]


def test_what_no_guide_looked_for_has_no_share() -> None:
    rows = [
        {"image": image, "understood": "Smiling, Wings, not Bald", "lacks": "", "seen": ["Smiling"]}
        for image in range(3)
    ]
    judged, blind = Tally(is_judged=True), Tally(is_judged=False)
    for tally in (judged, blind):
        tally.add(rows)
    shares = {row.name: row.share for row in judged.agreements()}
    assert shares == {"Smiling": 1.0, "Wings": None, "Bald": 1.0}
    assert {row.share for row in blind.agreements()} == {None}


def test_tables_of_other_columns_are_counted_too() -> None:
    tally = Tally(is_judged=True)
    tally.add([{"image": 0}, {"image": 1, "faults": ["near photograph 3 (0.1)"], "lacks": "Bald"}])
    tally.add([{"image": 2, "faults": ["near photograph 4 (0.2)", "no face found"]}])
    assert (tally.num_images, tally.num_marked) == (3, 2)
    assert tally.reasons == {LACKING: 1, "near photograph": 2, "no face found": 1}
    assert [row["image"] for row in tally.worst()] == [1, 2]


def test_of_many_marked_images_the_worst_are_kept_alone() -> None:
    tally = Tally(is_judged=True)
    for image in range(1000):
        tally.add([{"image": image, "faults": ["x"] * (image % 5)}])
    assert [row["image"] for row in tally.worst()] == [*range(4, 5 * NUM_WORST, 5)]


def test_pictures_come_out_of_few_shards(
    worker: ToyWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_report_file, "NUM_SHARDS", 2)
    monkeypatch.setattr(Tally, "worst", lambda tally: [])
    page = job_report(worker.ledger)
    commits = list(worker.ledger.commits())
    chosen = job_report_file._chosen(commits, worker.ledger.plan.seed)
    assert len(chosen) == 2
    for shard, path in tars(worker).items():
        if shard not in chosen:
            path.unlink()
    assert job_report(worker.ledger) == page
    assert Outline.of(page).tags.count("img") == 8


def test_each_face_stands_above_its_own_number_and_prompt(worker: ToyWorker) -> None:
    outline = Outline.of(job_report(worker.ledger))
    prompts = outline.attributes("img", "alt")
    assert len(prompts) == 8 * 4 + 14
    for prompt, source in zip(prompts, outline.attributes("img", "src"), strict=True):
        image = int(prompt.removeprefix("Face ").removesuffix(".")) - 1
        pixels = pictures.decode(committed_picture(worker, image))
        assert source == data_uri(pictures.encode(pixels, "webp"))
        place = outline.texts.index(prompt)
        said = ["Smiling, not Bald"] if image % 3 == 0 else []
        assert outline.texts[place - 1 - len(said) : place] == [str(image), *said]


def test_the_page_names_the_digests_that_were_sealed(worker: ToyWorker) -> None:
    manifest = worker.ledger.read("sealed.json")
    texts = Outline.of(job_report(worker.ledger)).texts
    assert {manifest["root"], manifest["plan"], worker.ledger.name} <= set(texts)
    num_bytes = sum(path.stat().st_size for path in Path(worker.job, "shards").iterdir())
    assert f"10, {num_bytes:,} bytes" in texts
    assert "35.0%" in texts  # marked


def test_quotas_stand_beside_what_prompts_and_faces_have(worker: ToyWorker) -> None:
    assert "None were asked for" in job_report(worker.ledger)
    worker.ledger.bucket.write(
        "quotas.yaml", b"count: 40\nquotas: {Smiling: 0.9, Wavy_Hair: 0.1}\n"
    )
    texts = Outline.of(job_report(worker.ledger)).texts
    place = texts.index("90.0%")
    assert texts[place - 1 : place + 4] == ["Smiling", "90.0%", "100.0%", "65.0%", "-25.0 points"]
    assert texts[texts.index("Wavy Hair") :][:5] == ["Wavy Hair", "10.0%", "0.0%", "-", "-"]


def test_rows_that_can_be_no_prompt_are_told_by_their_kind(
    worker: ToyWorker, tmp_path: Path
) -> None:
    rows = [Rejected(n, "<b>", f"the text has 1 words and {n} characters; Mend.") for n in (7, 9)]
    write_prompts(tmp_path / "q", [*rows, Rejected(11, "", "the text holds no words (got ''); x")])
    worker.ledger.bucket.write("quarantine.parquet", tmp_path / "q/quarantine.parquet")
    texts = Outline.of(job_report(worker.ledger)).texts
    place = texts.index("the text has … words and … characters")
    assert texts[place + 1 : place + 4] == ["2", "row 7", "<b>"]
    assert "the text holds no words" in texts


def test_the_page_of_a_job_on_s3_is_the_same(s3_uri: str, tmp_path: Path) -> None:
    pages = []
    for place, name in ((str(tmp_path / "jobs"), "a"), (f"{s3_uri}/jobs", "b")):
        ledger = marked_job(place, tmp_path / name).ledger
        seal(ledger)
        pages.append(job_report(ledger))
    assert pages[0] == pages[1]


def test_the_command_writes_a_file_or_into_a_folder(
    worker: ToyWorker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["jobs", "report", worker.job, str(tmp_path / "page.html")]) == 0
    assert main(["jobs", "report", worker.job, str(tmp_path / "pages")]) == 0
    page = tmp_path / "pages" / f"{worker.ledger.name}.html"
    assert page.read_bytes() == (tmp_path / "page.html").read_bytes()
    assert str(page) in capsys.readouterr().out


def test_a_job_that_is_not_sealed_or_was_changed_has_no_page(
    worker: ToyWorker, tmp_path: Path
) -> None:
    other = marked_job(tmp_path / "other", tmp_path / "o")
    with pytest.raises(StoreError, match="is not sealed"):
        job_report(other.ledger)
    path = tars(worker)[0]
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(DataError, match="damaged or replaced"):
        job_report(worker.ledger)


@pytest.mark.parametrize(
    ("understood", "wishes"),
    [
        ("Smiling, not Bald; both ways: Young", {"Smiling": True, "Bald": False}),
        ("names nothing; not known here: wings", {}),
        ("", {}),
    ],
)
def test_wishes_are_read_back_from_words(understood: str, wishes: dict[str, bool]) -> None:
    assert wishes_of(understood) == wishes


def test_a_reason_without_its_particulars() -> None:
    assert kind_of("near training photograph 12 (0.03)") == "near training photograph"
    assert kind_of("no face found") == "no face found"
    assert kind_of("the text is not UTF-8: invalid start byte at byte 3") == "the text is not UTF-8"
