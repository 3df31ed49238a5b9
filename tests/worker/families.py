"""One model of each family at toy size, laid out as `penchant models add` leaves it: real classes, seeded
random weights, the encoder and the adapter beside the pipeline."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    FluxPipeline,
    FluxTransformer2DModel,
    SD3Transformer2DModel,
    StableDiffusion3Pipeline,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from diffusers.models.attention_processor import SD3IPAdapterJointAttnProcessor2_0
from diffusers.models.embeddings import IPAdapterTimeImageProjection
from safetensors.torch import save_file
from transformers import (
    CLIPImageProcessor,
    CLIPTextConfig,
    CLIPTextModelWithProjection,
    SiglipImageProcessor,
    SiglipVisionConfig,
    SiglipVisionModel,
    T5Config,
    T5EncoderModel,
    T5Tokenizer,
)

from app.presets import Preset, load_presets
from tests.worker import tiny
from worker.pipelines import Model, load

# One of each pipeline, and of each way in which a preset differs from others of its pipeline.
NAMES = (
    "sd15",
    "sdxl",
    "sdxl-turbo",
    "sdxl-lightning",
    "sdxl-lcm",
    "sd35-large",
    "flux-schnell",
    "flux-dev",
    "ssd-1b",
)
ADAPTED = tuple(name for name in NAMES if name != "ssd-1b")
SIZE = tiny.SIZE
WIDTH = tiny.WIDTH
HIDDEN = 64  # of the adapter that reads patches; its heads are 64 wide
TOKENS = 4
PREVIEW = "taesd"  # where the shipped presets have their tiny autoencoder

# A preset of one's own, in the folder "sd15" that `build` makes of the family of that name.
WHOLE = """
[whole]
title = "Whole"
licence = "MIT"
folder = "sd15"
encoder = "e"
sizes = [[64, 64]]
steps = 2
guidance = 4.0
adapter = {file = "ip-adapter_sd15_light.safetensors"}
"""


def build(name: str, folder: Path) -> Path:
    """Write a tiny model for the shipped preset `name` into a new folder; returns the folder."""
    torch.manual_seed(7)
    folder.mkdir(parents=True)
    pieces = folder.parent / f"{folder.name}-pieces"
    pieces.mkdir()
    made = BUILDERS[load_presets()[name].pipeline](load_presets()[name], pieces)
    made.pipeline.save_pretrained(folder, safe_serialization=True)
    made.encoder.save_pretrained(folder / "image_encoder", safe_serialization=True)
    made.processor.save_pretrained(folder / "image_encoder")
    if made.adapter is not None:
        (folder / "ip_adapter").mkdir()
        adapter = load_presets()[name].adapter
        assert adapter is not None
        save_file(made.adapter, folder / "ip_adapter" / adapter.file)
    for lora in load_presets()[name].loras:
        save_file(_lora(made.pipeline.unet), folder / lora.file)
    if load_presets()[name].preview is not None:
        tiny.preview(folder / PREVIEW)
    return folder


def preset(name: str, folder: Path, **changes: Any) -> Preset:
    """The shipped preset, with a tiny model's folder, previews, size and encoder."""
    small = {
        "folder": folder,
        "own": folder,
        "needs": {},
        "preview": folder / PREVIEW,
        "encoder": tiny.ENCODER,
        "sizes": ((SIZE, SIZE), (SIZE + 32, SIZE)),
        "steps": 3,
    }
    return load_presets()[name].model_copy(update={**small, **changes})


def table(preset: Preset) -> str:
    """The preset as a table of a presets file: what the studio has to know of it, its worker being here."""
    values: dict[str, Any] = {
        "title": "Tiny",
        "licence": "Apache-2.0",
        "pipeline": preset.pipeline,
        "folder": str(preset.folder),
        "encoder": preset.encoder,
        "sizes": preset.sizes,
        "steps": preset.steps,
        "guidance": preset.guidance,
        "true_guidance": preset.true_guidance,
    }
    lines = [f"{name} = {json.dumps(value)}" for name, value in values.items()]
    if preset.adapter is not None:
        lines.append(f"adapter = {{max_scale = {preset.adapter.max_scale}}}")
    return "\n".join([f"[{preset.name}]", *lines, ""])


