"""What a run looks for."""


class Finding(AssertionError):
    """The server did something that it may not do."""


def first_of(findings: BaseExceptionGroup) -> BaseException:
    """The first error of a group, which may hold groups in turn."""
    error: BaseException = findings
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
