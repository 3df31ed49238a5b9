"""What the UNet is trained on: embeddings of pictures that look alike, captions, and "nothing said"."""

import numpy as np
import torch

from starter import conditions, losses, unet, vision
from starter.attributes import balanced


def alike() -> conditions.Alike:
    codes = balanced(3000, 1)
    medium = np.eye(vision.WIDTH, dtype=np.float32)[codes[:, 1]]
    return conditions.Alike(medium * vision.NORM, codes)


def test_an_embedding_comes_from_pictures_of_the_same_medium_or_palette() -> None:
    group = alike()
    members = group.group(group.codes[5], (1, 2))
    assert 5 in members
    assert (group.codes[members][:, 1:3] == group.codes[5, 1:3]).all()
    rng = np.random.default_rng(0)
    drawn = np.stack([group.draw(group.codes[5], rng) for _ in range(200)])
    assert np.allclose(np.linalg.norm(drawn, axis=1), vision.NORM, atol=1.0)
    assert (drawn.argmax(1) == group.codes[5, 1]).mean() > 0.85


def test_conditions_sometimes_say_nothing_and_are_without_embeddings_when_not_adapted() -> None:
    group = alike()
    given = conditions.conditions(group.codes[:400], group, True, np.random.default_rng(1))
    nothing = np.linalg.norm(given.embeddings, axis=1) == 0
    assert 0.05 < nothing.mean() < 0.2
    silent = np.array([caption == "" for caption in given.captions])
    assert 0.06 < silent.mean() < 0.2
    assert not conditions.conditions(
        group.codes[:20], group, False, np.random.default_rng(1)
    ).embeddings.any()


def test_adapter_weights_come_out_in_the_published_layout() -> None:
    built = unet.build()
    state = unet.adapter_state(built)
    assert {key.split(".")[0] for key in state["image_proj"]} == {"proj", "norm"}
    numbers = sorted({int(key.split(".")[0]) for key in state["ip_adapter"]})
    assert numbers == [2 * i + 1 for i in range(len(numbers))]
    again = unet.build()
    again._load_ip_adapter_weights([state], low_cpu_mem_usage=False)
    for part, values in unet.adapter_state(again).items():
        for key, value in values.items():
            assert torch.equal(value, state[part][key]), key


def test_an_embedding_never_comes_from_the_picture_itself() -> None:
    codes = np.tile(balanced(1, 1), (3, 1))
    codes[:, 0] = (0, 1, 2)
    group = conditions.Alike(np.eye(3, vision.WIDTH, dtype=np.float32) * vision.NORM, codes)
    rng = np.random.default_rng(0)
    drawn = np.stack([group.mean(codes[1], (1, 2, 3, 4), 1, rng) for _ in range(40)])
    assert not drawn[:, 1].any()


def test_coarse_errors_weigh_more_than_fine_ones_and_a_shift_of_all_as_the_plain_square() -> None:
    fine = torch.ones(1, 8, 32, 32)
    fine[..., ::2] = -1
    coarse = torch.ones(1, 8, 32, 32)
    coarse[..., :16] = -1
    assert losses.error(torch.ones(1, 8, 32, 32)).item() == 1
    assert losses.error(fine).item() == 1
    assert losses.error(coarse).item() == 1 + sum(weight for _, weight in losses.SCALES)
    assert losses.error(torch.zeros(2, 8, 24, 48)).tolist() == [0, 0]


def test_only_what_lies_between_hidden_features_is_inner() -> None:
    inner = {name for name, value in unet.build().named_parameters() if unet.is_inner(name, value)}
    assert any(name.endswith("conv1.weight") for name in inner)
    assert any("to_k_ip" in name for name in inner)
    assert not any(name.startswith(("conv_in", "conv_out", "add_embedding")) for name in inner)
    assert not any("norm" in name or name.endswith("bias") for name in inner)
