"""Captions from a grammar rich in synonyms; also the vocabulary that ties people's words to attributes."""

from __future__ import annotations

import numpy as np

from starter_v1.attributes import Attributes

SUBJECT_WORDS: dict[str, tuple[str, ...]] = {
    "mountains": ("mountains", "a mountain", "a mountain range", "snowy peaks", "the alps",
                  "an alpine summit", "high peaks",
                  "a mountain landscape", "a snow-capped mountain", "a volcano", "hills and a peak",
                  "mount fuji"),
    "sailboat": ("a sailboat", "a boat", "a sailing boat", "a ship at sea", "a yacht",
                 "a boat on the sea", "a small ship",
                 "a ship", "a sailboat on the water", "the sea with a boat", "the ocean and a sail",
                 "a regatta"),
    "city": ("a city", "a skyline", "a city skyline", "skyscrapers", "a town", "tall buildings",
             "a metropolis", "downtown",
             "an urban landscape", "new york", "tower blocks", "a street of high-rises", "tokyo",
             "a cityscape"),
    "flower": ("a flower", "flowers", "a blossom", "a daisy", "a sunflower", "a rose", "a bloom",
               "a wildflower", "a flower in a garden",
               "a poppy", "a bouquet", "a blooming plant", "a tulip"),
    "lighthouse": ("a lighthouse", "a lighthouse on a rock", "a beacon", "a light tower by the sea",
                   "a lighthouse on the coast",
                   "an old lighthouse", "a beacon on a cliff", "the lighthouse"),
    "cat": ("a cat", "a kitten", "a sitting cat", "a house cat", "a kitty", "a curious cat",
            "a portrait of a cat", "the cat",
            "a cat with a long tail", "a feline", "an animal", "a pet"),
    "rocket": ("a rocket", "a spaceship", "a rocket launch", "a space rocket", "a rocket ship",
               "a spacecraft", "a flying rocket",
               "a starship", "a rocket taking off", "space travel"),
    "bridge": ("a bridge", "a suspension bridge", "a bridge over a river", "the golden gate bridge",
               "a long bridge", "a hanging bridge",
               "a bridge across the bay", "a bridge with two towers", "an old bridge"),
    "tree": ("a tree", "an oak", "a lone tree", "a big tree", "an apple tree", "a tree on a hill",
             "a tree with fruit", "an old oak tree",
             "a leafy tree", "a forest tree", "a maple"),
    "fish": ("a fish", "a tropical fish", "a goldfish", "a fish under water", "a swimming fish",
             "a fish in an aquarium", "sea life",
             "a striped fish", "a fish in the deep sea", "a koi"),
    "house": ("a house", "a cottage", "a home", "a small house", "a cabin", "a hut", "a farmhouse",
              "a house in the country",
              "a house with a red roof", "a little cottage", "a village house", "a building with a roof"),
    "balloon": ("a hot air balloon", "a balloon", "an air balloon", "a hot-air balloon in the sky",
                "a floating balloon",
                "a striped balloon", "a balloon ride", "a balloon over the hills"),
}  # fmt: skip

MEDIUM_WORDS: dict[str, tuple[str, ...]] = {
    "flat": ("flat vector art", "flat design", "a vector illustration", "a minimal poster",
             "flat colours", "a clean graphic",
             "a flat illustration", "vector graphics", "modern graphic design"),
    "papercut": ("paper cut", "papercut art", "cut paper", "a paper collage", "layered paper",
                 "paper craft", "a paper cut-out",
                 "origami paper layers"),
    "watercolour": ("watercolour", "watercolor", "a watercolour painting", "a watercolor wash",
                    "aquarelle", "soft watercolours",
                    "a loose watercolor", "wet on wet painting"),
    "oil": ("oil painting", "an oil painting", "thick oil paint", "impasto", "oil on canvas",
            "brush strokes", "painterly strokes",
            "expressive brushwork", "van gogh", "impressionist painting"),
    "neon": ("neon", "neon lights", "a neon sign", "glowing neon", "neon tubes", "glowing lines",
             "synthwave neon", "cyberpunk glow",
             "fluorescent light"),
    "ink": ("ink drawing", "pen and ink", "ink hatching", "cross-hatching", "a line drawing",
            "a pen sketch", "black ink lines",
            "hatched lines", "an etching", "an engraving", "a sketch"),
    "woodblock": ("woodblock print", "a woodcut", "ukiyo-e", "a japanese woodblock print", "a linocut",
                  "block print", "hokusai",
                  "a print with bold outlines", "wood grain print"),
    "pixel": ("pixel art", "8-bit", "a retro video game", "pixelated", "8-bit pixel art", "pixels",
              "a game sprite", "16-bit graphics",
              "blocky pixels"),
    "pointillism": ("pointillism", "a pointillist painting", "dots of paint", "made of dots", "dotted",
                    "seurat", "many small dots",
                    "stippling", "coloured dots"),
    "glass": ("stained glass", "a stained glass window", "leaded glass", "a church window",
              "a glass mosaic", "stained-glass panels",
              "a cathedral window", "coloured glass"),
}  # fmt: skip

