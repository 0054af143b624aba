"""Forms from options: what a JSON Schema of pydantic says becomes fields, and what a form sends becomes values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from sfumato.web.words import number

LONG = 200  # characters from which a text gets more than one line
SAYS = {
    "missing": "This is needed.",
    "int_parsing": "A whole number is needed.",
    "int_type": "A whole number is needed.",
    "float_parsing": "A number is needed.",
    "float_type": "A number is needed.",
    "extra_forbidden": "There is no such field.",
}


@dataclass(frozen=True)
class Field:
    """One field of a form, as the template draws it."""

    name: str
    label: str
    kind: str  # text, area, number, check, choice, list
    description: str = ""
    value: Any = None
    default: Any = None
    required: bool = False
    expert: bool = False
    least: float | None = None
    most: float | None = None
    step: str = "any"
    choices: tuple[Any, ...] = ()
    bounds: str = ""
    max_length: int | None = None
    error: str = ""


def fields(
    schema: Mapping[str, Any],
    values: Mapping[str, Any] | None = None,
    errors: Mapping[str, str] | None = None,
    *,
    first: Sequence[str] | None = None,
    prefix: str = "",
) -> list[Field]:
    """Turn a schema into fields in its order; those not in `first` (or marked `expert`) are for experts."""
    required = set(schema.get("required", ()))
    found = []
    for name, said in schema.get("properties", {}).items():
        one = _settle(said, schema.get("$defs", {}))
        value = (values or {}).get(name, one.get("default"))
        expert = one.get("expert", False) if first is None else name not in first
        wrong = (errors or {}).get(name, "")
        found.append(_field(prefix + name, one, value, name in required, bool(expert and name not in required), wrong))
    return found


def read_form(schema: Mapping[str, Any], form: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Turn what a form sent into values for the options; what was left empty is left to its default."""
    values: dict[str, Any] = {}
    for name, said in schema.get("properties", {}).items():
        one = _settle(said, schema.get("$defs", {}))
        sent = form.get(prefix + name)
        if _kind(one) == "check":
            values[name] = sent is not None
        elif sent is not None and str(sent).strip() != "":
            values[name] = _read(one, str(sent).strip())
    return values


def errors_of(wrong: ValidationError) -> dict[str, str]:
    """What pydantic found wrong, by the name of the field, in plain words."""
    return {str(one["loc"][0]): SAYS.get(one["type"], one["msg"] + ".") for one in wrong.errors() if one["loc"]}


def _settle(said: Mapping[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    """Follow references and take the one kind of a value that may also be missing."""
    one = dict(said)
    for several in ("anyOf", "allOf", "oneOf"):
        real = [kind for kind in one.pop(several, ()) if kind.get("type") != "null"]
        if real:
            one = {**_settle(real[0], definitions), **one}
    if "$ref" in one:
        one = {**_settle(definitions[one.pop("$ref").rpartition("/")[2]], definitions), **one}
    return one


def _kind(one: Mapping[str, Any]) -> str:
    if "enum" in one or "const" in one:
        return "choice"
    kind = one.get("type")
    if kind in ("integer", "number"):
        return "number"
    if kind == "boolean":
        return "check"
    if kind == "array":
        return "list"
    return "area" if one.get("maxLength", 0) > LONG or kind == "object" else "text"


def _field(name: str, one: Mapping[str, Any], value: Any, required: bool, expert: bool, error: str) -> Field:
    kind = _kind(one)
    whole = one.get("type") == "integer"
    least, most = one.get("minimum"), one.get("maximum")
    if whole:
        least = one["exclusiveMinimum"] + 1 if "exclusiveMinimum" in one else least
        most = one["exclusiveMaximum"] - 1 if "exclusiveMaximum" in one else most
    label = name.rpartition(".")[2].replace("_", " ")
    return Field(
        name=name,
        label=label[:1].upper() + label[1:],
        kind=kind,
        description=_sentence(one.get("description", "")),
        value="\n".join(map(str, value)) if kind == "list" and isinstance(value, (list, tuple)) else value,
        default=one.get("default"),
        required=required,
        expert=expert,
        least=least,
        most=most,
        step=_step(one),
        choices=tuple(one["enum"]) if "enum" in one else (one["const"],) if "const" in one else (),
        bounds=_bounds(one, least, most),
        max_length=one.get("maxLength"),
        error=error,
    )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _step(one: Mapping[str, Any]) -> str:
    if "multipleOf" in one:
        return str(one["multipleOf"])
    return "1" if one.get("type") == "integer" else "any"


def _bounds(one: Mapping[str, Any], least: float | None, most: float | None) -> str:
    """Say the bounds of a number: "32 to 1,024, in steps of 4"."""
    above, below = (
        one.get(key) if one.get("type") == "number" else None for key in ("exclusiveMinimum", "exclusiveMaximum")
    )
    parts = []
    if least is not None and most is not None:
        parts.append(f"{number(least)} to {number(most)}")
    else:
        parts += [f"{number(least)} or more"] if least is not None else []
        parts += [f"more than {number(above)}"] if above is not None else []
        parts += [f"{number(most)} at most"] if most is not None else []
    parts += [f"less than {number(below)}"] if below is not None else []
    parts += [f"in steps of {number(one['multipleOf'])}"] if "multipleOf" in one else []
    return ", ".join(parts)


def _read(one: Mapping[str, Any], sent: str) -> Any:
    """Read one value; what cannot be read stays text, so that validation says what is wrong with it."""
    if _kind(one) == "list":
        inner = one.get("items", {})
        return [_read(inner, line.strip()) for line in sent.splitlines() if line.strip()]
    try:
        if "enum" in one:
            return next((choice for choice in one["enum"] if str(choice) == sent), sent)
        if one.get("type") == "integer":
            return int(sent.replace(",", ""))
        if one.get("type") == "number":
            return float(sent.replace(",", ""))
    except ValueError:
        return sent
    return sent
