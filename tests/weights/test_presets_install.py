"""Models are added whole or not at all, from folders; replaced, verified and removed."""

import json
import pickle
import re
import resource
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from app.errors import Conflict, CorruptFile, NotFound, OperatorError, PenchantError, Unavailable
from app.presets import get_preset, load_presets
from app.weights import install
from app.weights.check import verify
from app.weights.headers import NotSafetensors, check_header
from tests.weights.hub import LocalHub
from tests.weights.models import PRESETS, WANTED, Quiet, add, bring, command, forget, names, weights


def test_a_folder_that_holds_nothing_leaves_a_download_alone(
    local: LocalHub, models: Path, tmp_path: Path
) -> None:
    local.repositories["somebody/adapter"].cut.add("models/adapter.safetensors")
    with pytest.raises(Unavailable):
        add("base")
    begun = names(models / ".incoming" / "base")
    assert begun
    (tmp_path / "empty").mkdir()
    with pytest.raises(NotFound, match="none of the files"):
        bring(tmp_path / "empty")
    assert names(models / ".incoming" / "base") == begun
    local.repositories["somebody/adapter"].cut.clear()
    add("base")
    assert not (models / ".incoming" / "base").exists()


def test_a_disk_that_refuses_is_explained(folder: Path, models: Path) -> None:
    models.write_bytes(b"a file where the folder would be")
    with pytest.raises(OperatorError, match="PENCHANT_MODELS"):
        command("add", "base", "--accept-licence", "--from", str(folder))
    models.unlink()
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        with pytest.raises(OperatorError, match=r"File too large.*run the command again"):
            command("add", "base", "--accept-licence", "--from", str(folder))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)


@pytest.mark.parametrize("way", ["model.fp16-0000{n}-of-00002", "model-0000{n}-of-00002.fp16"])
def test_pieces_of_a_variant_are_taken_under_plain_names(folder: Path, models: Path, way: str) -> None:
    unet = folder / "unet"
    pieces = [f"{way.format(n=n).replace('model', 'diffusion_pytorch_model')}.safetensors" for n in (1, 2)]
    for number, piece in enumerate(pieces):
        (unet / piece).write_bytes(weights(number))
    (unet / "diffusion_pytorch_model.safetensors.index.fp16.json").write_text(
        json.dumps({"weight_map": dict(zip("ab", pieces, strict=True))})
    )
    whole = [f"diffusion_pytorch_model-0000{n}-of-00003.safetensors" for n in (1, 2, 3)]
    for piece in whole:
        (unet / piece).write_bytes(weights(9))
    index = {"weight_map": dict(zip("abc", whole, strict=True))}
    (unet / "diffusion_pytorch_model.safetensors.index.json").write_text(json.dumps(index))
    bring(folder)
    taken = {name for name in names(models / "base") if name.startswith("unet/diffusion")}
    plain = [f"diffusion_pytorch_model-0000{n}-of-00002.safetensors" for n in (1, 2)]
    assert taken == {"unet/diffusion_pytorch_model.safetensors.index.json", *(f"unet/{p}" for p in plain)}
    index = json.loads(
        (models / "base" / "unet" / "diffusion_pytorch_model.safetensors.index.json").read_text()
    )
    assert list(index["weight_map"].values()) == plain
    install.verify_installed(get_preset("base"), progress=Quiet())


def test_the_one_whose_file_is_gone_is_to_be_added_again(folder: Path, local: LocalHub, models: Path) -> None:
    bring(folder)
    add("light")
    (models / "base" / "unet" / "config.json").unlink()
    with pytest.raises(OperatorError, match="penchant models add base --again"):
        verify(get_preset("light"))
    install.remove(get_preset("light"), presets=load_presets().values())
    with pytest.raises(OperatorError, match=r"penchant models add base --again`\. Nothing was added\.$"):
        add("light")


