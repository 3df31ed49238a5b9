"""Presets files: what they may say, what they inherit, and on which line they are wrong."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.config import get_settings
from app.errors import InvalidPrompt, OperatorError
from app.presets import MANIFEST, SHIPPED, get_preset, load_presets, read_presets, usable_preset

GOOD = """
[mine]
title = "Mine"
licence = "MIT"
encoder = "e"
sizes = [[64, 64]]
steps = 4
guidance = 4.0

[[mine.sources]]
repo = "somebody/first"
files = ["*"]

[[mine.sources]]
repo = "somebody/second"
into = {"a/*" = "image_encoder"}

[mine.adapter]
max_scale = 0.8

[quick]
title = "Quick"
base = "mine"
steps = 2
loras = [{file = "loras/quick.safetensors"}]
"""


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder of models."""
    monkeypatch.setenv("PENCHANT_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("PENCHANT_PRESETS", str(tmp_path / "presets.toml"))
    (tmp_path / "presets.toml").write_text(GOOD)
    _forget()
    yield tmp_path / "models"
    _forget()


def _forget() -> None:
    get_settings.cache_clear()
    load_presets.cache_clear()


def test_the_shipped_presets_are_pinned_and_safe() -> None:
    presets = read_presets(SHIPPED)
    assert {"starter", "sd15", "sdxl", "sdxl-turbo", "sdxl-lightning", "sdxl-lcm"} < presets.keys()
    assert {"sd35-large", "flux-schnell", "flux-dev", "ssd-1b"} < presets.keys()
    assert presets["starter"].missing == ()
    assert {preset.pipeline for preset in presets.values()} == {
        "StableDiffusionPipeline",
        "StableDiffusionXLPipeline",
        "StableDiffusion3Pipeline",
        "FluxPipeline",
    }
    assert all(source.revision for preset in presets.values() for source in preset.sources)
    for name, preset in presets.items():
        assert (preset.preview is not None) == (name != "starter")
        assert preset.adapter is not None or preset.best_of is not None
        assert not preset.sources or preset.download_gb
        assert all(side % 16 == 0 for size in preset.sizes for side in size)
        assert len(preset.ratios) in (0, len(preset.sizes))


def test_the_shipped_previews_come_with_the_models_or_their_bases(models: Path) -> None:
    presets = load_presets()
    for name in ("sdxl-lightning", "sdxl-lcm"):
        assert presets[name].preview == presets["sdxl"].own / "taesd"
    makers = {
        "sd15": "taesd",
        "sdxl": "taesdxl",
        "sdxl-turbo": "taesdxl",
        "ssd-1b": "taesdxl",
        "sd35-large": "taesd3",
        "flux-schnell": "taef1",
        "flux-dev": "taef1",
    }
    for name, repository in makers.items():
        preset = presets[name]
        source = preset.sources[-1]
        assert (preset.preview, source.repo) == (Path("taesd"), f"madebyollin/{repository}")
        assert source.into == {"config.json": "taesd", "diffusion_pytorch_model.safetensors": "taesd"}
        assert preset.lacks_preview
        (preset.own / "taesd").mkdir(parents=True)
        assert not preset.lacks_preview
    assert not presets["sdxl-lcm"].lacks_preview


def test_a_base_lends_its_words_and_its_files(models: Path) -> None:
    mine, quick = get_preset("mine"), get_preset("quick")
    assert (quick.steps, quick.guidance, quick.adapter) == (2, 4.0, mine.adapter)
    assert quick.folder == mine.folder == models / "mine"
    assert quick.extras == (models.parent / "loras" / "quick.safetensors",)
    assert (mine.missing, quick.missing) == (("mine",), ("mine",))
    lcm = get_preset("sdxl-lcm")
    assert lcm.missing == ("sdxl", "sdxl-lcm")
    assert lcm.extras == (models / "sdxl-lcm" / "pytorch_lora_weights.safetensors",)


def test_a_preset_that_is_not_installed_says_how_to_add_it(models: Path) -> None:
    with pytest.raises(InvalidPrompt, match=r"not installed.*`penchant models add mine`"):
        usable_preset("quick")
    with pytest.raises(InvalidPrompt, match=r"There is no model nosuch. Use --model with one of: starter\."):
        usable_preset("nosuch")
    (models / "mine").mkdir(parents=True)
    (models / "mine" / MANIFEST).write_text("{}")
    assert usable_preset("quick").missing == ()


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("steps = 4", "line 7, mine.steps: Input should be less than or equal to 150"),
        ('title = "Mine"', "line 2, mine.title: Field required"),
        ("max_scale = 0.8", "line 19, mine.adapter.max_scale: Input should be greater than 0"),
        ('repo = "somebody/second"', "line 15, mine.sources.1.repo: String should match"),
        ('files = ["*"]', "line 10, mine.sources.0: Value error, a source names `files`"),
        ('base = "mine"', "line 21, quick: there is no preset nobody above it"),
        ('{file = "loras/quick.safetensors"}', "line 25, quick.loras.0.file: Value error, quick.ckpt is no"),
        ("guidance = 4.0", "line 9, mine.colour: Extra inputs are not permitted"),
        ("sizes = [[64, 64]]", "cannot be used: "),
    ],
)
def test_an_error_names_the_line(tmp_path: Path, wrong: str, says: str) -> None:
    replaced = {
        "steps = 4": "steps = 400",
        'title = "Mine"': "",
        "max_scale = 0.8": "max_scale = -1",
        'repo = "somebody/second"': 'repo = "second"',
        'files = ["*"]': "",
        'base = "mine"': 'base = "nobody"',
        '{file = "loras/quick.safetensors"}': '{file = "quick.ckpt"}',
        "guidance = 4.0": "guidance = 4.0\ncolour = 3",
        "sizes = [[64, 64]]": "sizes = [[64, 64]",
    }[wrong]
    path = tmp_path / "wrong.toml"
    path.write_text(GOOD.replace(wrong, replaced, 1))
    with pytest.raises(OperatorError) as caught:
        read_presets(path)
    assert says in caught.value.message
    assert str(path) in caught.value.message


