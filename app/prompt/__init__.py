"""The prompt language: text to specs. `Spec.to_prompt` is the way back.

    a lighthouse at dusk, {calm, stormy} sea --p k3vq9x::2 --s 250 --ar 3:2 --no people, boats

- Text comes first, then parameters in any order. They begin with -, -- or a typographic dash, in any case.
- --p takes codes and profile ids up to the next parameter, each with an optional ::weight.
- {a, b} makes one job of each choice, also among the parameters, also nested.
- Words in "quotes" are text even when they begin with a dash. The quotes stay in the text.
- A backslash makes \\{ \\} \\, \\- \\" and \\\\ ordinary characters.
"""

from app.prompt.errors import PromptError, UnsupportedParameter
from app.prompt.parameters import MAX_JOBS, PARAMETERS, Parameter
from app.prompt.parser import check_model, check_supported, parse

__all__ = [
    "MAX_JOBS",
    "PARAMETERS",
    "Parameter",
    "PromptError",
    "UnsupportedParameter",
    "check_model",
    "check_supported",
    "parse",
]
