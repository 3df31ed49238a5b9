"""Images of a few people on one sheet: a row a strength, a column a prompt."""

from PIL import Image, ImageDraw, ImageFont

from benchmarks.personalisation.measures import Judged
from benchmarks.personalisation.work import STRENGTHS

PEOPLE = 3
CELL, GAP, MARGIN, HEAD, FOOT = 160, 6, 96, 34, 18
INK, PAPER = "#222", "#faf8f4"


def sheet(judged: Judged, people: int = PEOPLE) -> Image.Image:
    """The first people, one above the other, each with what he or she likes, s = 0 on top."""
    plan = judged.world.plan
    blocks = [_block(judged, number) for number in range(min(people, plan.people))]
    page = Image.new("RGB", (blocks[0].width, sum(block.height for block in blocks)), PAPER)
    top = 0
    for block in blocks:
        page.paste(block, (0, top))
        top += block.height
    return page


def _block(judged: Judged, number: int) -> Image.Image:
    world = judged.world
    plan, person = world.plan, world.person(number)
    rows = (0, *STRENGTHS)
    width = MARGIN + plan.prompts * (CELL + GAP)
    block = Image.new("RGB", (width, HEAD + FOOT + len(rows) * (CELL + GAP) + GAP), PAPER)
    draw = ImageDraw.Draw(block)
    large, small = ImageFont.load_default(15), ImageFont.load_default(11)
    draw.text((GAP, 9), f"Person {number + 1} {person.describe()}", fill=INK, font=large)
    for column, prompt in enumerate(world.prompts(plan.group(number))):
        words = prompt.text if len(prompt.text) < 30 else prompt.text[:28] + "…"
        draw.text((MARGIN + column * (CELL + GAP), HEAD), words, fill=INK, font=small)
    for place, stylize in enumerate(rows):
        top = HEAD + FOOT + place * (CELL + GAP)
        draw.text((GAP, top + CELL // 2 - 8), f"s = {stylize}", fill=INK, font=large)
        for column, unit in enumerate(judged.units(number, stylize)):
            image = judged.state.first_image(unit.name).resize((CELL, CELL), Image.Resampling.LANCZOS)
            block.paste(image, (MARGIN + column * (CELL + GAP), top))
    return block