@pytest.mark.parametrize("way", ["models", "link"])
def test_the_folder_of_models_may_be_relative_or_a_link(
    folder: Path, local: LocalHub, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    models.mkdir()
    (tmp_path / "link").symlink_to(models, target_is_directory=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PENCHANT_MODELS", way)
    forget()
    bring(folder)
    add("light")
    (models / "base" / "unet" / "config.json").unlink()
    with pytest.raises(OperatorError, match="penchant models add base --again"):
        verify(get_preset("light"))


def test_a_file_of_ones_own_is_not_to_be_added(folder: Path, models: Path, tmp_path: Path) -> None:
    bring(folder)
    paint = '\n[paint]\ntitle = "Paint"\nbase = "base"\nlicence = "MIT"\ncheckpoint = "paint.safetensors"\n'
    (tmp_path / "presets.toml").write_text(PRESETS + paint)
    forget()
    with pytest.raises(OperatorError, match=r"lacks .*paint\.safetensors\. Restore it, or change"):
        verify(get_preset("paint"))


def test_a_folder_that_is_emptied_afterwards_is_refused(folder: Path, models: Path) -> None:
    begun = models / ".incoming" / "base"
    shutil.copytree(folder, begun)
    with pytest.raises(Conflict, match="Move the files elsewhere"):
        bring(begun)
    assert names(begun) == names(folder)


def test_the_licence_is_shown_at_the_commit_that_is_taken(models: Path, folder: Path) -> None:
    shown = command("add", "base", "--accept-licence", "--from", str(folder)).splitlines()
    assert "    https://huggingface.co/somebody/model" in shown
    assert f"    https://huggingface.co/somebody/adapter/tree/{'2' * 40}" in shown


def test_a_model_comes_from_a_folder_without_a_network(folder: Path, models: Path) -> None:
    preset = bring(folder)
    assert preset.missing == ()
    assert not (models / "base" / "README.md").exists()
    assert (folder / "README.md").exists()
    install.verify_installed(preset, progress=Quiet())


def test_a_folder_that_lacks_something_adds_nothing(folder: Path, models: Path) -> None:
    (folder / "ip_adapter" / "adapter.safetensors").unlink()
    with pytest.raises(OperatorError, match=r"lacks ip_adapter/adapter\.safetensors\. Nothing was added"):
        bring(folder)
    assert get_preset("base").missing == ("base",)
    with pytest.raises(NotFound, match="is no folder"):
        bring(folder / "nowhere")


def test_a_folder_may_lack_the_autoencoder_for_previews(folder: Path, models: Path) -> None:
    shutil.move(folder / "small", folder.parent / "small")
    said = command("add", "base", "--from", str(folder), "--accept-licence")
    assert "lacks small, the decoder of previews" in said
    preset = get_preset("base")
    assert (preset.missing, preset.lacks_preview) == ((), True)
    install.verify_installed(preset, progress=Quiet())
    shutil.move(folder.parent / "small", models / "base")  # what was not there may come later
    assert not preset.lacks_preview
    install.verify_installed(preset, progress=Quiet())
    install.remove(preset, presets=load_presets().values())
    assert not (models / "base").exists()


def test_an_autoencoder_for_previews_that_came_stays_whole(folder: Path, models: Path) -> None:
    (folder / "small" / "config.json").rename(folder / "small.json")
    with pytest.raises(OperatorError, match=r"lacks small/config\.json\. Nothing was added"):
        bring(folder)
    (folder / "small.json").rename(folder / "small" / "config.json")
    preset = bring(folder)
    shutil.rmtree(models / "base" / "small")
    with pytest.raises(CorruptFile, match=r"small/config\.json is gone"):
        verify(preset)


def test_of_a_folder_is_copied_what_a_download_would_bring(folder: Path, models: Path) -> None:
    """Both precisions of the network, weights in one file beside it, and parts that the preset does not
    name."""
    half = weights(2, 20_000)
    for path in (
        "unet/diffusion_pytorch_model.fp16.safetensors",
        "whole.safetensors",
        "vae/other.safetensors",
    ):
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_bytes(half)
    bring(folder)
    assert names(models / "base") == WANTED
    assert (models / "base" / "unet" / "diffusion_pytorch_model.safetensors").read_bytes() == half


def test_a_folder_of_one_precision_is_taken_in_it(folder: Path, models: Path) -> None:
    whole = folder / "unet" / "diffusion_pytorch_model.safetensors"
    whole.rename(whole.with_name("diffusion_pytorch_model.fp16.safetensors"))
    bring(folder)
    assert "unet/diffusion_pytorch_model.safetensors" in names(models / "base")


@pytest.mark.parametrize(
    ("lost", "left", "said"),
    [
        ("unet/config.json", "unet/other.json", "unet/config.json"),
        (
            "unet/diffusion_pytorch_model.safetensors",
            "unet/diffusion_pytorch_model.bf16.safetensors",
            "unet/diffusion_pytorch_model.safetensors",
        ),
        (
            "image_encoder/model.safetensors",
            "image_encoder/model.fp16.safetensors",
            "image_encoder/model.safetensors",
        ),
    ],
)
def test_what_could_not_be_loaded_is_refused_with_the_file_that_lacks(
    folder: Path, models: Path, lost: str, left: str, said: str
) -> None:
    """Such as weights in a precision that neither the preset names nor the libraries look for."""
    (folder / lost).rename(folder / left)
    with pytest.raises(OperatorError, match=rf"lacks {re.escape(said)}\. Nothing was added"):
        bring(folder)
    assert not (models / "base").exists()


def test_every_piece_that_an_index_names_is_needed(folder: Path, models: Path) -> None:
    pieces = [f"diffusion_pytorch_model-0000{n}-of-00002.safetensors" for n in (1, 2)]
    (folder / "unet" / "diffusion_pytorch_model.safetensors").rename(folder / "unet" / pieces[0])
    index = {"weight_map": dict(zip("ab", pieces, strict=True))}
    (folder / "unet" / "diffusion_pytorch_model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(OperatorError, match=rf"lacks unet/{pieces[1]}\. Nothing was added"):
        bring(folder)
    (folder / "unet" / pieces[1]).write_bytes(weights(6))
    bring(folder)
    assert {f"unet/{piece}" for piece in pieces} < names(models / "base")


@pytest.mark.parametrize("name", ["unet/weights.bin", "unet/x.safetensors", "config.json", "a.md", "plain"])
def test_a_pickle_in_a_folder_is_refused_under_whatever_name(folder: Path, models: Path, name: str) -> None:
    (folder / name).write_bytes(pickle.dumps({"weights": [1.0] * 10}))
    with pytest.raises(CorruptFile, match="is refused"):
        bring(folder)
    assert not (models / "base").exists()


def test_a_folder_with_a_manifest_must_be_what_it_says(folder: Path, models: Path, tmp_path: Path) -> None:
    bring(folder)
    shutil.move(models / "base", tmp_path / "disk")
    path = tmp_path / "disk" / "unet" / "diffusion_pytorch_model.safetensors"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(CorruptFile, match="checksum differs"):
        bring(tmp_path / "disk")
    path.write_bytes(whole)
    bring(tmp_path / "disk")


def test_one_changed_bit_is_found(folder: Path, models: Path) -> None:
    preset = bring(folder)
    path = models / "base" / "image_encoder" / "model.safetensors"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    verify(preset)  # what a worker looks at when it loads: the sizes
    with pytest.raises(CorruptFile, match=r"checksum differs.*penchant models add base --again"):
        install.verify_installed(preset, progress=Quiet())
    path.unlink()
    with pytest.raises(OperatorError, match="penchant models add base --again"):
        verify(preset)
    command("add", "base", "--again", "--accept-licence", "--from", str(folder))
    install.verify_installed(preset, progress=Quiet())


def test_what_others_are_made_of_is_not_removed(folder: Path, local: LocalHub, models: Path) -> None:
    bring(folder)
    add("light")
    presets = load_presets().values()
    with pytest.raises(Conflict, match="light use the files of base"):
        install.remove(get_preset("base"), presets=presets)
    install.remove(get_preset("light"), presets=presets)
    install.remove(get_preset("base"), presets=presets)
    assert get_preset("light").missing == ("base", "light")
    assert not (models / "base").exists()
    with pytest.raises(NotFound, match="not installed"):
        install.remove(get_preset("base"), presets=presets)
    with pytest.raises(Conflict, match="`penchant models add base` first"):
        add("light")
    with pytest.raises(NotFound, match="delete them"):
        install.remove(get_preset("mine"), presets=presets)


def test_the_commands(folder: Path, models: Path) -> None:
    with pytest.raises(PenchantError, match="--accept-licence"):
        command("add", "base", "--from", str(folder))
    with pytest.raises(NotFound, match="PENCHANT_PRESETS"):
        command("add", "nosuch")
    with pytest.raises(NotFound, match="penchant models add base"):
        command("verify", "base")
    added = command("add", "base", "--from", str(folder), "--accept-licence")
    assert "Licence: A licence" in added
    assert "PENCHANT_MODEL=base penchant up" in added
    assert "decoder of previews" not in added
    assert "base is whole" in command("verify", "base")
    listed = {line.split("│")[1].strip(): line for line in command("list").splitlines() if "│" in line}
    assert [listed[name].split("│")[3].strip() for name in ("base", "light", "sdxl", "starter", "mine")] == [
        "yes",
        "no",
        "no",
        "yes",
        "yes",
    ]
    assert "removed" in command("remove", "base", "--yes")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x08",
        (2**40).to_bytes(8, "little") + b"{}",
        (2).to_bytes(8, "little") + b"[]",
        (2).to_bytes(8, "little") + b"{}",
        (4).to_bytes(8, "little") + b"nope",
        weights(1)[:-1],
        weights(1) + b"\0",
        weights(1).replace(b"40000", b"40001", 1),
        weights(1).replace(b"data_offsets", b"data_0ffsets", 1),
    ],
    ids=lambda data: f"{len(data)} bytes",
)
def test_a_header_that_does_not_fit_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.safetensors").write_bytes(data)
    with pytest.raises(NotSafetensors):
        check_header(tmp_path / "x.safetensors")


def test_what_the_library_writes_is_accepted(tmp_path: Path) -> None:
    tensors = {
        "a": np.zeros((2, 3), np.float16),
        "b": np.ones(5, np.int64),
        "empty": np.zeros((0, 4), np.float32),
    }
    save_file(tensors, tmp_path / "x.safetensors", metadata={"format": "pt"})
    check_header(tmp_path / "x.safetensors")
