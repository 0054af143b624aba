"""An example for everything that the API takes and gives, made from its schema with telling values."""

from typing import Any

ID = "019ab6c2-7d10-7c3a-9f21-5b0e4d1c8a77"
TELLING: dict[str, Any] = {
    "id": ID, "request_id": ID, "version_id": ID, "image_id": ID, "job_id": ID, "after": None, "limit": 50,
    "name": "emoji-styles", "dataset": "emoji-styles", "into": "emoji-styles", "data": "emoji-styles@latest",
    "model": "emoji-styles-small", "prompt": "a red apple, noto style", "sha256": "3f7c" * 16,
    "content_hash": "3f7c" * 16, "checkpoint_sha256": "3f7c" * 16, "recipe": "flow", "recipe_name": "flow",
    "kind": "generation.create", "lane": "quick", "status": "done", "asked_by": "person/bea", "made_by": "person/bea",
    "made_at": "2026-11-24T09:30:00Z", "asked_at": "2026-11-24T09:30:00Z", "licence": "Apache-2.0",
    "author": "Google", "style": "noto", "source": "sample", "subject": f"image/{ID}", "action": "image.create",
    "summary": "asked emoji-styles-small for 4 pictures", "ref": f"image/{ID}", "metric": "recall",
    "group": "held-out pairs", "title": '"a red apple, noto style"', "seed": 7, "n": 4,
    "reason": "the outline is wrong", "q": "apple", "email": "bea@example.org", "role": "researcher",
    "position": 1204, "next": None,
}  # fmt: skip


def example(schema: dict[str, Any], parts: dict[str, Any], *, name: str = "", depth: int = 0) -> Any:
    """A value that the schema allows; what has a default is shown with it."""
    if "$ref" in schema:
        part = schema["$ref"].rpartition("/")[2]
        return example(parts.get(part, {}), parts, name=name, depth=depth + 1)
    if "default" in schema and schema["default"] is not None:
        return schema["default"]
    if "const" in schema or "enum" in schema:
        return schema.get("const", (schema.get("enum") or [None])[0])
    choices = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
    if choices:
        plain = [one for one in choices if one.get("type") != "null"]
        if name in TELLING and TELLING[name] is None and len(plain) < len(choices):
            return None
        return example(plain[0], parts, name=name, depth=depth)
    if "prefixItems" in schema:  # a pair, or another row of fixed length
        return [example(one, parts, depth=depth + 1) for one in schema["prefixItems"]]
    kind = schema.get("type", "")
    telling = TELLING.get(name)
    if telling is not None and fits(telling, schema):
        return telling
    if kind == "object" or "properties" in schema:
        own = schema.get("properties", {})
        return {key: example(one, parts, name=key, depth=depth + 1) for key, one in own.items()}
    if kind == "array":
        inner = schema.get("items", {})
        return [] if depth > 5 or not inner else [example(inner, parts, name=name, depth=depth + 1)]
    return plain_value(schema)


def fits(value: Any, schema: dict[str, Any]) -> bool:
    """Whether a telling value is of the schema's kind."""
    kind = schema.get("type", "")
    kinds: dict[str, type | tuple[type, ...]] = {"string": str, "integer": int, "number": (int, float), "boolean": bool}
    return kind in kinds and isinstance(value, kinds[kind]) and not (kind != "boolean" and isinstance(value, bool))


def plain_value(schema: dict[str, Any]) -> Any:
    """A value of a plain kind."""
    kind = schema.get("type", "")
    if kind == "integer":
        return int(schema.get("minimum", 1))
    if kind == "number":
        return float(schema.get("minimum", 0.5))
    if kind == "boolean":
        return False
    if schema.get("format") in ("date", "date-time"):
        return "2026-11-24T09:30:00Z"[: 10 if schema["format"] == "date" else None]
    return None if kind == "null" else "…" if kind == "string" else {}


def add_examples(told: dict[str, Any]) -> None:
    """Give every operation of an OpenAPI document an example of what it takes and gives."""
    parts = told["components"]["schemas"]
    for methods in told["paths"].values():
        for said in methods.values():
            for one in said.get("parameters", []):
                shown = example(one.get("schema", {}), parts, name=one["name"])
                if shown is not None and shown != "":
                    one.setdefault("example", shown)
            contents = [said.get("requestBody", {}).get("content", {})]
            contents += [answer.get("content", {}) for answer in said["responses"].values()]
            for content in contents:
                if "application/json" in content:
                    media = content["application/json"]
                    media.setdefault("example", example(media.get("schema", {}), parts))
