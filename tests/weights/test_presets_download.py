"""Models come from a hub, on this machine: whole, at their commits, or not at all."""

import time
from pathlib import Path

import httpx
import pytest

from app.errors import Conflict, CorruptFile, OperatorError, Unavailable
from app.presets import MANIFEST, get_preset, load_presets
from app.weights import install
from app.weights.check import verify
from app.weights.hub import RemoteFile
from app.weights.manifest import read_manifest
from tests.weights.hub import LocalHub
from tests.weights.models import LORA, MODEL, WANTED, Quiet, add, command, names


def test_a_model_comes_from_the_hub_at_its_revision(local: LocalHub, models: Path) -> None:
    add("base")
    folder = models / "base"
    assert names(folder) == WANTED
    # Of two precisions, the one that the preset names.
    half = MODEL["unet/diffusion_pytorch_model.fp16.safetensors"]
    assert (folder / "unet" / "diffusion_pytorch_model.safetensors").read_bytes() == half
    manifest = read_manifest(folder / MANIFEST)
    assert [(origin.repo, origin.revision) for origin in manifest.origins] == [
        ("somebody/model", "1" * 40),
        ("somebody/adapter", "2" * 40),
        ("somebody/small", "3" * 40),
    ]
    assert get_preset("base").missing == ()
    verify(get_preset("base"))
    install.verify_installed(get_preset("base"), progress=Quiet())
    with pytest.raises(Conflict, match="is installed"):
        add("base")


def test_an_interrupted_download_goes_on_where_it_ended(local: LocalHub, models: Path) -> None:
    add("base")
    lora = local.repositories["somebody/lora"]
    lora.cut.add("lora.safetensors")
    with pytest.raises(Unavailable, match=r"Run the command again"):
        add("light")
    assert get_preset("light").missing == ("light",)
    lora.cut.clear()
    local.asked.clear()
    add("light")
    ((_, asked, _),) = [one for one in local.asked if one[0].endswith("lora.safetensors")]
    assert asked is not None
    assert int(asked[6:-1]) >= len(LORA["lora.safetensors"]) // 4
    assert (models / "light" / "lora.safetensors").read_bytes() == LORA["lora.safetensors"]


def test_what_is_there_of_a_download_needs_no_room(local: LocalHub, models: Path) -> None:
    size = len(LORA["lora.safetensors"])
    file = RemoteFile("lora.safetensors", "lora.safetensors", size, None, None)
    path = models / "lora.safetensors"
    models.mkdir()
    assert install._lacking(file, path) == size
    path.with_name("lora.safetensors.part").write_bytes(LORA["lora.safetensors"][:-10])
    assert install._lacking(file, path) == 10


def test_a_hub_is_asked_again_when_it_says(local: LocalHub, models: Path) -> None:
    add("base")
    lora = local.repositories["somebody/lora"]
    lora.busy = 2
    start = time.monotonic()
    add("light")
    assert time.monotonic() - start >= 2  # twice a second, as the hub asks


def test_a_hub_that_asks_for_no_pause_is_given_one(
    local: LocalHub, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add("base")
    monkeypatch.setattr("app.weights.hub.PAUSE_SECONDS", 0.1)
    lora = local.repositories["somebody/lora"]
    lora.busy, lora.after = 3, "0"
    start = time.monotonic()
    add("light")
    assert time.monotonic() - start >= 0.7  # 0.1, 0.2 and 0.4


def test_a_hub_that_always_begins_anew_is_given_up(local: LocalHub, models: Path) -> None:
    add("base")
    lora = local.repositories["somebody/lora"]
    lora.shares = [0.8, 0.5] * 10  # in turn more than the time before, and never more than there was
    with pytest.raises(Unavailable):
        add("light")
    assert len(lora.shares) == 20 - 6  # the first brought something, five did not


@pytest.mark.parametrize(
    "evil",
    [
        "unet/../../../../evil.json",
        "unet//evil.json",
        "unet/./evil.json",
        "unet/\\evil.json",
        "unet/\0evil.json",
    ],
)
def test_names_that_lead_out_of_the_folder_are_refused(
    local: LocalHub, models: Path, tmp_path: Path, evil: str
) -> None:
    local.repositories["somebody/model"].files[evil] = b"{}"
    with pytest.raises(OperatorError, match="outside of itself"):
        add("base")
    assert not any(path.name.endswith("evil.json") for path in tmp_path.rglob("*"))


def test_a_link_among_what_is_gathered_is_refused(local: LocalHub, models: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (models / ".incoming" / "base").mkdir(parents=True)
    (models / ".incoming" / "base" / "unet").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    with pytest.raises(Conflict, match="through a link"):
        add("base")
    assert not names(tmp_path / "elsewhere")


def test_an_open_revision_is_looked_up_once(local: LocalHub, models: Path) -> None:
    add("base")
    lora = local.repositories["somebody/lora"]
    lora.cut.add("lora.safetensors")
    with pytest.raises(Unavailable):
        add("light")
    local.asked.clear()
    with pytest.raises(Unavailable):
        add("light")
    assert local.asked[0][0] == f"/api/models/somebody/lora/revision/{'1' * 40}"


def test_what_arrives_damaged_is_thrown_away(local: LocalHub, models: Path) -> None:
    local.repositories["somebody/model"].damaged |= {"model_index.json"}
    with pytest.raises(CorruptFile, match="arrived damaged"):
        add("base")
    local.repositories["somebody/model"].damaged.clear()
    local.repositories["somebody/adapter"].damaged |= {"models/adapter.safetensors"}
    with pytest.raises(CorruptFile, match="arrived damaged"):
        add("base")
    assert not (models / "base").exists()
    local.repositories["somebody/adapter"].damaged.clear()
    add("base")


def test_a_gated_model_is_explained(local: LocalHub, monkeypatch: pytest.MonkeyPatch) -> None:
    local.repositories["somebody/model"].gated = True
    with pytest.raises(OperatorError, match=r"gated.*accept its terms.*HF_TOKEN"):
        add("base")
    monkeypatch.setenv("HF_TOKEN", "secret")
    add("base")
    assert {token for _, _, token in local.asked[1:]} == {"Bearer secret"}


def test_a_hub_out_of_reach_is_said(local: LocalHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(Unavailable, match="--from"):
        add("base")
    monkeypatch.setenv("HF_ENDPOINT", local.url)
    del local.repositories["somebody/adapter"].files["models/encoder/model.safetensors"]
    with pytest.raises(OperatorError, match=r"lacks image_encoder/model\.safetensors\. Nothing was added"):
        add("base")


def test_a_download_is_asked_for_by_nobody_else(local: LocalHub) -> None:
    load_presets()
    get_preset("base")
    command("list")
    with pytest.raises(OperatorError):
        verify(get_preset("base"))
    assert local.asked == []
    assert httpx.get(f"{local.url}/api/models/somebody/lora/revision/main").status_code == 200
