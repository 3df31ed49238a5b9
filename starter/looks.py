"""Words for how pictures look: medium, palette, light, density, weather, season, framing and symmetry.

Adjectives go before what is shown ("a rainy castle"); phrases go after it ("a castle in the rain").
"""

from __future__ import annotations

Words = dict[str, tuple[str, ...]]

MEDIUM_WORDS: Words = {
    "flat": ("flat vector art", "flat design", "a vector illustration", "a minimal poster", "flat colours",
             "a clean graphic", "a flat illustration", "vector graphics", "modern graphic design",
             "a travel poster", "vector art", "flat"),
    "papercut": ("paper cut", "papercut art", "cut paper", "a paper collage", "layered paper",
                 "paper craft", "a paper cut-out", "origami paper layers", "papercut", "paper art",
                 "a collage"),
    "watercolour": ("watercolour", "watercolor", "a watercolour painting", "a watercolor wash", "aquarelle",
                    "soft watercolours", "a loose watercolor", "wet on wet painting", "watercolours",
                    "gouache"),
    "oil": ("oil painting", "an oil painting", "thick oil paint", "impasto", "oil on canvas",
            "brush strokes", "painterly strokes", "expressive brushwork", "van gogh",
            "impressionist painting", "oil", "oils", "acrylic paint", "monet"),
    "neon": ("neon", "neon lights", "a neon sign", "glowing neon", "neon tubes", "glowing lines",
             "synthwave neon", "cyberpunk glow", "fluorescent light", "synthwave", "cyberpunk"),
    "ink": ("ink drawing", "pen and ink", "ink hatching", "cross-hatching", "a pen drawing", "a pen sketch",
            "ink lines", "hatched lines", "an etching", "an engraving", "ink", "a pen"),
    "woodblock": ("woodblock print", "a woodcut", "ukiyo-e", "a japanese woodblock print", "a linocut",
                  "block print", "hokusai", "a print with bold outlines", "wood grain print", "woodblock",
                  "hiroshige"),
    "pixel": ("pixel art", "8-bit", "a retro video game", "pixelated", "8-bit pixel art", "pixels",
              "a game sprite", "16-bit graphics", "blocky pixels", "pixel", "minecraft"),
    "pointillism": ("pointillism", "a pointillist painting", "dots of paint", "made of dots", "dotted",
                    "seurat", "many small dots", "stippling", "coloured dots", "pointillist",
                    "tiny dots of paint"),
    "glass": ("stained glass", "a stained glass window", "leaded glass", "a church window",
              "stained-glass panels", "a cathedral window", "coloured glass", "glass", "a tiffany window",
              "lead and glass"),
    "halftone": ("halftone", "halftone dots", "a comic book print", "pop art", "a screen print",
                 "a risograph", "newspaper print", "a comic", "a comic book", "printed dots",
                 "a silkscreen", "roy lichtenstein", "a comic panel"),
    "charcoal": ("charcoal", "a charcoal drawing", "a pencil drawing", "a pencil sketch", "pencil",
                 "graphite", "a chalk drawing", "smudged charcoal", "a charcoal sketch", "conte crayon",
                 "a sketch"),
    "mosaic": ("mosaic", "a mosaic", "mosaic tiles", "a roman mosaic", "tesserae", "a byzantine mosaic",
               "small tiles", "a tile mosaic", "ceramic tiles", "a mosaic of stones", "gaudi tiles"),
    "line": ("line art", "a line drawing", "a single line", "one line drawing", "outlines",
             "a continuous line drawing", "clean line art", "a contour drawing", "thin lines",
             "an outline drawing", "line work"),
}  # fmt: skip

