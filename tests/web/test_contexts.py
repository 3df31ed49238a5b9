"""Templates and contexts are held to each other: every field is used, and nothing else is asked for."""

from dataclasses import fields
from pathlib import Path

import pytest
from jinja2 import meta, nodes

from app.config import REPOSITORY
from app.web import contexts
from app.web.contexts import Page
from app.web.templating import get_templates

PAGES = sorted(Page.__subclasses__(), key=lambda page: page.__name__)
GIVEN = {"request", "static"}  # by the template engine itself


def names(template: str, seen: set[str]) -> set[str]:
    """What a template asks for, with its layout, includes and imported macros."""
    if template in seen:
        return set()
    seen.add(template)
    environment = get_templates().env
    source = (REPOSITORY / "templates" / template).read_text()
    tree = environment.parse(source)
    asked = meta.find_undeclared_variables(tree)
    included = [n.template.value for n in tree.find_all(nodes.Include) if isinstance(n.template, nodes.Const)]
    parents = [n.template.value for n in tree.find_all(nodes.Extends) if isinstance(n.template, nodes.Const)]
    for other in (*included, *parents):
        asked |= names(other, seen)
    loops = {
        name.name
        for loop in tree.find_all(nodes.For)
        for name in loop.find_all(nodes.Name)
        if name.ctx == "store"
    }
    return asked - (loops if included else set())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.__name__)
def test_template_and_context_agree(page: type[Page]) -> None:
    asked = names(page.template, set()) - GIVEN
    if any(field.name == "job" for field in fields(page)):
        asked.add("job")  # a loop variable elsewhere carries the same name
    assert asked == {field.name for field in fields(page)}


def test_every_page_template_has_a_context() -> None:
    files = {path.name for path in (REPOSITORY / "templates" / "pages").glob("*.html")}
    assert files == {Path(page.template).name for page in PAGES if page.template.startswith("pages/")}


def test_contexts_are_frozen_and_documented() -> None:
    for page in PAGES:
        assert page.__doc__
        assert page.__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert contexts.__doc__


def test_no_template_has_inline_script_or_style() -> None:
    for path in (REPOSITORY / "templates").rglob("*.html"):
        text = path.read_text()
        assert "<style" not in text, path
        assert " style=" not in text, path
        assert " onclick" not in text, path
        assert "|safe" not in text, path
        for tag in text.split("<script")[1:]:
            opening = tag.split(">")[0]
            assert "src=" in opening or "application/json" in opening, path
