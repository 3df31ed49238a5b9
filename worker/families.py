"""What the pipelines of diffusers want differently: how they are guided, and how an image adapter is fed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from diffusers.models.embeddings import ImageProjection

from app.errors import OperatorError
from app.presets import Adapter, Preset

if TYPE_CHECKING:
    from worker.pipelines import Shot


@dataclass(frozen=True)
class Family:
    """Stable Diffusion and SDXL: a UNet, guided by a second pass that sees the negative prompt.

    `half` is the precision on a GPU that lacks bfloat16; some weights overflow in float16. Every family can
    paint the images of several shots in one call, each with embeddings and a scale of its own: see
    worker.rows. `upcasts` says that the pipeline decodes in full precision where its autoencoder's
    configuration has `force_upcast`.
    """

    denoiser: str = "unet"
    half: torch.dtype = torch.float16
    upcasts: bool = False

    def network(self, pipeline: Any) -> Any:
        """The part of a pipeline that paints."""
        return getattr(pipeline, self.denoiser)

    def passes(self, pipeline: Any, shot: "Shot", preset: Preset) -> int:
        """2 where each step sees the negative prompt too. A UNet distilled for guidance takes it as a number
        instead."""
        return 2 if shot.guidance > 1 and pipeline.unet.config.time_cond_proj_dim is None else 1

    def guide(self, pipeline: Any, shots: "Sequence[Shot]", preset: Preset) -> dict[str, Any]:
        """The arguments of a call that say what to avoid, and how firmly to hold to the prompt."""
        return {"negative_prompt": avoided(shots), "guidance_scale": shots[0].guidance}

    def feed(
        self, pipeline: Any, rows: "Sequence[Shot]", preset: Preset, device: torch.device
    ) -> dict[str, Any]:
        """The arguments that carry the image embeddings of the shot of each image: one tensor (2n, 1, d), the
        negative ones first, or (n, 1, d) where there is no second pass."""
        sides = self._sides(pipeline, rows, device)
        sides = sides if self.passes(pipeline, rows[0], preset) == 2 else sides[1:]
        return {"ip_adapter_image_embeds": [sides.flatten(0, 1)]}

    def row_scales(self, pipeline: Any, rows: "Sequence[Shot]", preset: Preset) -> list[float]:
        """The adapter's scale for each row of the network's batch: an image has a row in each pass, and both
        passes are one batch."""
        return scales_of(rows) * self.passes(pipeline, rows[0], preset)

    def scale(self, pipeline: Any, adapter: Adapter, scale: float) -> None:
        """Set how strongly the adapter acts, block by block where it says so."""
        pipeline.set_ip_adapter_scale(scaled(adapter.blocks, scale) if adapter.blocks is not None else scale)

    def load_adapter(self, pipeline: Any, preset: Preset) -> None:
        """Give the pipeline's network the adapter of the preset. Raises what diffusers raises."""
        assert preset.adapter is not None
        pipeline.load_ip_adapter(
            str(preset.folder),
            subfolder=preset.adapter.folder,
            weight_name=preset.adapter.file,
            local_files_only=True,
            **self._no_encoder(),
        )

    def adapter_width(self, pipeline: Any) -> int | None:
        """How many numbers of an embedding the loaded adapter takes; None where it takes no embedding."""
        layer = self.network(pipeline).encoder_hid_proj.image_projection_layers[0]
        return int(layer.image_embeds.in_features) if isinstance(layer, ImageProjection) else None

    def unpack(self, pipeline: Any, latents: torch.Tensor, shot: "Shot") -> torch.Tensor:
        """Latents as a step's callback gets them, as (n, c, h, w)."""
        return latents

    def _no_encoder(self) -> dict[str, Any]:
        return {"image_encoder_folder": None}

    def _sides(self, pipeline: Any, rows: "Sequence[Shot]", device: torch.device) -> torch.Tensor:
        """The embeddings of each image, (2, n, 1, d), the negative ones first."""
        tastes = [row.conditioning for row in rows if row.conditioning is not None]
        sides = np.stack([[one.negative for one in tastes], [one.positive for one in tastes]])[:, :, None]
        return torch.from_numpy(sides).to(self.network(pipeline).dtype).to(device)  # not all know float64


