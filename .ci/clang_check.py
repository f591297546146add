"""Runs clang-tidy, with clang's warnings and its thread-safety analysis, over every file that the
build knows. A file that passed is not looked at again until it, a header of ours that it includes or
the configuration changes.

Usage: clang_check.py BUILD_DIRECTORY JOBS COUNT_FILE [FILE...]
"""

import concurrent.futures
import hashlib
import json
import os
import re
import subprocess
import sys

ROOT = os.getcwd()
# The product. Tests are held to the compiler's warnings, the formatter and tests/tidy.
FOLDERS = ("gateway/", "server/", "client/", "bench/")
WARNINGS = ["-Wall", "-Wextra", "-Wshadow", "-Wthread-safety", "-Wno-unknown-warning-option"]
CACHE = "build/clang_check"


def compile_flags(entry):
    """The flags of a compile command that clang needs: search paths, macros and the language."""
    words = entry["command"].split()
    flags = []
    for at, word in enumerate(words):
        if word.startswith(("-I", "-D", "-std=")):
            flags.append(word)
        elif word == "-isystem":
            flags += [word, words[at + 1]]
    return flags


def included(path, seen):
    """Adds to `seen` the file and every file of ours that it includes."""
    if path in seen or not os.path.exists(path):
        return
    seen.add(path)
    with open(path, encoding="utf-8") as file:
        for target in re.findall(r'^\s*#\s*include "([^"]+)"', file.read(), re.MULTILINE):
            included(target, seen)


def fingerprint(path, flags):
    """A name for the file as it is now, with all that its check depends on."""
    files = set()
    included(path, files)
    digest = hashlib.sha256(" ".join(flags + WARNINGS).encode())
    for name in sorted(files) + [".clang-tidy", __file__]:
        with open(name, "rb") as file:
            digest.update(file.read())
    return f"{CACHE}/{digest.hexdigest()}"


def check(path, flags):
    """What clang-tidy has to say of a file; empty if nothing."""
    mark = fingerprint(path, flags)
    if os.path.exists(mark):
        return ""
    command = ["clang-tidy-14", "--quiet", path, "--", "-xc++", *flags, *WARNINGS]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode == 0:
        with open(mark, "w", encoding="utf-8") as file:
            file.write(path + "\n")
        return ""
    return run.stdout + run.stderr


def main():
    build, jobs, counts, only = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4:]
    os.makedirs(CACHE, exist_ok=True)
    with open(f"{build}/compile_commands.json", encoding="utf-8") as file:
        entries = {os.path.relpath(entry["file"], ROOT): entry for entry in json.load(file)}
    files = [path for path in sorted(entries) if path.startswith(FOLDERS) and (not only or path in only)]
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        results = pool.map(lambda path: check(path, compile_flags(entries[path])), files)
        failed = 0
        for path, text in zip(files, results):
            if text:
                failed += 1
                print(f"--- {path}\n{text}", flush=True)
    with open(counts, "a", encoding="utf-8") as file:
        file.write(f"{len(files) - failed} {failed} 0\n")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