class Toys:
    """Tiny models of the shipped presets, each built and loaded when it is first asked for."""

    def __init__(self, root: Path) -> None:
        torch.set_num_threads(1)
        self._root = root
        self._models: dict[str, Model] = {}

    def folder(self, name: str) -> Path:
        folder = self._root / name
        return folder if folder.exists() else build(name, folder)

    def model(self, name: str) -> Model:
        """Loaded. Flux dev makes its second pass, which Flux schnell does not."""
        if name not in self._models:
            changes = {"true_guidance": 2.0} if name == "flux-dev" else {}
            self._models[name] = load(preset(name, self.folder(name), **changes), device="cpu")
        return self._models[name]


@dataclass(frozen=True)
class Made:
    """The parts of a tiny model."""

    pipeline: Any
    encoder: Any
    processor: Any
    adapter: dict[str, torch.Tensor] | None


def _sd(preset: Preset, pieces: Path) -> Made:
    unet = tiny.unet()
    pipeline = StableDiffusionPipeline(
        vae=tiny.autoencoder(),
        text_encoder=tiny.text_encoder(),
        tokenizer=tiny.tokenizer(pieces),
        unet=unet,
        scheduler=EulerDiscreteScheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    return Made(pipeline, tiny.image_encoder(), _clip_processor(), tiny.adapter(unet))


def _sdxl(preset: Preset, pieces: Path) -> Made:
    unet = UNet2DConditionModel(
        sample_size=SIZE // 8,
        block_out_channels=(32, 64),
        layers_per_block=2,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=(2, 4),
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        transformer_layers_per_block=(1, 1),
        projection_class_embeddings_input_dim=6 * 8 + WIDTH,
        cross_attention_dim=2 * WIDTH,
        norm_num_groups=8,
    )
    pipeline = StableDiffusionXLPipeline(
        vae=tiny.autoencoder(),
        text_encoder=tiny.text_encoder(),
        text_encoder_2=_projecting_text_encoder(),
        tokenizer=tiny.tokenizer(pieces),
        tokenizer_2=tiny.tokenizer(pieces),
        unet=unet,
        # The one draws noise at each step, the other does not.
        scheduler=EulerAncestralDiscreteScheduler(timestep_spacing="trailing")
        if preset.name == "sdxl-turbo"
        else EulerDiscreteScheduler(),
    )
    adapter = tiny.adapter(unet, width=2 * WIDTH) if preset.adapter is not None else None
    return Made(pipeline, tiny.image_encoder(), _clip_processor(), adapter)


def _sd3(preset: Preset, pieces: Path) -> Made:
    transformer = SD3Transformer2DModel(
        sample_size=SIZE // 8,
        patch_size=2,
        in_channels=4,
        num_layers=2,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=WIDTH * 2,
        caption_projection_dim=32,
        pooled_projection_dim=2 * WIDTH,
        pos_embed_max_size=16,
        out_channels=4,
    )
    pipeline = StableDiffusion3Pipeline(
        transformer=transformer,
        scheduler=FlowMatchEulerDiscreteScheduler(),
        vae=tiny.autoencoder(shift_factor=0.06, scaling_factor=1.5),
        text_encoder=_projecting_text_encoder(),
        tokenizer=tiny.tokenizer(pieces),
        text_encoder_2=_projecting_text_encoder(),
        tokenizer_2=tiny.tokenizer(pieces),
        text_encoder_3=_t5(WIDTH * 2),
        tokenizer_3=_t5_tokenizer(),
    )
    config = SiglipVisionConfig(
        hidden_size=WIDTH,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        image_size=32,
        patch_size=8,
    )
    encoder = SiglipVisionModel(config).eval()
    processor = SiglipImageProcessor(size={"height": 32, "width": 32})
    return Made(pipeline, encoder, processor, _sd3_adapter(transformer))


def _flux(preset: Preset, pieces: Path) -> Made:
    transformer = FluxTransformer2DModel(
        patch_size=1,
        in_channels=16,
        num_layers=2,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=WIDTH,
        pooled_projection_dim=WIDTH,
        axes_dims_rope=(4, 4, 8),
        guidance_embeds=preset.name == "flux-dev",
    )
    pipeline = FluxPipeline(
        transformer=transformer,
        scheduler=FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=preset.name == "flux-dev"),
        vae=tiny.autoencoder(shift_factor=0.06, scaling_factor=1.5),
        text_encoder=tiny.text_encoder(),
        tokenizer=tiny.tokenizer(pieces),
        text_encoder_2=_t5(WIDTH),
        tokenizer_2=_t5_tokenizer(),
    )
    return Made(pipeline, tiny.image_encoder(), _clip_processor(), _flux_adapter(transformer))