PALETTE_ADJECTIVES: Words = {
    "sunset": ("orange", "fiery", "warm"),
    "ocean": ("blue", "aqua", "turquoise", "teal", "cool blue"),
    "forest": ("green", "olive green", "moss green"),
    "pastel": ("pastel", "pale pink", "lilac", "soft pink"),
    "sepia": ("sepia", "brown", "beige", "sepia-toned"),
    "mono": ("black and white", "monochrome", "grey", "gray", "black", "greyscale"),
    "candy": ("pink", "hot pink", "magenta", "bubblegum pink"),
    "crimson": ("red", "crimson", "scarlet", "blood red"),
    "royal": ("royal blue", "gold", "golden", "indigo", "navy and gold"),
    "tropical": ("coral", "tropical", "teal and coral", "mint"),
    "violet": ("purple", "violet", "lavender", "mauve", "deep purple"),
    "lime": ("lime", "lime green", "yellow-green", "acid green", "chartreuse"),
    "terracotta": ("terracotta", "clay", "rust", "rusty", "ochre"),
    "ice": ("icy", "ice blue", "pale blue", "white", "frozen blue"),
    "autumn": ("amber", "russet", "copper", "maroon and gold"),
    "rainbow": ("rainbow", "colourful", "multicoloured", "colorful", "rainbow-coloured", "psychedelic"),
}  # fmt: skip
PALETTE_PHRASES: Words = {
    "sunset": ("sunset colours", "orange and purple", "a sunset palette", "orange tones",
               "fiery orange and plum", "warm colours", "orange and violet", "golden orange",
               "orange and pink"),
    "ocean": ("ocean blues", "blue and teal", "an ocean palette", "cool blues", "aqua and navy",
              "cool colours", "sea colours", "blue tones", "turquoise and blue", "shades of blue"),
    "forest": ("forest greens", "green tones", "moss and leaf green", "a forest palette", "natural greens",
               "olive and green", "earthy green", "shades of green", "emerald and olive"),
    "pastel": ("pastel colours", "soft pastels", "pale pink and lavender", "a pastel palette",
               "pale colours", "gentle pink and lilac", "muted pastel tones", "light pink", "pastels"),
    "sepia": ("sepia tones", "brown tones", "a vintage brown palette", "coffee and cream",
              "brown and beige", "old photograph colours", "faded browns", "a sepia palette"),
    "mono": ("grey tones", "grayscale", "shades of grey", "no colour", "noir", "black on white",
             "shades of gray", "no color", "b&w"),
    "candy": ("candy colours", "pink and cyan", "magenta and cyan", "vaporwave colours",
              "hot pink and purple", "a candy palette", "bubblegum colours", "bright pink"),
    "crimson": ("deep red", "red and black", "a crimson palette", "scarlet tones", "red tones",
                "all in red", "black and red", "shades of red"),
    "royal": ("royal blue and gold", "blue and yellow", "a royal palette", "gold and indigo",
              "indigo and gold", "golden yellow and blue", "gold and navy", "blue and gold"),
    "tropical": ("tropical colours", "a tropical palette", "coral and turquoise", "teal, coral and yellow",
                 "mint and coral", "coral and teal", "mango and teal"),
    "violet": ("violet tones", "purple and lilac", "a violet palette", "shades of purple", "purples",
               "plum and lavender", "purple tones", "amethyst and lavender"),
    "lime": ("lime and yellow", "a lime palette", "acid greens", "yellow and green", "lime tones",
             "neon green tones", "green and yellow", "citrus colours"),
    "terracotta": ("terracotta tones", "clay colours", "a terracotta palette", "earth tones",
                   "rust and sand", "burnt orange and clay", "burnt sienna", "baked earth colours",
                   "brick and sand"),
    "ice": ("icy blues", "an ice palette", "white and pale blue", "glacial colours", "pale blue and white",
            "ice blue and silver", "cold pale colours", "blue and white"),
    "autumn": ("autumn colours", "an autumn palette", "russet and gold", "amber and brown", "fall colors",
               "pumpkin and maroon", "orange and brown", "copper and gold"),
    "rainbow": ("rainbow colours", "all the colours of the rainbow", "every colour", "many colours",
                "a rainbow palette", "the whole spectrum", "bright rainbow colors", "psychedelic colours"),
}  # fmt: skip

LIGHT_ADJECTIVES: Words = {
    "day": ("bright", "daytime", "sunlit"),
    "dusk": ("twilight", "dusky", "sunset-lit"),
    "night": ("dark", "nocturnal", "moonlit", "night-time"),
}
LIGHT_PHRASES: Words = {
    "day": ("by day", "in daylight", "in bright light", "at noon", "on a bright day", "in the morning",
            "under a light sky", "in full sun", "during the day", "at midday"),
    "dusk": ("at dusk", "at sunset", "in the evening", "at golden hour", "at twilight", "in evening light",
             "at sundown", "with a low sun", "golden hour", "in the last light"),
    "night": ("at night", "by night", "under a dark sky", "in the dark", "at midnight", "by moonlight",
              "in the moonlight", "under the stars", "in the dead of night", "late at night"),
}  # fmt: skip
# What goes after "on a rainy ...": the light as a time of day.
LIGHT_TIMES: Words = {
    "day": ("day", "morning", "afternoon"), "dusk": ("evening", "dusk"), "night": ("night",),
}  # fmt: skip

DENSITY_ADJECTIVES: Words = {
    "sparse": ("minimal", "minimalist", "sparse", "simple", "very simple", "uncluttered"),
    "balanced": ("balanced", "moderately detailed"),
    "busy": ("busy", "detailed", "very detailed", "crowded", "intricate", "dense", "highly detailed",
             "elaborate"),
}  # fmt: skip
DENSITY_PHRASES: Words = {
    "sparse": (
        "with empty space",
        "clean and empty",
        "with few elements",
        "minimalism",
        "nothing else around",
    ),
    "balanced": (
        "with some detail",
        "a balanced composition",
        "calm composition",
        "neither empty nor crowded",
    ),
    "busy": ("full of detail", "rich in detail", "with many details", "lots of things", "packed with detail"),
}

