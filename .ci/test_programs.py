"""Reads `ctest --show-only=json-v1` and prints the programs of a build directory that the tests run.

A test's command names them: the program itself and, for a script, those it is given as arguments.
ctest leaves the command out while the program is not built; it is a target of the test's name then.
"""

import json
import os
import sys

build = sys.argv[1] + os.sep
programs = set()
for test in json.load(sys.stdin)["tests"]:
    if "command" not in test:
        programs.add(test["name"])
    for word in test.get("command", []):
        path = word.partition("=")[2] if word.startswith("--") else word
        if path.startswith(build):
            programs.add(path[len(build):])
print("\n".join(sorted(programs)))
