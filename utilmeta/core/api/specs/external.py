"""Documents of other applications, joined into a service's own."""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from utilmeta.core.api.specs.schemas import rewrite
from utilmeta.utils.exceptions import ConfigError

Node = Any


def merge_external(
    document: dict[str, Any],
    route: str,
    source: Mapping[str, Any] | str | Path | Callable[[], Mapping[str, Any]],
) -> None:
    """Join another OpenAPI document into one, below a route.

    Components whose names are taken by others are renamed; ids of operations likewise. Documents
    of OpenAPI 3.0 are brought to 3.1.

    Args:
        document: the document that is added to.
        route: where the described application answers.
        source: a mapping, the path of a JSON file, or a function that returns a mapping.

    Raises:
        ConfigError: the source cannot be read or is no OpenAPI 3 document, or describes a path that
            is described already.
    """
    other = _load(source, route)
    label = re.sub(r"\W+", "_", route).strip("_") or "external"
    if str(other["openapi"]).startswith("3.0"):
        other = upgrade(other)
    renames = _renames(document, other, label)
    other = rewrite(other, renames)
    for kind, components in other.get("components", {}).items():
        target = document.setdefault("components", {}).setdefault(kind, {})
        for name, component in components.items():
            target[renames.get(f"#/components/{kind}/{name}", f"/{name}").rpartition("/")[2]] = (
                component
            )
    _join_paths(document, other, route.rstrip("/"), label)
    known = {tag["name"] for tag in document.get("tags", ())}
    document.setdefault("tags", []).extend(
        tag for tag in other.get("tags", ()) if tag["name"] not in known
    )


def _load(source: Any, route: str) -> dict[str, Any]:
    where = f"OpenAPI: the document for {route or '/'}"
    found = source() if callable(source) else source
    if isinstance(found, str | Path):
        path = Path(found)
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except OSError as exc:
            raise ConfigError(f"{where}: {path} cannot be read: {exc.strerror}") from exc
        except ValueError as exc:
            raise ConfigError(f"{where}: {path} is not JSON: {exc}") from exc
    if not isinstance(found, Mapping) or not str(found.get("openapi", "")).startswith("3."):
        raise ConfigError(f"{where}: expected an OpenAPI 3 document, with an 'openapi' member")
    # A copy through JSON, as what is merged is changed.
    copied: dict[str, Any] = json.loads(json.dumps(found, default=str))
    return copied


def _join_paths(
    document: dict[str, Any], other: Mapping[str, Any], prefix: str, label: str
) -> None:
    servers = other.get("servers") or [{}]
    base = re.sub(r"^https?://[^/]*", "", servers[0].get("url", "")).rstrip("/")
    if prefix and base.startswith(prefix):
        base = base[len(prefix) :]
    ids = {
        entry["operationId"]
        for item in document["paths"].values()
        for entry in item.values()
        if isinstance(entry, dict) and "operationId" in entry
    }
    for path, item in other.get("paths", {}).items():
        whole = path if prefix and path.startswith(prefix + "/") else f"{prefix}{base}{path}"
        if whole in document["paths"]:
            raise ConfigError(f"OpenAPI: {whole} is described by two documents")
        for entry in item.values():
            if isinstance(entry, dict) and entry.get("operationId") in ids:
                entry["operationId"] = f"{label}_{entry['operationId']}"
        document["paths"][whole] = item


def _renames(document: Mapping[str, Any], other: Mapping[str, Any], label: str) -> dict[str, str]:
    found = {}
    for kind, components in other.get("components", {}).items():
        taken = document.get("components", {}).get(kind, {})
        for name, component in components.items():
            if name in taken and taken[name] != component:
                found[f"#/components/{kind}/{name}"] = f"#/components/{kind}/{label}_{name}"
    return found


def upgrade(node: Node) -> Any:
    """Return a document, or a part of one, of OpenAPI 3.0 with the schemas of 3.1.

    Source: the OpenAPI Initiative's guide for going from 3.0 to 3.1.
    """
    if isinstance(node, list):
        return [upgrade(item) for item in node]
    if not isinstance(node, dict):
        return node
    made = {key: upgrade(value) for key, value in node.items()}
    if made.pop("nullable", None) is True:
        if isinstance(made.get("type"), str):
            made["type"] = [made["type"], "null"]
            if "enum" in made:
                made["enum"] = [*made["enum"], None]
        elif made:
            made = {"anyOf": [made, {"type": "null"}]}
    for name in ("Minimum", "Maximum"):
        if made.get(f"exclusive{name}") is True:
            made[f"exclusive{name}"] = made.pop(name.lower())
        elif made.get(f"exclusive{name}") is False:
            del made[f"exclusive{name}"]
    return made
