"""What can be wrong with a prompt. Every message says what to write instead.

InvalidPrompt
└── PromptError
    ├── PromptTooLong
    ├── EmptyPrompt
    ├── BadCharacter
    ├── BadPermutation
    ├── TooManyJobs
    ├── MisplacedText
    ├── UnknownParameter
    ├── DuplicateParameter
    ├── BadValue
    └── UnsupportedParameter   right in itself, but beyond what the model can do
"""

from app.errors import InvalidPrompt


class PromptError(InvalidPrompt):
    """`parameter` as PARAMETERS names it ("--s"), what is `allowed`, and a `suggestion` to type instead."""

    def __init__(
        self,
        message: str,
        *,
        parameter: str | None = None,
        allowed: str | None = None,
        suggestion: str | None = None,
    ) -> None:
        super().__init__(message, parameter=parameter, allowed=allowed, suggestion=suggestion)
        self.parameter = parameter
        self.allowed = allowed
        self.suggestion = suggestion


class PromptTooLong(PromptError):
    pass


class EmptyPrompt(PromptError):
    pass


class BadCharacter(PromptError):
    pass


class BadPermutation(PromptError):
    pass


class TooManyJobs(PromptError):
    pass


class MisplacedText(PromptError):
    pass


class UnknownParameter(PromptError):
    pass


class DuplicateParameter(PromptError):
    pass


class BadValue(PromptError):
    pass


class UnsupportedParameter(PromptError):
    code = "unsupported_parameter"


def shorten(text: str, limit: int = 40) -> str:
    """What the person typed, in quotes, cut where it would drown the message."""
    return f"“{text if len(text) <= limit else text[: limit - 1] + '…'}”"
