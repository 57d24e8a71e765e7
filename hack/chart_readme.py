"""Writes what of the chart is told elsewhere already: the tables of README.md from values.yaml, the
settings in values.schema.json from the programs' own, and the roles from hack/rbac*.yaml.

python hack/chart_readme.py            write what has changed
python hack/chart_readme.py --check    write nothing; show what is out of date and exit with 1

A comment that begins with `# --` says what the key below it is for, as in helm-docs. A key without
one is an error, unless one of those above it or all of those below it have one: nobody could know
what it is for.
"""

from __future__ import annotations

import argparse
import difflib
import json
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic_settings import BaseSettings

from kausa.settings import Settings as OperatorSettings
from kausa_embedder.settings import Settings as EmbedderSettings

ROOT = Path(__file__).resolve().parent.parent
CHART = Path("charts/kausa")
README, VALUES, SCHEMA = CHART / "README.md", CHART / "values.yaml", CHART / "values.schema.json"
BEGIN = "<!-- Made of values.yaml by make references: begin -->\n"
END = "<!-- Made of values.yaml by make references: end -->\n"
MARK = "# -- "
ROLES = ("rbac.yaml", "rbac-namespaced.yaml", "rbac-dry-run.yaml")
"""In hack. Helm reads no file outside of its chart, so they are copied."""
RANGE = ("minimum", "exclusiveMinimum", "maximum")
NUMBERS = {
    "integer": r"[0-9][0-9_]*(\.0+)?",
    "number": r"([0-9][0-9_]*\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?",
}
"""How numbers may be written in a variable."""
SWITCH = ("true", "false", "yes", "no", "on", "off")
SETTING = re.compile(r"^- name: (KAUSA_[A-Z0-9_]+)$", re.MULTILINE)


class ChartError(Exception):
    """A file of the chart is not as it must be; the message says what to mend."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A key of values.yaml that a person may set."""

    path: str
    default: Any
    text: str


# -- values.yaml -----------------------------------------------------------------------------------


def read_values(text: str) -> list[Value]:
    """Every key with its comment, in the order of the file.

    Raises ChartError where a key has no comment.
    """
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    if not isinstance(node, yaml.MappingNode):
        raise ChartError(f"{VALUES} is not a map")
    return list(_values_of(node, lines=text.splitlines(), above=""))


def _values_of(node: yaml.MappingNode, *, lines: list[str], above: str) -> Iterator[Value]:
    for key, value in node.value:
        path = f"{above}.{key.value}" if above else key.value
        comment = _comment_above(lines, key.start_mark.line)
        if comment is not None:
            yield Value(path=path, default=_plain(value), text=comment)
        elif isinstance(value, yaml.MappingNode) and value.value:
            yield from _values_of(value, lines=lines, above=path)
        else:
            raise ChartError(
                f"{VALUES}, line {key.start_mark.line + 1}: {path} has no comment that begins with "
                f"`{MARK.strip()}` right above it. Say there what it is for."
            )


def _comment_above(lines: list[str], line: int) -> str | None:
    """The words of the comment right above a line; None where there is none of ours."""
    words: list[str] = []
    for each in reversed(lines[:line]):
        stripped = each.strip()
        if stripped.startswith(MARK):
            return " ".join([stripped.removeprefix(MARK), *reversed(words)])
        if not stripped.startswith("# "):
            return None
        words.append(stripped.removeprefix("# "))
    return None


def _plain(node: yaml.Node) -> Any:
    return yaml.SafeLoader.construct_document(yaml.SafeLoader(""), node)


# -- README.md -------------------------------------------------------------------------------------


def tables(values: Iterable[Value]) -> str:
    """One table for each key at the top that has keys below, one for all others."""
    groups: dict[str, list[Value]] = {}
    for each in values:
        head, _, rest = each.path.partition(".")
        groups.setdefault(head if rest else "", []).append(each)
    parts = [
        "\n".join(
            [
                f"### {f'`{head}`' if head else 'Operators, and all that is alike'}\n",
                "| key | default | what it is for |",
                "|---|---|---|",
                *(_row(each) for each in found),
            ]
        )
        for head, found in groups.items()
    ]
    return "\n\n".join(parts) + "\n"


