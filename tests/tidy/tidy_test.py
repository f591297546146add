"""Goal: the rules of the house hold in the whole tree. Method: read every file, apply tidy_rules.

Usage: tidy_test.py ROOT
"""

import os
import sys

import tidy_rules

CPP_FOLDERS = ["gateway", "server", "client", "tests", "bench"]
MARKDOWN_FOLDERS = ["docs", "proto", "tests", "bench", "client", "console", "bazel"]
SKIPPED = {"node_modules", "build", "data", ".git"}


def walk(root, folders):
    """Yields (folder, names) for every folder below `folders`, relative to `root`."""
    for top in folders:
        for folder, below, names in os.walk(os.path.join(root, top)):
            below[:] = sorted(set(below) - SKIPPED)
            yield os.path.relpath(folder, root), names


def read(root, path):
    """The text of a file, or nothing if there is none."""
    try:
        with open(os.path.join(root, path), encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def findings_of(root):
    """Yields (path, line, text) for all that breaks a rule."""
    for folder, names in walk(root, CPP_FOLDERS):
        cpp = [name for name in names if name.endswith((".cc", ".h"))]
        sources = f"{folder}/sources.bzl"
        if cpp or os.path.exists(os.path.join(root, sources)):
            texts = [read(root, f"{folder}/{name}") for name in ("sources.bzl", "CMakeLists.txt", "BUILD")]
            found = tidy_rules.check_sources(folder, cpp, *texts)
            yield from ((sources, *finding) for finding in found)
        for name in cpp:
            path = f"{folder}/{name}"
            yield from ((path, *finding) for finding in tidy_rules.check_cpp(path, read(root, path)))
    yield from markdown_findings(root)


def markdown_findings(root):
    """Yields (path, line, text) for the links that lead nowhere."""
    pages = [name for name in os.listdir(root) if name.endswith(".md")]
    for folder, names in walk(root, MARKDOWN_FOLDERS):
        pages += [f"{folder}/{name}" for name in names if name.endswith(".md")]
    exists = lambda path: os.path.exists(os.path.join(root, path))
    for page in pages:
        found = tidy_rules.check_links(page, read(root, page), exists)
        yield from ((page, *finding) for finding in found)


def main():
    findings = list(findings_of(sys.argv[1]))
    for path, line, text in findings:
        print(f"{path}:{line}: {text}")
    sys.exit(1 if findings else 0)


if __name__ == "__main__":
    main()