@dataclass(frozen=True)
class StableDiffusion3(Family):
    """A transformer whose adapter reads an image's patches, and sees how far the painting is.

    A taste is one embedding, not patches: every patch gets it. (An average over patches is what the encoder
    stores, see worker.encoders.)
    """

    denoiser: str = "transformer"
    half: torch.dtype = torch.bfloat16

    def passes(self, pipeline: Any, shot: "Shot", preset: Preset) -> int:
        return 2 if shot.guidance > 1 else 1

    def feed(
        self, pipeline: Any, rows: "Sequence[Shot]", preset: Preset, device: torch.device
    ) -> dict[str, Any]:
        config = pipeline.image_encoder.config
        patches = (config.image_size // config.patch_size) ** 2
        (sides,) = super().feed(pipeline, rows, preset, device)["ip_adapter_image_embeds"]
        return {"ip_adapter_image_embeds": sides.expand(-1, patches, -1)}

    def scale(self, pipeline: Any, adapter: Adapter, scale: float) -> None:
        if adapter.blocks is not None:
            raise OperatorError("The adapter of a StableDiffusion3Pipeline has one scale: drop `blocks`.")
        pipeline.set_ip_adapter_scale(scale)

    def adapter_width(self, pipeline: Any) -> int | None:
        return int(pipeline.transformer.image_proj.proj_in.in_features)


@dataclass(frozen=True)
class Flux(Family):
    """A transformer that was taught guidance as a number. A second pass is made under true guidance only, and
    is a batch of its own.

    Without negative embeddings the pipeline would encode a black image, so it is always given them.
    """

    denoiser: str = "transformer"
    half: torch.dtype = torch.bfloat16

    def passes(self, pipeline: Any, shot: "Shot", preset: Preset) -> int:
        return 2 if preset.true_guidance > 1 else 1

    def guide(self, pipeline: Any, shots: "Sequence[Shot]", preset: Preset) -> dict[str, Any]:
        options: dict[str, Any] = {"guidance_scale": shots[0].guidance}
        if self.passes(pipeline, shots[0], preset) == 2:
            # With no negative prompt at all the pipeline would leave the second pass out, and one for several
            # prompts it does not repeat.
            options |= {"negative_prompt": negatives(shots), "true_cfg_scale": preset.true_guidance}
        return options

    def feed(
        self, pipeline: Any, rows: "Sequence[Shot]", preset: Preset, device: torch.device
    ) -> dict[str, Any]:
        negative, positive = self._sides(pipeline, rows, device)
        return {
            "ip_adapter_image_embeds": [positive],
            "negative_ip_adapter_image_embeds": [negative],
        }

    def row_scales(self, pipeline: Any, rows: "Sequence[Shot]", preset: Preset) -> list[float]:
        return scales_of(rows)

    def unpack(self, pipeline: Any, latents: torch.Tensor, shot: "Shot") -> torch.Tensor:
        unpacked: torch.Tensor = pipeline._unpack_latents(
            latents, shot.height, shot.width, pipeline.vae_scale_factor
        )
        return unpacked

    def _no_encoder(self) -> dict[str, Any]:
        return {"image_encoder_pretrained_model_name_or_path": None}


FAMILIES: dict[str, Family] = {
    "StableDiffusionPipeline": Family(),
    "StableDiffusionXLPipeline": Family(upcasts=True),
    "StableDiffusion3Pipeline": StableDiffusion3(),
    "FluxPipeline": Flux(),
}


def avoided(shots: "Sequence[Shot]") -> str | list[str] | None:
    """The negative prompts, or None. An empty one is not the same as none to every pipeline."""
    return negatives(shots) if shots[0].negative else None


def negatives(shots: "Sequence[Shot]") -> str | list[str]:
    """The negative prompt of one shot, or that of each image of several."""
    return shots[0].negative if len(shots) == 1 else [shot.negative for shot in shots for _ in shot.seeds]


def scales_of(rows: "Sequence[Shot]") -> list[float]:
    """The adapter's scale for each image."""
    return [row.conditioning.scale for row in rows if row.conditioning is not None]


def scaled(blocks: Any, scale: float) -> Any:
    """The scale of each block: its share of `scale`."""
    if isinstance(blocks, dict):
        return {name: scaled(share, scale) for name, share in blocks.items()}
    if isinstance(blocks, list):
        return [share * scale for share in blocks]
    return blocks * scale
