"""What the safety classifier costs and says of harmless pictures: `python -m benchmarks.safety`.

Times are processor time, so that a busy machine counts for nothing.
"""

import argparse
import json
import time
from collections import Counter
from collections.abc import Sequence

from PIL import Image

from app.services.gallery import SHIPPED
from worker.safety import get_classifier

SIZES = (1, 4, 8)


def main(arguments: Sequence[str] | None = None) -> None:
    """Look at the first images of the gallery that ships, in batches of several sizes."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.safety", description=__doc__)
    parser.add_argument("--images", type=int, default=600, help="images of the gallery to look at (600)")
    options = parser.parse_args(arguments)
    lines = (SHIPPED / "index.jsonl").read_text("utf-8").splitlines()[: options.images]
    pictures = [Image.open(SHIPPED / json.loads(line)["file"]).convert("RGB") for line in lines]
    classifier = get_classifier()
    found = [
        one for start in range(0, len(pictures), 8) for one in classifier.look(pictures[start : start + 8])
    ]
    labels = Counter(one.label for one in found)
    print(f"{len(found)} posters: {dict(labels)}, highest score {max(one.score for one in found):.3f}")
    print("| images at once | processor time an image |\n|---|---|")
    for size in SIZES:
        start = time.process_time()
        for _ in range(3):
            classifier.look(pictures[:size])
        print(f"| {size} | {(time.process_time() - start) / 3 / size * 1000:.0f} ms |")


if __name__ == "__main__":
    main()
