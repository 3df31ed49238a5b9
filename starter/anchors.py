"""What is known beforehand of the nouns that `starter.nouns` places: where each subject stands in WordNet."""

from __future__ import annotations


def listed(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


# What each subject or form is in WordNet: nouns below these are of its kind.
ANCHORS: dict[str, tuple[str, ...]] = {
    "mountains": ("mountain.1", "hill.1", "volcano.2", "peak.4", "ridge.1"),
    "desert": ("desert.1", "dune.1"),
    "forest": ("forest.1", "forest.2", "grove.1", "jungle.3"),
    "waterfall": ("waterfall.1",),
    "island": ("island.1",),
    "wave": ("sea.1", "ocean.1"),
    "sailboat": ("sailing_vessel.1",),
    "lighthouse": ("lighthouse.1",),
    "city": ("city.1", "town.1", "skyscraper.1"),
    "house": ("house.1", "dwelling.1"),
    "house/cottage": ("cabin.2", "hut.2", "cottage.1"),
    "temple": ("place_of_worship.1",),
    "temple/cathedral": ("church.2",),
    "temple/mosque": ("mosque.1",),
    "castle": ("castle.1", "castle.2", "fortress.1"),
    "windmill": ("windmill.1", "windmill.2"),
    "bridge": ("bridge.1",),
    "tree": ("tree.1",),
    "flower": ("flower.1",),
    "cactus": ("cactus.1",),
    "mushroom": ("mushroom.2", "mushroom.3"),
    "cat": ("domestic_cat.1",),
    "dog": ("dog.1",),
    "horse": ("horse.1",),
    "elephant": ("elephant.1",),
    "lizard": ("lizard.1",),
    "bird": ("bird.1",),
    "owl": ("owl.1",),
    "fish": ("fish.1",),
    "whale": ("whale.2",),
    "butterfly": ("butterfly.1", "moth.1"),
    "rocket": ("rocket.1", "spacecraft.1"),
    "balloon": ("hot-air_balloon.1",),
    "car": ("car.1",),
    "train": ("train.1", "locomotive.1"),
    "airplane": ("airplane.1",),
    "fruit": ("edible_fruit.1",),
    "teapot": ("teapot.1", "kettle.1"),
    "food": ("meal.1",),
    "food/ramen": ("noodle.1",),
    "food/tacos": ("taco.2",),
    "food/bread": ("bread.1",),
    "food/dumplings": ("dumpling.1",),
    "guitar": ("guitar.1",),
    "person": ("person.1",),
    "person/coat": ("coat.1",),
    "planet": ("planet.1", "planet.3"),
    "abstract/circles": ("circle.1",),
    "abstract/triangles": ("triangle.1", "polygon.1"),
    "abstract/spiral": ("spiral.1",),
}
ANIMALS = ("cat", "dog", "horse", "elephant", "lizard", "bird", "owl", "fish", "whale", "butterfly")
LANDS = ("mountains", "desert", "forest", "waterfall", "island", "wave", "city", "planet")
# The subjects among which a noun of each class is placed.
HOMES: dict[str, tuple[str, ...]] = {
    "animal": ANIMALS, "being": (*ANIMALS, "person"), "person": ("person",), "body": ("person",),
    "plant": ("tree", "flower", "cactus", "mushroom", "forest", "fruit"),
    "food": ("food", "fruit", "teapot", "mushroom", "fish"), "shape": ("abstract",),
    "location": LANDS, "object": LANDS, "phenomenon": LANDS,
    "artifact": ("sailboat", "lighthouse", "city", "house", "temple", "castle", "windmill", "bridge",
                 "rocket", "balloon", "car", "train", "airplane", "teapot", "guitar", "person/coat",
                 "person"),
}  # fmt: skip
# How common a noun of each class has to be: the logarithm of its uses in a thousand million words.
COMMON: dict[str, float] = {
    "animal": 2.6, "being": 2.3, "plant": 2.8, "food": 3.0, "artifact": 3.25, "location": 3.5,
    "object": 3.3, "phenomenon": 3.7, "person": 3.6, "body": 4.1, "shape": 3.3,
}  # fmt: skip
# Kinds of people that are known by what they wear or ride, which the starter does not draw.
COSTUMED = listed(
    "astronaut knight soldier cowboy king queen prince princess pirate ninja wizard witch clown "
    "warrior viking emperor bride nurse chef policeman firefighter fireman sailor diver pope bishop "
    "priest monk nun pilot judge gladiator superhero ballerina athlete boxer footballer skater surfer "
    "cyclist rider baby toddler infant fairy angel ghost vampire zombie werewolf elf dwarf goblin "
    "giant skeleton jester magician sorcerer druid santa cosmonaut archer hunter fisherman snowman "
    "guard officer musketeer pharaoh geisha shepherd "
)
# Insults, what no picture should be of by accident, people's names, and words too vague to place.
LEFT_OUT = listed(
    "bastard bitch boor boob butt cripple crotch dwarf fatso fool genitals harlot hooker idiot "
    "imbecile lunatic midget moron nazi penis porn prostitute rapist savage scum sissy slave slut "
    "spastic tramp vagina whore ass asshole anus breast nipple nude corpse murderer terrorist "
    "pedophile sucker loser dummy fascist killer victim suspect criminal stripper escort mistress "
    "snob coward brute pervert maniac psycho bum thug racist cannabis marijuana cocaine heroin bomb "
    "gun rifle pistol grenade vomit fucker offender babe meth brothel herpes placebo booger fetus "
    "foetus embryo bra lingerie bikini underwear oracle pagan convent amazon argentine mademoiselle "
    "dandy ben commuter prayer jack male cling stud holy trump donna lotte molly mollie tom jenny "
    "mavis liza mara tammy brad ramona erica gemma viola veronica daphne cassie bennet clegg dobson "
    "fitch margate ness listeria escherichia candida staphylococcus strep bacillus parasite pathogen "
    "virus germ microbe sherlock superman user participant standby place paradise effect edge center "
    "centre bottom ground border background backdrop landscape scenery photo pic piece thing stuff "
    "destination danger finding exterior layer layers aftermath baseline apex brink condom dildo dope "
    "drug bacteria bacterium amoeba carrion freak hell heaven haven generic glossy fold footage "
    "fragment frontal groove hash header hub humankind mankind hollow hide homeland habitat "
    "headquarters filler flies float fringe fuzz goody grubby grinding hepatic trend tip upside "
    "scraping voltage traction strain consequence response setting current reflection vicinity "
    "whereabouts direction origin safety max profile inspiration decor feed diet serving helping "
    "topping edible eats savory sham cache subsection section link links verge margin void distortion "
    "motif outlook maxi immune incompetent female hack holder operative official senior freshman "
    "birth arrival accused departed pursued import counter sport nobody liar darling chased dame head "
    "doodle diagram cam webcam supernatural wearable layering rubbing mound appeal shade silhouette "
    "scenario region site country territory point end part side spot line lines area zone corner "
    "middle top half quarter domain boundary commonwealth diocese county capital district "
    "subdivision borough empire environment atmosphere wonderland countryside gravity latitude "
    "horizon world universe energy bond seat arc inversion neutron proton electron photon "
    "radiation electricity heat power luck mandate termination ray beam "
)
# Places that the sentence encoder gets wrong, or words that WordNet files under something that is not drawn.
NEAREST: dict[str, str] = {
    "beach": "island", "shore": "island", "coast": "lighthouse", "river": "waterfall",
    "stream": "waterfall", "lake": "wave", "pond": "wave", "moon": "planet", "sun": "planet",
    "star": "planet", "galaxy": "planet", "nebula": "planet", "comet": "planet", "sky": "balloon",
    "cloud": "balloon", "rainbow": "balloon", "volcano": "mountains", "cave": "mountains",
    "cliff": "mountains", "glacier": "mountains", "iceberg": "mountains", "rock": "mountains",
    "valley": "mountains", "canyon": "desert", "pyramid": "desert", "sphinx": "desert", "oasis": "desert",
    "meadow": "flower", "garden": "flower", "field": "flower", "swamp": "forest", "park": "forest",
    "leaf": "tree", "grass": "flower", "seed": "flower", "vine": "flower", "fern": "forest",
    "moss": "forest", "monster": "lizard", "dragon": "lizard", "dinosaur": "lizard", "unicorn": "horse",
    "pegasus": "horse", "centaur": "horse", "mermaid": "fish", "phoenix": "bird", "griffin": "bird",
    "kraken": "whale", "bear": "dog", "lion": "cat", "tiger": "cat", "leopard": "cat", "panther": "cat",
    "jaguar": "cat", "cheetah": "cat", "lynx": "cat", "cougar": "cat", "puma": "cat", "wolf": "dog",
    "fox": "dog", "coyote": "dog", "jackal": "dog", "hyena": "dog", "rabbit": "cat", "bunny": "cat",
    "hare": "cat", "hedgehog": "cat", "squirrel": "cat", "raccoon": "cat", "badger": "dog", "otter": "cat",
    "mouse": "cat", "rat": "cat", "hamster": "cat", "cow": "horse", "bull": "horse", "ox": "horse",
    "buffalo": "horse", "bison": "horse", "sheep": "horse", "goat": "horse", "lamb": "horse",
    "deer": "horse", "reindeer": "horse", "moose": "horse", "elk": "horse", "antelope": "horse",
    "gazelle": "horse", "zebra": "horse", "donkey": "horse", "mule": "horse", "camel": "horse",
    "llama": "horse", "alpaca": "horse", "giraffe": "horse", "pig": "elephant", "boar": "elephant",
    "hippo": "elephant", "hippopotamus": "elephant", "rhino": "elephant", "rhinoceros": "elephant",
    "panda": "dog", "koala": "cat", "kangaroo": "dog", "monkey": "cat", "ape": "cat", "gorilla": "elephant",
    "frog": "lizard", "toad": "lizard", "snake": "lizard", "turtle": "lizard", "tortoise": "lizard",
    "crocodile": "lizard", "alligator": "lizard", "bat": "bird", "dolphin": "whale", "seal": "whale",
    "walrus": "whale", "manatee": "whale", "octopus": "fish", "squid": "fish", "jellyfish": "fish",
    "crab": "fish", "lobster": "fish", "starfish": "fish", "seahorse": "fish", "shrimp": "fish",
    "snail": "lizard", "worm": "lizard", "spider": "butterfly", "ant": "butterfly", "bee": "butterfly",
    "dragonfly": "butterfly", "ladybug": "butterfly", "beetle": "butterfly", "fly": "butterfly",
    "bug": "butterfly", "insect": "butterfly", "animal": "dog", "pet": "dog", "creature": "lizard",
    "robot": "rocket", "alien": "planet", "ufo": "rocket", "satellite": "rocket", "zeppelin": "balloon",
    "airship": "balloon", "parachute": "balloon", "kite": "balloon", "umbrella": "balloon",
    "helicopter": "airplane", "drone": "airplane", "glider": "airplane", "truck": "car", "van": "car",
    "bus": "car", "tractor": "car", "motorcycle": "car", "motorbike": "car", "bicycle": "car",
    "bike": "car", "scooter": "car", "tank": "car", "road": "car", "street": "city", "subway": "train",
    "kayak": "sailboat", "canoe": "sailboat", "raft": "sailboat", "submarine": "whale", "ferry": "sailboat",
    "harbor": "sailboat", "harbour": "sailboat", "anchor": "sailboat", "tower": "lighthouse",
    "school": "house", "barn": "house/cottage", "igloo": "house/yurt", "tent": "house/yurt",
    "teepee": "house/yurt", "treehouse": "house/stilt house", "room": "house", "door": "house",
    "window": "house", "kitchen": "house", "bed": "house", "farm": "house/cottage", "village": "house",
    "library": "house", "hospital": "city", "shop": "house", "cafe": "house", "market": "city",
    "statue": "temple", "monument": "temple", "ruins": "temple/greek temple",
    "column": "temple/greek temple", "dungeon": "castle", "throne": "castle", "sword": "castle",
    "crown": "castle", "shield": "castle", "table": "teapot", "chair": "house", "lamp": "lighthouse",
    "lantern": "balloon", "candle": "lighthouse", "book": "house", "clock": "abstract/circles",
    "violin": "guitar", "piano": "guitar", "cello": "guitar", "banjo": "guitar", "harp": "guitar",
    "drum": "guitar", "flute": "guitar", "trumpet": "guitar", "saxophone": "guitar", "accordion": "guitar",
    "pizza": "food/bread", "burger": "food/bread", "hamburger": "food/bread", "sandwich": "food/bread",
    "toast": "food/bread", "croissant": "food/bread", "pretzel": "food/bread", "bagel": "food/bread",
    "cake": "food/bread", "pie": "food/bread", "cookie": "food/bread", "cupcake": "food/bread",
    "donut": "food/bread", "doughnut": "food/bread", "sushi": "food/dumplings", "ravioli": "food/dumplings",
    "spaghetti": "food/ramen", "pasta": "food/ramen", "soup": "food/ramen", "curry": "food/ramen",
    "stew": "food/ramen", "salad": "food/ramen", "rice": "food/ramen", "kebab": "food/tacos",
    "cheese": "food/bread", "egg": "food/dumplings", "coffee": "teapot", "tea": "teapot", "wine": "fruit",
    "beer": "teapot", "milk": "teapot", "vase": "teapot", "mug": "teapot", "cup": "teapot", "jug": "teapot",
    "bottle": "teapot", "pumpkin": "fruit", "carrot": "fruit", "tomato": "fruit", "vegetable": "fruit",
    "vegetables": "fruit", "face": "person", "hand": "person", "eye": "person", "heart": "person",
    "skull": "person", "skeleton": "person", "dress": "person/sari", "robe": "person/boubou",
    "shirt": "person/coat", "suit": "person/coat", "hat": "person/coat", "fairy": "butterfly",
    "angel": "person", "ghost": "person", "fire": "balloon", "knight": "castle", "scarecrow": "person",
    "snowman": "person", "doll": "person",
}  # fmt: skip
# Words that are honestly drawn although WordNet does not say so.
KIN: dict[str, str] = {
    "pup": "dog", "doggie": "dog", "pooch": "dog", "mutt": "dog", "kitty": "cat", "ship": "sailboat",
    "vessel": "sailboat", "galleon": "sailboat", "clipper": "sailboat", "ketch": "sailboat",
    "catamaran": "sailboat", "caravel": "sailboat", "junk": "sailboat", "dinghy": "sailboat",
    "duck": "bird", "crow": "bird", "seagull": "bird", "gull": "bird", "magpie": "bird", "birdie": "bird",
    "shark": "fish", "narwhal": "whale", "beluga": "whale", "seascape": "wave", "spacecraft": "rocket",
    "spaceship": "rocket", "capsule": "rocket", "jet": "airplane", "monastery": "temple",
    "synagogue": "temple", "couple": "person", "petal": "flower", "petals": "flower", "succulent": "cactus",
    "conifer": "tree", "sapling": "tree", "saucer": "teapot", "chateau": "castle", "fortress": "castle",
    "fort": "castle", "vehicle": "car", "beech": "tree", "birch": "tree", "elm": "tree", "fir": "tree",
    "maple": "tree", "spruce": "tree", "ash": "tree", "redwood": "tree", "hickory": "tree",
    "cypress": "tree", "sycamore": "tree", "poplar": "tree", "evergreen": "tree", "sequoia": "tree",
    "chestnut": "tree", "lily": "flower", "azalea": "flower", "dandelion": "flower", "jasmine": "flower",
    "iris": "flower", "daffodil": "flower", "hyacinth": "flower", "carnation": "flower",
    "geranium": "flower", "chrysanthemum": "flower", "begonia": "flower", "hydrangea": "flower",
    "petunia": "flower", "marigold": "flower", "crocus": "flower", "snowdrop": "flower",
    "magnolia": "flower", "anemone": "flower", "camellia": "flower", "skyscraper": "city", "goose": "bird",
    "turkey": "bird", "chicken": "bird", "toucan": "bird", "cockatoo": "bird", "macaw": "bird",
    "ostrich": "bird", "emu": "bird", "stork": "bird", "crane": "bird", "kiwi": "fruit", "cardinal": "bird",
    "finch": "bird", "thrush": "bird", "jackdaw": "bird", "cuckoo": "bird", "quail": "bird",
    "pheasant": "bird", "circle": "abstract/circles", "filly": "horse", "hut": "house/cottage",
    "banana": "fruit", "cherry": "fruit", "plum": "fruit", "papaya": "fruit", "apricot": "fruit",
    "nectarine": "fruit", "coconut": "fruit", "tangerine": "fruit", "pomegranate": "fruit",
    "pussycat": "cat", "komodo": "lizard", "herring": "fish", "cod": "fish", "mackerel": "fish",
    "piranha": "fish", "swordfish": "fish", "clownfish": "fish", "guppy": "fish", "eel": "fish",
    "village": "house", "suburb": "city",
}  # fmt: skip
# Nouns that take no article: what is not counted.
MASS = listed(
    "rice corn wheat pasta spaghetti cheese butter milk beef pork bacon ham soup salad sugar salt "
    "pepper flour  dough sushi curry honey jam chocolate coffee wine beer water juice tea ice fire "
    "lightning thunder lava sand  mud grass ivy moss hay bamboo seaweed coral furniture clothing "
    "jewelry luggage traffic vegetation wildlife  pottery armor sky air smoke steam sunlight fog dew "
    "hail gold silver marble porcelain silk sheep "
)
