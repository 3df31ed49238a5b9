"""The README names every setting, with its default, as the code has them."""

from pathlib import Path

from app.config import REPOSITORY, Settings

BEGIN, END = "<!-- settings -->\n", "<!-- /settings -->"


def settings_table() -> str:
    """The table of settings, from the Settings class."""
    lines = ["| variable | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = "" if field.default is None else f"`{field.default}`"
        lines.append(f"| `PENCHANT_{name.upper()}` | {default} | {field.description} |")
    return "\n".join(lines) + "\n"


def test_readme_lists_every_setting() -> None:
    readme = (REPOSITORY / "README.md").read_text()
    written = readme[readme.index(BEGIN) + len(BEGIN) : readme.index(END)]
    assert written == settings_table()


def test_files_that_the_readme_names_exist() -> None:
    readme = (REPOSITORY / "README.md").read_text()
    names = [
        "docs/models.md",
        "docs/screenshot.png",
        "starter/README.md",
        "benchmarks/README.md",
        ".env.example",
    ]
    assert all(name in readme and Path(REPOSITORY / name).exists() for name in names)
