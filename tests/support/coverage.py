#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What tests/coverage prints: a table of the lines that ran, from gcov's data.

coverage.py SOURCES BUILD    exit status 1 where lib or init is under 90 %
"""
import collections
import json
import pathlib
import subprocess
import sys

LEAST = 90.0


def gcov(build):
    """Everything that gcov has to say, one object of JSON for each object file."""
    for data in sorted(build.rglob('*.gcda')):
        printed = subprocess.run(
            ['gcov', '--json-format', '--stdout', str(data)], cwd=data.parent,
            check=True, capture_output=True).stdout
        for line in printed.splitlines():
            yield data.parent, json.loads(line)


def count_lines(sources, build):
    """{file: {line: how often}}; a file that is compiled in twice counts as one."""
    counts = collections.defaultdict(lambda: collections.defaultdict(int))
    for folder, report in gcov(build):
        start = pathlib.Path(report.get('current_working_directory', folder))
        for file in report['files']:
            path = (start / file['file']).resolve()
            if not path.is_relative_to(sources):
                continue
            name = path.relative_to(sources)
            if name.parts[0] not in ('lib', 'init'):
                continue
            for line in file['lines']:
                counts[name][line['line_number']] += line['count']
    return counts


def ranges(lines):
    """12-14, 20: neighbours together."""
    text = []
    for line in sorted(lines):
        if text and text[-1][1] == line - 1:
            text[-1][1] = line
        else:
            text.append([line, line])
    return ', '.join(str(a) if a == b else f'{a}-{b}' for a, b in text)


def percent(counts):
    return 100.0 * sum(n > 0 for n in counts) / len(counts)


def print_table(counts):
    """A row for each folder, then for lib and init as a whole; gives the latter."""
    rows = collections.defaultdict(list)
    for name, lines in counts.items():
        rows[str(name.parent)] += lines.values()
    whole = {part: [n for name, lines in counts.items()
                    if name.parts[0] == part for n in lines.values()]
             for part in ('lib', 'init')}
    print('| folder | lines | ran | % |\n|---|---:|---:|---:|')
    for label, row in [*sorted(rows.items()),
                       *(('**' + part + '**', row) for part, row in whole.items())]:
        print(f'| {label} | {len(row)} | {sum(n > 0 for n in row)} '
              f'| {percent(row):.1f} |')
    return whole


def print_files(counts):
    """The files that are under the mark, and which of their lines never ran."""
    for name, lines in sorted(counts.items()):
        share = percent(lines.values())
        if share < LEAST:
            never = ranges(line for line, n in lines.items() if n == 0)
            print(f'{name}: {share:.1f} %, not {never}')


def main():
    sources, build = (pathlib.Path(arg).resolve() for arg in sys.argv[1:3])
    counts = count_lines(sources, build)
    whole = print_table(counts)
    print()
    print_files(counts)
    return int(any(not row or percent(row) < LEAST for row in whole.values()))


if __name__ == '__main__':
    sys.exit(main())
