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
ENGINE = {"request", "static"}
MACROS = ("_icons", "_ring", "_forms", "_picture")
LOOP_VARIABLES = {"job"}  # set by the page around a component that it includes


def names(template: str, seen: set[str]) -> set[str]:
    """What a template asks for, with its layout and its includes."""
    if template in seen:
        return set()
    seen.add(template)
    tree = get_templates().env.parse((REPOSITORY / "templates" / template).read_text())
    asked = meta.find_undeclared_variables(tree)
    for other in meta.find_referenced_templates(tree):
        if other is not None and not Path(other).stem.startswith(MACROS):
            asked |= names(other, seen)
    imported = {name for node in tree.find_all(nodes.FromImport) for name in node.names}
    macros = {node.name for node in tree.find_all(nodes.Macro)}
    return asked - {str(name) for name in imported} - macros


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.__name__)
def test_template_and_context_agree(page: type[Page]) -> None:
    given = {field.name for field in fields(page)}
    asked = names(page.template, set()) - ENGINE
    assert asked - given <= LOOP_VARIABLES
    assert given <= asked


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
