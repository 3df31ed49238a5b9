"""Every failure that a person, a script or an operator can be told about.

PenchantError
├── BadRequest            400  malformed input that is not one field's fault
├── NotSignedIn           401
├── Forbidden             403  a missing scope, a failed CSRF check
├── NotFound              404  also for what exists but is not the asker's to see
├── Conflict              409  the request contradicts what is already there
│   └── IdempotencyMismatch    the key was used with another body
├── Locked                403  personalisation before enough ratings
├── TooLarge              413
├── InvalidInput          422  one field is wrong, and the message says how
│   └── InvalidPrompt          a parameter of the prompt language
├── TooManyRequests       429
├── Unavailable           503  a part we depend on is away; trying again later is right
└── OperatorError         500  the installation is broken; the sentence says what to do
    ├── CorruptFile            weights, a gallery file or a code fails its check
    └── DoesNotFit             a model needs more memory than its device has
"""

from typing import Any, ClassVar


class PenchantError(Exception):
    """The root: carries the HTTP status, a stable code and a sentence that says what to do next."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class BadRequest(PenchantError):
    status, code = 400, "bad_request"


class NotSignedIn(PenchantError):
    status, code = 401, "not_signed_in"


class Forbidden(PenchantError):
    status, code = 403, "forbidden"


class NotFound(PenchantError):
    status, code = 404, "not_found"


class Conflict(PenchantError):
    status, code = 409, "conflict"


class IdempotencyMismatch(Conflict):
    code = "idempotency_mismatch"


class Locked(PenchantError):
    status, code = 403, "personalization_locked"


class TooLarge(PenchantError):
    status, code = 413, "too_large"


class InvalidInput(PenchantError):
    status, code = 422, "invalid_input"


class InvalidPrompt(InvalidInput):
    code = "invalid_prompt"


class TooManyRequests(PenchantError):
    status, code = 429, "too_many_requests"


class Unavailable(PenchantError):
    status, code = 503, "unavailable"


class OperatorError(PenchantError):
    status, code = 500, "operator_error"


class CorruptFile(OperatorError):
    code = "corrupt_file"


class DoesNotFit(OperatorError):
    code = "does_not_fit"