def test_every_error_of_a_file_is_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(GOOD.replace("steps = 4", "steps = 0").replace("guidance = 4.0", "guidance = -1"))
    with pytest.raises(OperatorError) as caught:
        read_presets(path)
    assert [line.strip().partition(":")[0] for line in caught.value.message.splitlines()[1:]] == [
        "line 7, mine.steps",
        "line 8, mine.guidance",
    ]


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ('folder = "x"', "not both"),
        ('own = "/"', "not for a presets file"),
        ("true_guidance = 2.0", "Flux"),
        ('checkpoint = "a.safetensors"', "needs a `base`"),
    ],
)
def test_what_contradicts_itself_is_refused(tmp_path: Path, more: str, says: str) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(GOOD.replace("steps = 4", f"steps = 4\n{more}", 1))
    with pytest.raises(OperatorError, match=says):
        read_presets(path)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("cache = 0.1", "line 9, mine.cache: .*StableDiffusionPipeline has none, only FluxPipeline: drop it"),
        ('quantize = "int4"', "line 9, mine.quantize: .*'int8' or 'fp8'"),
        ('pipeline = "StableDiffusion3Pipeline"\nfuse = true', "line 10, mine.fuse: .*has none, only"),
        ("text_tokens = 256", "line 9, mine.text_tokens: .*has none, only StableDiffusion3Pipeline, Flux"),
        ('pipeline = "FluxPipeline"\ncompile = true', "line 10, mine.compile: .*has none, only"),
        ('pipeline = "FluxPipeline"\ncache = 1.5', "line 10, mine.cache: .*less than 1"),
        ("compile = true\noffload = true", "line 10, mine.offload: .*neither `compile` nor `quantize`"),
    ],
)
def test_a_shortcut_that_a_pipeline_has_not_is_told_with_its_line(
    tmp_path: Path, words: str, said: str
) -> None:
    path = tmp_path / "presets.toml"
    path.write_text(GOOD.replace("guidance = 4.0\n", f"guidance = 4.0\n{words}\n"))
    with pytest.raises(OperatorError, match=said):
        read_presets(path)


LORAS = """
[thick]
title = "Thick"
base = "mine"

[[thick.loras]]
file = "one.safetensors"

[[thick.loras]]
folder = "loras"
weight = 0.5
"""


@pytest.fixture
def thick(tmp_path: Path) -> Path:
    """A presets file that names a LoRA and a folder of two, among other files."""
    path = tmp_path / "thick.toml"
    path.write_text(GOOD + LORAS)
    (tmp_path / "loras").mkdir()
    for name in ("b.safetensors", "a.safetensors", ".c.safetensors", "a.png", "notes.txt"):
        (tmp_path / "loras" / name).touch()
    return path


def test_a_folder_of_loras_is_its_files_in_the_order_of_their_names(thick: Path) -> None:
    thick.write_text(thick.read_text() + '\n[thicker]\ntitle = "Thicker"\nbase = "thick"\n')
    presets = read_presets(thick)
    folder = thick.parent
    files = [folder / "one.safetensors", folder / "loras/a.safetensors", folder / "loras/b.safetensors"]
    for name in ("thick", "thicker"):
        assert list(presets[name].extras) == files
        assert [lora.weight for lora in presets[name].loras] == [1.0, 0.5, 0.5]


def test_a_folder_of_loras_that_is_empty_or_elsewhere_lacks_files(thick: Path) -> None:
    """It is no error of the presets file: a web server has no models. A worker looks for the files."""
    shutil.rmtree(thick.parent / "loras")
    preset = read_presets(thick)["thick"]
    assert preset.extras[1:] == (thick.parent / "loras" / "*.safetensors",)


@pytest.mark.parametrize(
    ("wrong", "right", "says"),
    [
        ('file = "one.safetensors"', "", "line 31, thick.loras.0: .*name one of the two"),
        ('folder = "loras"', 'folder = "loras"\nfile = "x.safetensors"', "line 34, thick.loras.1: .*one of"),
        ('folder = "loras"', 'folder = "bad"', "line 35, thick.loras.1.folder: .*x.ckpt is no safetensors"),
        ("weight = 0.5", 'weight = "much"', "line 36, thick.loras.1.weight: .*valid number"),
        (
            'base = "mine"\n\n',
            'base = "mine"\nsources = [{repo = "a/b", files = ["*"]}]\n\n',
            "by its `file`",
        ),
    ],
)
def test_a_lora_that_is_wrong_is_told_with_its_line(thick: Path, wrong: str, right: str, says: str) -> None:
    (thick.parent / "bad").mkdir()
    (thick.parent / "bad" / "x.ckpt").touch()
    thick.write_text(GOOD + LORAS.replace(wrong, right, 1))
    with pytest.raises(OperatorError, match=says):
        read_presets(thick)


def test_a_base_lends_its_preview_autoencoder(tmp_path: Path) -> None:
    path = tmp_path / "presets.toml"
    path.write_text(GOOD.replace("guidance = 4.0\n", 'guidance = 4.0\npreview = "taesd"\n'))
    presets = read_presets(path)
    assert presets["quick"].preview == presets["mine"].own / "taesd"