def _row(value: Value) -> str:
    shown = "" if value.default is None else json.dumps(value.default, ensure_ascii=False)
    cells = (f"`{value.path}`", f"`{shown}`" if shown else "unset", value.text)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def readme(present: str, values: Iterable[Value]) -> str:
    """The page with new tables between the two marks. Raises ChartError where there are none."""
    before, begin, rest = present.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ChartError(f"{README} needs these two lines, in this order:\n{BEGIN}{END}")
    return f"{before}{BEGIN}\n{tables(values)}\n{END}{after}"


# -- values.schema.json ----------------------------------------------------------------------------


def free_settings(
    settings: type[BaseSettings], *, templates: Iterable[str]
) -> dict[str, dict[str, Any]]:
    """The variables of a program that no value of the chart sets already, with what each takes."""
    prefix = settings.model_config["env_prefix"]
    fields = settings.model_json_schema()["properties"]
    known = {f"{prefix}{name.upper()}": field for name, field in fields.items()}
    taken = {name for text in templates for name in SETTING.findall(text)}
    return {name: setting(known[name]) for name in sorted(known.keys() - taken)}


def setting(field: dict[str, Any]) -> dict[str, Any]:
    """What a variable may be in values.yaml: a value of its type, or text that is read as one.

    A range holds for numbers; of text it can only be told whether it may be negative.
    """
    kinds = [each for each in field.get("anyOf", []) if each.get("type") != "null"]
    if len(kinds) == 1:
        field = kinds[0]
    if "enum" in field:
        return {"enum": field["enum"]}
    match field.get("type"):
        case "integer" | "number" as kind:
            least = field.get("minimum", field.get("exclusiveMinimum", -1))
            number = {"type": kind} | {key: field[key] for key in RANGE if key in field}
            pattern = ("" if least >= 0 else "-?") + NUMBERS[kind]
            return {"anyOf": [number, {"type": "string", "pattern": f"^({pattern})?$"}]}
        case "boolean":
            words = [form(word) for word in SWITCH for form in (str, str.title, str.upper)]
            return {"enum": [True, False, 0, 1, "0", "1", *words]}
        case "string":
            limits: dict[str, Any] = {
                key: field[key] for key in ("maxLength", "pattern") if key in field
            }
            return {"type": ["string", "number", "boolean"]} | limits
    return {"$ref": "#/definitions/setting"}


def schema(present: str, *, root: Path) -> str:
    """The schema with the settings that may be given by name."""
    document = json.loads(present)
    templates = root / CHART / "templates"
    operator = [(templates / "_environment.tpl").read_text()]
    worker = [(templates / "embedder" / "_worker.tpl").read_text()]
    properties = document["properties"]
    for place, names in (
        (properties["settings"], free_settings(OperatorSettings, templates=operator)),
        (
            properties["embedder"]["properties"]["settings"],
            free_settings(EmbedderSettings, templates=worker),
        ),
    ):
        place["properties"] = names
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


# -- all of it -------------------------------------------------------------------------------------


def files(root: Path) -> dict[Path, str]:
    """What each generated file must hold, by its path below the root of the repository.

    Raises ChartError.
    """
    values = read_values((root / VALUES).read_text())
    roles = {
        CHART / "files" / "rbac" / name: f"# Copied by make references; edit hack/{name} instead.\n"
        + (root / "hack" / name).read_text()
        for name in ROLES
    }
    return roles | {
        README: readme((root / README).read_text(), values),
        SCHEMA: schema((root / SCHEMA).read_text(), root=root),
    }


def main(arguments: list[str] | None = None) -> int:
    """The exit code: 1 where `--check` finds something out of date, 2 where nothing can be made."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "--check", action="store_true", help="write nothing, exit 1 on a difference"
    )
    parser.add_argument("--root", type=Path, default=ROOT, help="the root of the repository")
    options = parser.parse_args(arguments)
    try:
        wanted = files(options.root)
    except ChartError as error:
        print(error, file=sys.stderr)
        return 2
    found = ""
    for path, text in wanted.items():
        target = options.root / path
        committed = target.read_text() if target.exists() else ""
        if not options.check and committed != text:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        found += "".join(
            difflib.unified_diff(
                committed.splitlines(keepends=True),
                text.splitlines(keepends=True),
                fromfile=f"committed/{path}",
                tofile=f"generated/{path}",
            )
        )
    if not options.check:
        return 0
    sys.stdout.write(found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
