"""A gallery whose embeddings tell its attributes, and the tiny model that paints for those who rate it."""

import numpy as np

from app.taste.codes import FrozenTaste
from app.taste.conditioning import taste_embedding
from app.taste.space import Space, fit_space
from benchmarks.personalisation.gallery import Gallery, of_attributes
from benchmarks.personalisation.studio import Images, Look, Studio
from benchmarks.personalisation.work import World
from starter.attributes import HOW, NAMES, balanced, from_codes
from tests.worker import tiny

IMAGES = 896  # as many as come with the starter
COMPONENTS = 20


def make_gallery(count: int = IMAGES) -> Gallery:
    """Embeddings of the tiny model's width: the look through one random matrix, and a little noise.

    The text's are those of the subject.
    """
    rng = np.random.default_rng(5)
    codes = balanced(count, 5)
    attributes = [from_codes(row).as_dict() for row in codes]
    columns = [np.eye(len(NAMES[name]))[codes[:, list(NAMES).index(name)]] for name in HOW]
    looks = np.concatenate(columns, axis=1)
    image = looks @ rng.standard_normal((looks.shape[1], tiny.WIDTH)) + 0.3 * rng.standard_normal(
        (count, tiny.WIDTH)
    )
    text = rng.standard_normal((len(NAMES["subject"]), tiny.WIDTH))[codes[:, 0]]
    return of_attributes(attributes, image, text, [f"picture {n}" for n in range(count)])


def make_space(gallery: Gallery) -> Space:
    return fit_space(gallery.image, COMPONENTS, encoder=tiny.ENCODER, version=1)


class Obedient(Studio):
    """Paints the look of the image nearest to the taste, the more often the higher the strength, or any look.

    An image's first pixels are the numbers of what it shows, so that it can be looked at without fail.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        prompts = (prompt for group in world.plan.groups() for prompt in world.prompts(group))
        self.subject = {prompt.text: prompt.subject for prompt in prompts}

    def paint(
        self, prompt: str, *, seed: int, count: int, stylize: int = 0, taste: FrozenTaste | None = None
    ) -> Images:
        images = np.zeros((count, 8, 8, 3), np.uint8)
        for number, image in enumerate(images):
            rng = np.random.default_rng(seed + number)
            codes = [self.subject[prompt], *(int(rng.integers(len(NAMES[name]))) for name in HOW)]
            if taste is not None and rng.random() < np.sqrt(stylize / 1000):
                codes[1:] = self.liked(taste)
            image[0, : len(codes), 0] = codes
        return images

    def liked(self, taste: FrozenTaste) -> list[int]:
        gallery = self.world.gallery
        wanted = taste_embedding(taste, self.world.space, guard=False).positive
        nearest = int(np.linalg.norm(gallery.image - wanted, axis=1).argmin())
        return [int(gallery.seen[name][nearest].argmax()) for name in HOW]

    def look(self, images: Images) -> Look:
        seen = {
            name: np.eye(len(NAMES[name]), dtype=np.float32)[images[:, 0, place, 0]]
            for place, name in enumerate(("subject", *HOW))
        }
        return Look(seen, np.concatenate(list(seen.values()), axis=1))
