#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Holds schemas/event.schema.json against the descriptor table of lib/event.

usage: test_schema.py PRINT_EVENTS SCHEMA
"""
import copy
import json
import subprocess
import sys

import jsonschema

# What a field of each kind is in the schema: the keywords that say so.
SHAPES = {
    "string": {"type": "string"},
    "int": {"type": "integer"},
    "count": {"type": "integer"},
    "seconds": {"$ref": "#/$defs/seconds"},
    "names": {"type": "array", "items": {"type": "string"}},
    "host": {"$ref": "#/$defs/host"},
    "results": {"$ref": "#/$defs/results"},
}
COMMON = {"v", "seq", "try", "ts", "build", "type"}


class Tap:
    """Counts and prints the lines of the Test Anything Protocol."""

    def __init__(self):
        self.count = 0
        self.failed = 0

    def check(self, name, problems):
        """One test: passed where the list of problems is empty."""
        self.count += 1
        self.failed += bool(problems)
        print(f"{'not ok' if problems else 'ok'} {self.count} - {name}")
        for problem in problems:
            print("# " + str(problem).replace("\n", "\n# "))

    def end(self):
        print(f"1..{self.count}")
        return 1 if self.failed else 0


def print_events(program, what):
    return subprocess.run([program, what], check=True, timeout=60,
                          stdout=subprocess.PIPE).stdout.decode()


def field_problems(field, properties, names):
    """What the schema says of one field, against the table's row."""
    name, kind = field["name"], field["kind"]
    described = properties.get(name)
    if described is None:
        return [f"{name}: not in the schema"]
    if kind in names:
        unknown = set(described.get("enum", ["no enum"])) - set(names[kind])
        return [f"{name}: {value} is no {kind}" for value in unknown]
    return [f"{name}: {key} is not {value}" for key, value in SHAPES[kind].items()
            if described.get(key) != value]


def flatten(fields):
    """The table's fields as JSON has them: output bytes under one of two keys."""
    for field in fields:
        if field["kind"] != "bytes":
            yield field
            continue
        for name in ("text", "base64"):
            yield {"name": name, "kind": "string", "optional": True}


def type_problems(fields, described, names):
    problems = []
    fields = list(flatten(fields))
    for field in fields:
        problems += field_problems(field, described["properties"], names)
    extra = set(described["properties"]) - {field["name"] for field in fields}
    problems += [f"{name}: not in the table" for name in extra]
    required = {field["name"] for field in fields if not field["optional"]}
    if required != set(described["required"]):
        problems.append(f"required: {required ^ set(described['required'])}")
    return problems


def undescribed(node, path="#"):
    """Properties of the schema that nobody has described."""
    if isinstance(node, list):
        return [p for i, n in enumerate(node) for p in undescribed(n, f"{path}/{i}")]
    if not isinstance(node, dict):
        return []
    found = []
    for key, value in node.items():
        found += undescribed(value, f"{path}/{key}")
        # The `if` parts repeat `type` only to tell the cases apart.
        if key == "properties" and "/allOf/" not in path:
            found += [f"{path}/{name} has no description"
                      for name, prop in value.items() if not prop.get("description")]
    return found


def spoilt(sample, described):
    """Copies of a sample, each with one thing wrong."""
    for name in COMMON | set(described["required"]):
        bad = copy.deepcopy(sample)
        del bad[name]
        yield f"without {name}", bad
    for name in sample:
        bad = copy.deepcopy(sample)
        bad[name] = None
        yield f"with null as {name}", bad


def sample_problems(validator, sample, described):
    problems = list(validator.iter_errors(sample))
    problems += [f"takes it {what}" for what, bad in spoilt(sample, described)
                 if validator.is_valid(bad)]
    if not validator.is_valid({**sample, "added-later": [1]}):
        problems.append("does not take a field that is added later")
    return problems


def main():
    program, schema_path = sys.argv[1:]
    with open(schema_path, encoding="utf-8") as file:
        schema = json.load(file)
    table = json.loads(print_events(program, "table"))
    samples = [json.loads(line) for line in
               print_events(program, "samples").splitlines()]
    validator = jsonschema.Draft202012Validator(schema)
    tap = Tap()

    jsonschema.Draft202012Validator.check_schema(schema)
    tap.check("the schema and the table know the same types",
              set(schema["properties"]["type"]["enum"]) ^ set(table["types"]))
    tap.check("every type has its case",
              {case["then"]["$ref"] for case in schema["allOf"]}
              ^ {"#/$defs/" + name for name in table["types"]})
    tap.check("every field is described", undescribed(schema))
    tap.check("the results of stages are the table's",
              set(schema["$defs"]["results"]["additionalProperties"]["enum"])
              ^ set(table["result"]))
    reasons = [schema["$defs"][name]["properties"]["reason"]["enum"]
               for name in ("stage.finished", "stage.skipped", "build.finished")]
    tap.check("the reasons are the table's", set(sum(reasons, [])) ^ set(table["reason"]))
    for name, fields in table["types"].items():
        tap.check(f"{name}: the schema says what the table says",
                  type_problems(fields, schema["$defs"][name], table))
        of_type = [sample for sample in samples if sample["type"] == name]
        tap.check(f"{name}: there is a sample", [] if of_type else [name])
        for number, sample in enumerate(of_type, 1):
            tap.check(f"{name}: sample {number} and nothing less is valid",
                      sample_problems(validator, sample, schema["$defs"][name]))
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