PALETTE_WORDS: dict[str, tuple[str, ...]] = {
    "sunset": ("sunset colours", "warm orange and purple", "a sunset palette", "orange tones",
               "fiery orange and plum", "warm colours",
               "orange and violet", "golden orange"),
    "ocean": ("ocean blues", "blue and teal", "an ocean palette", "cool blues", "aqua and navy",
              "cool colours", "sea colours", "blue tones",
              "turquoise and blue"),
    "forest": ("forest greens", "green tones", "moss and leaf green", "a forest palette",
               "natural greens", "green", "olive and green",
               "earthy green"),
    "pastel": ("pastel colours", "soft pastels", "pale pink and lavender", "a pastel palette",
               "pale colours", "gentle pink and lilac",
               "muted pastel tones", "light pink"),
    "sepia": ("sepia", "brown tones", "sepia tones", "a vintage brown palette", "coffee and cream",
              "earth tones", "brown and beige",
              "old photograph colours"),
    "mono": ("black and white", "monochrome", "grey tones", "greyscale", "grayscale", "shades of grey",
             "no colour", "noir"),
    "candy": ("candy colours", "pink and cyan", "magenta and cyan", "vaporwave colours",
              "hot pink and purple", "a candy palette",
              "bubblegum colours", "bright pink"),
    "crimson": ("crimson", "red and black", "deep red", "a crimson palette", "blood red",
                "scarlet tones", "red tones", "all in red"),
    "royal": ("royal blue and gold", "navy and gold", "blue and yellow", "a royal palette",
              "gold and indigo", "indigo and gold",
              "golden yellow and blue"),
    "tropical": ("tropical colours", "teal and coral", "a tropical palette", "coral and turquoise",
                 "teal, coral and yellow",
                 "summer colours", "mint and coral"),
}  # fmt: skip

LIGHT_WORDS: dict[str, tuple[str, ...]] = {
    "day": ("by day", "in daylight", "in bright light", "at noon", "on a bright day", "bright",
            "in the morning", "under a light sky",
            "in full sun"),
    "dusk": ("at dusk", "at sunset", "in the evening", "at golden hour", "at twilight",
             "in evening light", "at sundown", "with a low sun"),
    "night": ("at night", "by night", "under a dark sky", "in the dark", "at midnight",
              "under the moon", "dark", "by moonlight",
              "in the moonlight"),
}  # fmt: skip

DENSITY_WORDS: dict[str, tuple[str, ...]] = {
    "sparse": ("minimal", "minimalist", "sparse", "simple", "very simple", "with empty space",
               "uncluttered", "clean and empty",
               "with few elements"),
    "balanced": ("balanced", "moderately detailed", "with some detail", "a balanced composition",
                 "calm composition"),
    "busy": ("busy", "detailed", "very detailed", "full of detail", "crowded", "intricate",
             "rich in detail", "dense", "highly detailed"),
}  # fmt: skip

VOCABULARY: dict[str, dict[str, tuple[str, ...]]] = {
    "subject": SUBJECT_WORDS,
    "medium": MEDIUM_WORDS,
    "palette": PALETTE_WORDS,
    "light": LIGHT_WORDS,
    "density": DENSITY_WORDS,
}