BUILDERS: dict[str, Callable[[Preset, Path], Made]] = {
    "StableDiffusionPipeline": _sd,
    "StableDiffusionXLPipeline": _sdxl,
    "StableDiffusion3Pipeline": _sd3,
    "FluxPipeline": _flux,
}


def _clip_processor() -> CLIPImageProcessor:
    return CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=32)


def _projecting_text_encoder() -> CLIPTextModelWithProjection:
    config = CLIPTextConfig(
        vocab_size=514,
        hidden_size=WIDTH,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=77,
        bos_token_id=512,
        eos_token_id=513,
        pad_token_id=513,
        projection_dim=WIDTH,
    )
    return CLIPTextModelWithProjection(config).eval()


def _t5(width: int) -> T5EncoderModel:
    config = T5Config(
        vocab_size=128, d_model=width, d_kv=8, d_ff=64, num_layers=1, num_heads=4, dense_act_fn="gelu_new"
    )
    return T5EncoderModel(config).eval()


def _t5_tokenizer() -> T5Tokenizer:
    """Single letters: every text has tokens."""
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0)]
    pieces += [(chr(code), -3.0) for code in range(33, 127) if chr(code) not in "<>"]
    return T5Tokenizer(vocab=pieces, extra_ids=0)


def _lora(unet: UNet2DConditionModel) -> dict[str, torch.Tensor]:
    """A LoRA of rank 2 for the attention of the middle block, with keys as most SDXL LoRAs have them."""
    tensors = {}
    size = unet.mid_block.attentions[0].transformer_blocks[0].attn1.inner_dim
    for part in ("to_q", "to_v"):
        name = f"lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_{part}"
        tensors[f"{name}.lora_down.weight"] = tiny.random(2, size)
        tensors[f"{name}.lora_up.weight"] = torch.randn(size, 2)
        tensors[f"{name}.alpha"] = torch.tensor(2.0)
    return tensors


def _sd3_adapter(transformer: SD3Transformer2DModel) -> dict[str, torch.Tensor]:
    inner = transformer.config.attention_head_dim * transformer.config.num_attention_heads
    projection = IPAdapterTimeImageProjection(
        embed_dim=WIDTH,
        output_dim=inner,
        hidden_dim=HIDDEN,
        heads=HIDDEN // 64,
        num_queries=TOKENS,
        timestep_in_dim=32,
    )
    tensors = {f"image_proj.{name}": value for name, value in projection.state_dict().items()}
    for number in range(len(transformer.attn_processors)):
        processor = SD3IPAdapterJointAttnProcessor2_0(
            hidden_size=inner,
            ip_hidden_states_dim=inner,
            head_dim=transformer.config.attention_head_dim,
            timesteps_emb_dim=HIDDEN,
        )
        state = processor.state_dict()
        tensors |= {f"ip_adapter.{number}.{name}": value for name, value in state.items()}
    return {name: value.contiguous().clone() for name, value in tensors.items()}


def _flux_adapter(transformer: FluxTransformer2DModel) -> dict[str, torch.Tensor]:
    """Keys as XLabs' files have them."""
    joint, inner = transformer.config.joint_attention_dim, transformer.inner_dim
    tensors = {
        "ip_adapter_proj_model.proj.weight": tiny.random(joint * TOKENS, WIDTH),
        "ip_adapter_proj_model.proj.bias": torch.zeros(joint * TOKENS),
        "ip_adapter_proj_model.norm.weight": torch.ones(joint),
        "ip_adapter_proj_model.norm.bias": torch.zeros(joint),
    }
    for number in range(transformer.config.num_layers):
        for side in ("k", "v"):
            name = f"double_blocks.{number}.processor.ip_adapter_double_stream_{side}_proj"
            tensors[f"{name}.weight"] = tiny.random(inner, joint)
            tensors[f"{name}.bias"] = torch.zeros(inner)
    return tensors
