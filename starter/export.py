"""Write the model as a diffusers pipeline folder with its image adapter, in half precision."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import torch
from diffusers import StableDiffusionPipeline, UNet2DConditionModel
from safetensors.torch import save_file
from transformers import CLIPImageProcessor

from starter import alignment, latents, lexicon, schedule, text, unet, vae, vision
from starter.dataset import RUNS

WEIGHTS = Path(__file__).parent / "weights"
ADAPTER = ("ip_adapter", "ip-adapter.safetensors")
WORDS = "vocabulary.json"


def processor() -> CLIPImageProcessor:
    return CLIPImageProcessor(
        size={"shortest_edge": vision.SIDE},
        crop_size={"height": vision.SIDE, "width": vision.SIDE},
        image_mean=[0.5] * 3,
        image_std=[0.5] * 3,
    )


def pipeline(shadow: dict[str, torch.Tensor]) -> tuple[StableDiffusionPipeline, dict[str, torch.Tensor]]:
    """The pipeline without its adapter, and the adapter's flat state."""
    joint = unet.build()
    joint.load_state_dict(shadow)
    bare = UNet2DConditionModel(**unet.CONFIG)
    bare.load_state_dict({name: shadow[name] for name in bare.state_dict()})
    tokenizer, encoder = text.trained()
    made = StableDiffusionPipeline(
        vae=vae.hear(vae.trained(), vae.HEARD), text_encoder=encoder, tokenizer=tokenizer, unet=bare,
        scheduler=schedule.scheduler(), safety_checker=None, feature_extractor=processor(),
        image_encoder=vision.trained(), requires_safety_checker=False,
    )  # fmt: skip
    state = unet.adapter_state(joint)
    flat = {
        f"{part}.{key}": value.detach() for part, values in state.items() for key, value in values.items()
    }
    return made, flat


def export(shadow: dict[str, torch.Tensor], folder: Path = WEIGHTS) -> None:
    """Write the whole folder beside `folder` first, then exchange the two."""
    made, flat = pipeline(shadow)
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    made.to(dtype=torch.float16).save_pretrained(part, safe_serialization=True)
    for name in ("vocab.json", "merges.txt"):
        shutil.copy(RUNS / "tokenizer" / name, part / "tokenizer" / name)
    (part / ADAPTER[0]).mkdir()
    save_file(
        {key: value.half().contiguous().clone() for key, value in flat.items()},
        part / ADAPTER[0] / ADAPTER[1],
    )
    alignment.save(torch.load(RUNS / "aligner.final.pt", weights_only=True), part)
    for config in part.rglob("*.json"):
        data = json.loads(config.read_text())
        if isinstance(data, dict) and "_name_or_path" in data:
            config.write_text(
                json.dumps({k: v for k, v in data.items() if k != "_name_or_path"}, indent=2) + "\n"
            )
    shutil.copy(RUNS / latents.FILE, part / latents.FILE)
    lexicon.write(part / WORDS)
    for path in part.rglob("*.safetensors"):
        path.chmod(0o644)
    for note in folder.glob("*.md"):
        shutil.copy(note, part / note.name)
    old = folder.with_name(folder.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    part.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def load_pipeline(folder: Path = WEIGHTS) -> StableDiffusionPipeline:
    """The exported pipeline with its adapter, in float32, as any program would load it."""
    pipe = StableDiffusionPipeline.from_pretrained(
        folder, dtype=torch.float32, local_files_only=True, safety_checker=None
    )
    pipe.load_ip_adapter(
        folder, subfolder=ADAPTER[0], weight_name=ADAPTER[1], image_encoder_folder=None, local_files_only=True
    )
    pipe.set_progress_bar_config(disable=True)
    return pipe