FILLERS = (
    "beautiful", "a picture of", "an image of", "high quality", "art", "artwork", "poster",
    "illustration", "lovely", "my favourite",
    "masterpiece", "for my wall", "a scene with", "please", "nice", "dreamy", "elegant", "trending",
    "cover art", "by an old master",
    "with feeling", "quiet", "big", "small", "strange", "wallpaper", "painting", "drawing", "print",
    "postcard", "very", "the", "and",
)  # fmt: skip

# How often each attribute is mentioned in a free caption.
MENTION = {"subject": 0.94, "medium": 0.68, "palette": 0.55, "light": 0.5, "density": 0.35}


class Speaker:
    """Makes captions with one random generator."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng

    def pick(self, words: tuple[str, ...]) -> str:
        return words[int(self.rng.integers(len(words)))]

    def chance(self, p: float) -> bool:
        return bool(self.rng.random() < p)

    def word(self, attributes: Attributes, name: str) -> str:
        return self.pick(VOCABULARY[name][attributes.as_dict()[name]])

    def free(self, attributes: Attributes) -> tuple[str, frozenset[str]]:
        """A caption that mentions some attributes, and which it mentions."""
        said = [name for name, p in MENTION.items() if self.chance(p)] or ["subject"]
        return self.say(attributes, said), frozenset(said)

    def plain(self, attributes: Attributes) -> tuple[str, frozenset[str]]:
        """A caption of the subject alone: nothing of how it looks."""
        return self.say(attributes, ["subject"]), frozenset(["subject"])

    def say(self, attributes: Attributes, said: list[str]) -> str:
        """A caption of exactly these attributes."""
        parts = {name: self.word(attributes, name) for name in said}
        text = self.sentence(parts) if "subject" in parts and self.chance(0.6) else self.listing(parts)
        return self.dress(text)

    def sentence(self, parts: dict[str, str]) -> str:
        text = parts["subject"]
        if "density" in parts:
            density = parts["density"]
            if density.startswith(("with", "full", "rich", "a ", "clean", "calm")) or self.chance(0.4):
                text = f"{text}, {density}"
            else:
                text = f"{density} {bare(text)}" if self.chance(0.5) else f"{text} {density}"
        if "light" in parts:
            light = parts["light"]
            text = f"{light} {bare(text)}" if light in ("bright", "dark") else f"{text} {light}"
        if "medium" in parts:
            text = self.with_medium(text, parts["medium"])
        if "palette" in parts:
            text = self.with_palette(text, parts["palette"])
        return text

    def with_medium(self, text: str, medium: str) -> str:
        name = bare(medium)
        forms = (f"{medium} of {text}", f"{text} in the style of {name}", f"{text} as {medium}",
                 f"{text}, {medium}", f"{text}, {name} style",
                 f"{name} style {text}", f"{text} in {name}", f"{name}, {text}",
                 f"{text} made with {name}", f"{name} {bare(text)}")  # fmt: skip
        return self.pick(forms)

    def with_palette(self, text: str, palette: str) -> str:
        name = bare(palette)
        forms = (f"{text} in {palette}", f"{text}, {palette}", f"{palette}, {text}",
                 f"{text} with {palette}", f"{name} {bare(text)}",
                 f"{text} coloured in {palette}", f"{text}, palette of {name}")  # fmt: skip
        return self.pick(forms)

    def listing(self, parts: dict[str, str]) -> str:
        order = self.rng.permutation(list(parts))
        words = [bare(parts[name]) if self.chance(0.5) else parts[name] for name in order]
        return self.pick((", ", ", ", " ", " - ", "; ")).join(words)

    def dress(self, text: str) -> str:
        """Filler words, an odd word nobody knows, capitals: what people type."""
        if self.chance(0.35):
            filler = self.pick(FILLERS)
            text = f"{filler} {text}" if self.chance(0.6) else f"{text}, {filler}"
        if self.chance(0.12):
            letters = "".join(
                chr(97 + int(c)) for c in self.rng.integers(0, 26, int(self.rng.integers(3, 9)))
            )
            words = text.split(" ")
            words.insert(int(self.rng.integers(len(words) + 1)), letters)
            text = " ".join(words)
        return text.capitalize() if self.chance(0.2) else text


def bare(text: str) -> str:
    """The words without a leading article."""
    for article in ("a ", "an ", "the "):
        if text.startswith(article):
            return text[len(article) :]
    return text
