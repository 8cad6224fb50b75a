"""`tedigan page` and `tedigan replay` of what it kept."""

import argparse
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request

from tedigan.__main__ import main
from tedigan.commands.page_command import add_arguments, offers_of
from tedigan.page.recipe import Recipe, recipe_of, with_recipe
from tedigan.page.studio import Studio
from tedigan.releases.release_store import ReleaseStore
from tedigan.store import pictures
from tedigan.workspace import Workspace
from tests.contracts.closure import CHECKOUT


def arguments(*given):
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(given)


def test_any_host_but_loopback_is_refused(capsys):
    assert main(["page", "--host", "0.0.0.0"]) == 1
    assert "expected 127.0.0.1 or localhost" in capsys.readouterr().err


def test_a_port_that_is_taken_is_refused_in_one_line(capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert main(["page", "--port", str(taken.getsockname()[1])]) == 1
    assert "Name another with --port" in capsys.readouterr().err


def test_it_prints_its_address_and_answers_there(models):
    command = [sys.executable, "-m", "tedigan", "page", "--port", "0", "--model", str(models)]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) as server:
        try:
            address = server.stdout.readline().split()[0]
            with urllib.request.urlopen(address) as answer:
                assert b"<title>TediGAN" in answer.read()
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(timeout=30)


def test_without_a_name_those_that_come_along_are_offered(tmp_path):
    offered = offers_of(arguments("--workspace", str(tmp_path)))
    assert [offer.name for offer in offered] == ["celebahq-64", "drawn-64"]
    assert "non-commercial research" in offered[0].licence


def test_a_workspace_s_own_models_come_first(models):
    offered = offers_of(arguments("--workspace", str(models.parent)))
    assert [offer.name for offer in offered] == ["workspace", "celebahq-64", "drawn-64"]


def test_a_release_is_offered_with_its_own_models(models):
    workspace = Workspace.open(models.parent)
    files = {
        f"models/{path.relative_to(models).as_posix()}": path
        for path in models.rglob("*")
        if path.is_file()
    }
    digest = ReleaseStore(str(workspace.work / "release-store")).put(files).digest
    (offer,) = offers_of(arguments("--release", digest, "--workspace", str(models.parent)))
    assert offer.title == f"Release {digest[:12]}"
    assert offer.licence == "Drawn by nobody."
    drawn = Studio([offer], device="cpu").draw("release", Recipe(text="She is young.", n=1))
    assert len(drawn.faces) == 1


def test_a_model_that_is_not_there_is_refused(tmp_path, capsys):
    assert main(["page", "--port", "0", "--model", str(tmp_path / "none")]) == 1
    assert "does not exist" in capsys.readouterr().err


def test_replay_draws_a_kept_picture_again(studio, models, tmp_path, capsys):
    drawn = studio.draw("whole", Recipe(text="She is young.", n=2, seed=3))
    kept, again = tmp_path / "kept.png", tmp_path / "again.png"
    kept.write_bytes(drawn.faces[1])
    assert main(["replay", str(kept), "--models", str(models), "--out", str(again)]) == 0
    assert capsys.readouterr().out == "bit-identical pixels\n"
    assert again.read_bytes() == kept.read_bytes()


def test_replay_takes_the_steering_that_the_page_was_given(models, tmp_path, capsys):
    """Of a generator's folder that holds no steering of its own."""
    apart = ["--model", str(models / "generator"), "--steering", str(models)]
    (offer,) = offers_of(arguments(*apart))
    kept = tmp_path / "kept.png"
    drawn = Studio([offer], device="cpu").draw("given", Recipe(text="She is young.", n=1))
    kept.write_bytes(drawn.faces[0])
    replayed = ["replay", str(kept), "--models", *apart[1:]]
    assert main(replayed) == 0
    assert capsys.readouterr().out == "bit-identical pixels\n"
    assert main(replayed[:4]) == 1


def test_replay_tells_a_changed_picture_and_other_models(studio, models, tmp_path, capsys):
    (face,) = studio.draw("whole", Recipe(text="She is young.", n=1)).faces
    pixels = pictures.decode(face)
    pixels[0, 0, 0] ^= 1
    kept = tmp_path / "kept.png"
    kept.write_bytes(with_recipe(pictures.encode(pixels, "png"), recipe_of(face)))
    assert main(["replay", str(kept), "--models", str(models)]) == 1
    assert "changed since it was kept" in capsys.readouterr().out
    other = tmp_path / "models"
    shutil.copytree(models, other)
    (other / "latent_tagger" / "config.json").write_text("{}", encoding="utf-8")
    assert main(["replay", str(kept), "--models", str(other)]) == 1
    assert "made by other models" in capsys.readouterr().err


def test_replay_of_a_sha256_asks_for_its_job(capsys):
    assert main(["replay", "0" * 64]) == 1
    assert "expected the job that has it" in capsys.readouterr().err
