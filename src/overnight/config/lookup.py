"""Why what a ``_target_`` names cannot be found."""

import difflib
import importlib

NEEDED = "Needed: MODULE.CLASS, with the module in src/ or on PYTHONPATH"


def why_not_found(target: str) -> str:
    """Say which part of a dotted path there is not, or what went wrong when it was imported."""
    parts = str(target).split(".")
    for end in range(len(parts) - 1, 0, -1):
        name = ".".join(parts[:end])
        try:
            module = importlib.import_module(name)
        except ModuleNotFoundError as error:
            if f"{name}.".startswith(f"{error.name}."):
                continue  # it is this module, or one above it, that is not there
            return f"{name} cannot be imported ({error})"
        except Exception as error:  # noqa: BLE001 - whatever a module raises
            return f"{name} cannot be imported ({type(error).__name__}: {error})"
        close = difflib.get_close_matches(parts[end], vars(module), n=1)
        return f"{name} has no {parts[end]}. " + "".join(f"Did you mean {one}? " for one in close) + NEEDED
    return f"there is no module {parts[0]}. {NEEDED}"
