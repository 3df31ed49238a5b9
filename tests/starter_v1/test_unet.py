"""What the UNet is trained on: embeddings of pictures that look alike, captions, and "nothing said"."""

import numpy as np
import torch

from starter_v1 import unet, vision
from starter_v1.attributes import balanced


def alike() -> unet.Alike:
    codes = balanced(3000, 1)
    medium = np.eye(vision.WIDTH, dtype=np.float32)[codes[:, 1]]
    return unet.Alike(medium * vision.NORM, codes)


def test_an_embedding_comes_from_pictures_of_the_same_medium_or_palette() -> None:
    group = alike()
    members = group.group(5, (1, 2))
    assert 5 in members
    assert (group.codes[members][:, 1:3] == group.codes[5, 1:3]).all()
    rng = np.random.default_rng(0)
    drawn = np.stack([group.draw(5, rng) for _ in range(200)])
    assert np.allclose(np.linalg.norm(drawn, axis=1), vision.NORM, atol=1.0)
    assert (drawn.argmax(1) == group.codes[5, 1]).mean() > 0.85


def test_conditions_sometimes_say_nothing_and_are_without_embeddings_when_not_adapted() -> None:
    group = alike()
    index = list(range(400))
    captions, embeddings = unet.conditions(index, group.codes, group, True, np.random.default_rng(1))
    nothing = np.linalg.norm(embeddings, axis=1) == 0
    assert 0.05 < nothing.mean() < 0.2
    assert 0.06 < np.mean([caption == "" for caption in captions]) < 0.2
    _, none = unet.conditions(index[:20], group.codes, group, False, np.random.default_rng(1))
    assert not none.any()


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