WEATHER_ADJECTIVES: Words = {
    "clear": ("sunny", "cloudless", "fair-weather"),
    "rain": ("rainy", "rain-soaked", "wet", "drizzly", "stormy"),
    "snow": ("snowy", "snow-covered", "snowbound"),
    "fog": ("foggy", "misty", "hazy", "fog-bound"),
}
WEATHER_PHRASES: Words = {
    "clear": ("under a clear sky", "in clear weather", "in fair weather", "on a cloudless day", "sunshine"),
    "rain": ("in the rain", "in a downpour", "while it rains", "with rain falling", "in a rainstorm",
             "rain", "in heavy rain", "rainy weather", "in a storm"),
    "snow": ("in the snow", "in falling snow", "while it snows", "in a snowstorm", "snow", "in a blizzard",
             "with snowflakes", "snowfall", "covered in snow"),
    "fog": ("in the fog", "in the mist", "fog", "mist", "through the haze", "in thick fog",
            "shrouded in mist", "wrapped in fog", "morning mist"),
}  # fmt: skip

SEASON_ADJECTIVES: Words = {
    "any season": ("seasonless",),
    "spring": ("spring", "springtime", "vernal"),
    "summer": ("summer", "summery", "midsummer"),
    "autumn": ("autumn", "autumnal", "fall"),
    "winter": ("winter", "wintry", "midwinter", "frosty"),
}
SEASON_PHRASES: Words = {
    "any season": ("in any season", "at any time of year", "all year round", "whatever the season"),
    "spring": ("in spring", "in the spring", "in april", "in may", "cherry blossom time",
               "with spring petals", "in springtime"),
    "summer": ("in summer", "in the summer", "in july", "in high summer", "on a summer's day", "in august",
               "summer holidays"),
    "autumn": ("in autumn", "in the fall", "autumn leaves", "with falling leaves", "in october",
               "in november", "among autumn leaves"),
    "winter": ("in winter", "in the winter", "in december", "in january", "in deep winter",
               "on a winter's day", "at christmas"),
}  # fmt: skip

FRAMING_ADJECTIVES: Words = {
    "close": ("close-up", "close up", "macro"),
    "medium": ("medium-distance", "half-near"),
    "wide": ("faraway", "distant", "wide-angle", "panoramic"),
}
FRAMING_PHRASES: Words = {
    "close": ("close up", "up close", "a close-up", "seen from near", "filling the frame", "very near",
              "zoomed in", "from close by"),
    "medium": ("medium shot", "from a middle distance", "at medium distance", "seen from a little way off"),
    "wide": ("from far away", "a wide shot", "in the distance", "wide angle", "a wide view", "from afar",
             "a panorama", "zoomed out", "seen from a distance", "wide shot"),
}  # fmt: skip
# What goes before what is shown, with "of".
FRAMING_VIEWS: Words = {
    "close": ("a close-up", "a close view", "a macro shot", "a detail"),
    "medium": ("a medium shot", "a middle view"),
    "wide": ("a wide shot", "a panorama", "a distant view", "a wide view"),
}

SYMMETRY_ADJECTIVES: Words = {
    "free": ("asymmetrical", "asymmetric", "off-centre"),
    "symmetrical": ("symmetrical", "symmetric", "mirrored"),
}
SYMMETRY_PHRASES: Words = {
    "free": ("without symmetry", "an asymmetrical composition", "off to one side"),
    "symmetrical": ("in perfect symmetry", "a mirror image", "symmetry", "the same left and right",
                    "a symmetrical composition", "mirrored left and right", "like wes anderson"),
}  # fmt: skip

# Words that hold in clear weather only.
FAIR = frozenset({
    "in full sun", "with a low sun", "by moonlight", "in the moonlight", "under the stars", "sunlit",
    "moonlit", "on a bright day", "on a summer's day", "sunset-lit", "in the last light",
})  # fmt: skip

ADJECTIVES: dict[str, Words] = {
    "palette": PALETTE_ADJECTIVES, "light": LIGHT_ADJECTIVES, "density": DENSITY_ADJECTIVES,
    "weather": WEATHER_ADJECTIVES, "season": SEASON_ADJECTIVES, "framing": FRAMING_ADJECTIVES,
    "symmetry": SYMMETRY_ADJECTIVES,
}  # fmt: skip
PHRASES: dict[str, Words] = {
    "medium": MEDIUM_WORDS, "palette": PALETTE_PHRASES, "light": LIGHT_PHRASES, "density": DENSITY_PHRASES,
    "weather": WEATHER_PHRASES, "season": SEASON_PHRASES, "framing": FRAMING_PHRASES,
    "symmetry": SYMMETRY_PHRASES,
}  # fmt: skip
