#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""
Holds the JSON schema of the manifest and the parser against each other, and both
against the samples in good/, bad/ and bad-beyond-schema/. Prints TAP.

    test_schema.py CHECK_MANIFEST SOURCE_ROOT [--update]

Each bad manifest has a sibling .expect with the exact text of its diagnostics;
--update writes these anew, for review.
"""

import glob
import json
import os
import re
import subprocess
import sys

import jsonschema
import yaml

CORE = "tag:yaml.org,2002:"
MAX_NODES = 100000
MAX_DEPTH = 64


class NotLoaded(Exception):
    """What JSON cannot say: a mistake in the YAML itself."""


class Loader(yaml.SafeLoader):
    """Composes nodes whose tags say how they were written, not what they mean."""

    def resolve(self, kind, value, implicit):
        if kind is yaml.ScalarNode:
            return "plain" if implicit[0] else "quoted"
        return "collection"


def scalar(node):
    if node.tag in ("quoted", CORE + "str"):
        return node.value
    if node.tag != "plain":
        raise NotLoaded(node.tag)
    if node.value in ("", "~", "null"):
        return None
    if node.value in ("true", "false"):
        return node.value == "true"
    if re.fullmatch(r"-?(0|[1-9][0-9]*)", node.value):
        return int(node.value)
    return node.value


def merged(value):
    if isinstance(value, dict):
        return [value]
    if isinstance(value, list) and all(isinstance(item, dict) for item in value):
        return value
    raise NotLoaded("a merge of something else")


class Converter:
    """Turns nodes into values as the parser sees them, within its limits."""

    def __init__(self):
        self.count = 0

    def mapping(self, node, above):
        result = {}
        merges = []
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise NotLoaded("a key that is no text")
            value = self.convert(value, above)
            if key.tag == "plain" and key.value == "<<":
                merges.append(value)
            elif key.value in result:
                raise NotLoaded("a duplicate key")
            else:
                result[key.value] = value
        if len(merges) > 1:
            raise NotLoaded("a duplicate key")
        for value in merges:
            for source in merged(value):
                result = {**source, **result}
        return result

    def convert(self, node, above=()):
        self.count += 1
        if self.count > MAX_NODES or len(above) >= MAX_DEPTH or node in above:
            raise NotLoaded("too many, too deep, or without end")
        if isinstance(node, yaml.ScalarNode):
            return scalar(node)
        if node.tag not in ("collection", CORE + "seq", CORE + "map"):
            raise NotLoaded(node.tag)
        above = above + (node,)
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, above)
        return [self.convert(item, above) for item in node.value]


def load(path):
    """Load a manifest, or raise NotLoaded."""
    try:
        with open(path, "rb") as file:
            node = yaml.compose(file.read().decode("utf-8"), Loader=Loader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise NotLoaded(str(error)) from error
    if node is None:
        raise NotLoaded("an empty file")
    return Converter().convert(node)


class Tests:
    def __init__(self, program, root, is_update):
        self.program = program
        self.folder = os.path.join(root, "tests", "manifest")
        self.is_update = is_update
        self.count = 0
        self.failed = 0
        with open(os.path.join(root, "schemas", "manifest.schema.json"),
                  encoding="utf-8") as file:
            self.schema = json.load(file)
        self.validator = jsonschema.Draft202012Validator(self.schema)

    def report(self, name, problems):
        self.count += 1
        self.failed += bool(problems)
        print(f"{'not ok' if problems else 'ok'} {self.count} - {name}")
        for line in "\n".join(problems).splitlines():
            print(f"#   {line}")

    def check(self, path):
        """Run the parser: is it good, and the text of what is wrong with it."""
        done = subprocess.run([self.program, path], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=120, check=False)
        first, _, text = done.stdout.decode("utf-8").partition("\n")
        if done.returncode not in (0, 2) or done.stderr:
            raise RuntimeError(f"{first}\n{text}\n{done.stderr.decode()}")
        return done.returncode == 0, text

    def objections(self, path):
        """What the schema has against a manifest."""
        return [f"schema: {error.json_path}: {error.message[:200]}"
                for error in self.validator.iter_errors(load(path))]

    def good(self, path):
        is_good, text = self.check(path)
        problems = [] if is_good else ["the parser refuses it:", text]
        try:
            problems += self.objections(path)
        except NotLoaded as error:
            problems.append(f"cannot be loaded: {error}")
        return problems

    def expected(self, path, text):
        expect = path[:-len(".yml")] + ".expect"
        if self.is_update:
            with open(expect, "w", encoding="utf-8") as file:
                file.write(text)
        if not os.path.exists(expect):
            return [f"no {os.path.basename(expect)}"]
        with open(expect, encoding="utf-8") as file:
            wanted = file.read()
        return [] if wanted == text else ["expected:", wanted, "got:", text]

    def bad(self, path):
        is_good, text = self.check(path)
        problems = ["the parser takes it"] if is_good else []
        problems += self.expected(path, text)
        try:
            if not self.objections(path):
                problems.append("the schema takes it")
        except NotLoaded as error:
            problems.append(f"belongs to bad-beyond-schema: {error}")
        return problems

    def beyond(self, path):
        is_good, text = self.check(path)
        problems = ["the parser takes it"] if is_good else []
        problems += self.expected(path, text)
        try:
            if self.objections(path):
                problems.append("belongs to bad: the schema refuses it")
        except NotLoaded:
            pass
        return problems

    def keys(self, at, where=""):
        """Find each property and each definition, wherever it stands."""
        if isinstance(at, list):
            for number, item in enumerate(at):
                yield from self.keys(item, f"{where}/{number}")
        if not isinstance(at, dict):
            return
        for name in ("properties", "patternProperties", "$defs"):
            for key, value in at.get(name, {}).items():
                yield f"{where}/{name}/{key}", value
                yield from self.keys(value, f"{where}/{name}/{key}")
        for name in ("items", "prefixItems", "anyOf", "additionalProperties"):
            yield from self.keys(at.get(name), f"{where}/{name}")

    def undescribed(self):
        """Every property, and every definition, says what it is and shows it."""
        return [f"no {what}: {place}" for place, value in self.keys(self.schema)
                for what in ("description", "examples")
                if not value.get(what) and "$ref" not in value]

    def wrong_examples(self):
        places = [("", self.schema), *self.keys(self.schema)]
        return [f"{place}: {error.message}" for place, value in places
                for example in value.get("examples", [])
                for error in self.validator.evolve(schema=value).iter_errors(example)]

    def run(self):
        jsonschema.Draft202012Validator.check_schema(self.schema)
        self.report("the schema describes every key and has examples of it",
                    self.undescribed())
        self.report("the schema's examples are right", self.wrong_examples())
        root = os.path.dirname(os.path.dirname(self.folder))
        samples = glob.glob(os.path.join(root, "samples", "*", ".buildr.yml"))
        samples += glob.glob(os.path.join(root, ".buildr.yml"))
        for path in sorted(samples):
            self.report("takes " + os.path.relpath(path, root), self.good(path))
        for kind, test in (("good", self.good), ("bad", self.bad),
                           ("bad-beyond-schema", self.beyond)):
            paths = sorted(glob.glob(os.path.join(self.folder, kind, "*.yml")))
            if not paths:
                self.report(f"{kind} has manifests", ["it has none"])
            for path in paths:
                self.report(f"{kind}/{os.path.basename(path)}", test(path))
        print(f"1..{self.count}")
        return self.failed


def main():
    arguments = [argument for argument in sys.argv[1:] if argument != "--update"]
    program, root = arguments
    failed = Tests(program, root, "--update" in sys.argv).run()
    sys.exit(1 if failed else 0)


main()
