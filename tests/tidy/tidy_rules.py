"""The rules that tidy_test.py holds the tree to. Each takes a path and what it holds and returns
findings: `(line, text)`."""

import os
import re

from cpp_scanner import blocks_of, strip_comments

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60
LAMBDA_LINES_MAX = 8

# The ladder: a folder includes what stands below it, and itself.
LAYERS = {
    "gateway/base": 0,
    "gateway/model": 1,
    "gateway/store": 2,
    "gateway/accept": 3,
    "gateway/dispatch": 3,
    "gateway/deliver": 3,
    "gateway": 4,
    "server": 5,
    "client": 5,
}

# Headers of the outside world, and the folders that may see them. Tests and benchmarks may.
OUTSIDE = [
    (r"sqlite3\.h|libpq-fe\.h|postgresql/", ["gateway/store"]),
    (r"boost/", ["gateway/deliver", "gateway/base"]),
    (r"ares", ["gateway/deliver"]),
    (r"grpc\+\+/|grpcpp/|grpc/|google/(protobuf|rpc)/|postrider/v1/|proto/", ["server", "client"]),
]

_INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def _line_of(text, position):
    return text.count("\n", 0, position) + 1


def check_includes(path, text):
    """Includes point down the ladder, and only some folders see the outside world."""
    folder = os.path.dirname(path)
    findings = []
    for number, line in enumerate(text.splitlines(), 1):
        match = _INCLUDE.match(line)
        if not match:
            continue
        target = match.group(2)
        if folder in LAYERS:
            findings += [(number, problem) for problem in _include_problems(folder, target)]
    return findings


def _include_problems(folder, target):
    target_folder = os.path.dirname(target)
    if target_folder in LAYERS and target_folder != folder:
        if LAYERS[target_folder] >= LAYERS[folder]:
            yield f"{folder} may not include {target}: includes point down the ladder"
    if target.startswith(("tests/", "bench/")):
        yield f"{folder} may not include {target}: tests are not part of the product"
    for pattern, allowed in OUTSIDE:
        if re.match(pattern, target) and folder not in allowed:
            yield f"{folder} may not include {target}: only {', '.join(allowed)} may"


def check_sizes(path, text):
    """Files, functions and lambdas stay small."""
    findings = []
    lines = text.count("\n")
    if lines > FILE_LINES_MAX:
        findings.append((lines, f"{lines} lines; a file has at most {FILE_LINES_MAX}"))
    limits = {"function": FUNCTION_LINES_MAX, "lambda": LAMBDA_LINES_MAX}
    for block in blocks_of(text):
        long = block.last_line - block.first_line + 1
        if block.kind == "lambda":
            long = block.last_line - block.brace_line - 1  # What stands between the braces.
        if block.kind in limits and long > limits[block.kind]:
            name = block.head.splitlines()[0][:60]
            findings.append(
                (block.first_line, f"{long} lines; a {block.kind} has at most {limits[block.kind]}: {name}")
            )
    return findings


_CO = re.compile(r"\bco_(await|return|yield)\b")


def check_coroutines(path, text):
    """What a coroutine is given must live as long as it does."""
    findings = []
    for block in blocks_of(text):
        if block.kind == "lambda" and _CO.search(block.body):
            if not re.match(r"\[\s*\]", block.head):
                findings.append((block.first_line, "a lambda that captures may not be a coroutine"))
            findings += _parameter_problems(block.first_line, block.head)
        if block.kind == "function" and re.search(r"\bawaitable<", block.head.partition("(")[0]):
            findings += _parameter_problems(block.first_line, block.head)
    for match in re.finditer(
        r"\bawaitable<[^;{}()]*>\s+\w+\(([^;{}]*)\)[^;{}()]*;", strip_comments(text)
    ):
        findings += _parameter_problems(_line_of(text, match.start()), match.group(0))
    return findings


def _parameter_problems(line, head):
    parameters = head.partition("(")[2]
    if "&" in parameters:
        yield (line, "a coroutine takes values or pointers, never references: they dangle")
    if "string_view" in parameters:
        yield (line, "a coroutine takes strings, never string_view: it dangles")


# Pattern, what to do instead, and the files that may all the same.
BANNED = [
    (r"\bthrow\b", "errors are Status values", r"^$"),
    # An error code's value() is a number and does not throw.
    (r"(?<!error)(?<!failure)(?:\.|->)value\(\)", "it throws; test first and use *", r"^$"),
    (r"\bsleep_for\b|\bsleep_until\b|\busleep\(|\bnanosleep\(|\bSleepFor\(", "wait for what happens, not for time to pass", r"^$"),
    (r"\babsl::Now\(|\bClock::now\(|\b(?:steady|system|high_resolution)_clock::now\(|\bclock_gettime\(|\bgettimeofday\(|\btime\(nullptr\)",
     "time is an argument; ask a Clock", r"^gateway/base/clock\.(cc|h)$"),
    (r"\brandom_device\b|\bstd::rand\b|\bsrand\(|\babsl::BitGen\b|\bRAND_bytes\(|\bgetrandom\(", "chance is an argument; ask a Random",
     r"^gateway/base/random\.(cc|h)$"),
    (r"\busing namespace\b", "name what you use", r"^$"),
    (r"\bstd::(?:recursive_|shared_|timed_)?mutex\b|\babsl::Mutex\b|\bstd::condition_variable\b",
     "use postrider::Mutex, which clang and ThreadSanitizer both see", r"^gateway/base/mutex\.h$"),
    (r"\bdetached\b", "somebody must see how a coroutine ends", r"^$"),
    (r"\bNOLINT\b(?!NEXTLINE\(|\()", "say which check", r"^$"),
]


def check_banned(path, text):
    """Calls that are not made here."""
    code = strip_comments(text)
    findings = []
    for pattern, instead, exempt in BANNED:
        if re.match(exempt, path):
            continue
        for match in re.finditer(pattern, code):
            findings.append((_line_of(code, match.start()), f"{match.group(0)}: {instead}"))
    for match in re.finditer(r"\b(TODO|FIXME|XXX|HACK)\b", text):
        findings.append((_line_of(text, match.start()), f"{match.group(0)}: do it or leave it"))
    if path.endswith(".h") and not text.startswith("#pragma once"):
        findings.append((1, "a header begins with #pragma once"))
    return findings


CPP_RULES = [check_includes, check_sizes, check_coroutines, check_banned]


def check_cpp(path, text):
    """All findings in one C++ file."""
    return [finding for rule in CPP_RULES for finding in rule(path, text)]


def lists_of(text):
    """The lists of a sources.bzl by name."""
    lists = {}
    for match in re.finditer(r"^(\w+) = \[([^\]]*)\]", text, re.MULTILINE):
        entries = re.sub(r"#[^\n]*", "", match.group(2))
        lists[match.group(1)] = re.findall(r'"([^"]*)"', entries)
    return lists


def check_sources(folder, names, sources, cmake, bazel):
    """Every C++ file of a folder is in one of its lists, every entry is a file, and every test is in
    TESTS, which the folder's CMakeLists.txt gives to ctest; unit tests are Bazel's too. `sources`,
    `cmake` and `bazel` are the texts of sources.bzl, CMakeLists.txt and BUILD; empty: there is none."""
    lists = lists_of(sources)
    listed = [entry for entries in lists.values() for entry in entries]
    findings = []
    for name in sorted(names):
        if listed.count(name) == 0:
            findings.append((1, f"{folder}/{name} is in no list of {folder}/sources.bzl: it is not built"))
        if name.endswith("_test.cc") and name not in lists.get("TESTS", []):
            findings.append((1, f"{folder}/{name} is not in TESTS of {folder}/sources.bzl: it is not run"))
    for entry in listed:
        if entry not in names:
            findings.append((1, f"{folder}/sources.bzl lists {entry}, which does not exist"))
    commands = re.sub(r"#[^\n]*", "", cmake)
    if lists.get("TESTS") and not re.search(rf"postrider_test\(\s*\w+\s+{re.escape(folder)}\b", commands):
        findings.append((1, f"no postrider_test of {folder}/CMakeLists.txt runs {folder}"))
    if lists.get("TESTS") and folder.startswith("tests/unit/") and "postrider_test(" not in bazel:
        findings.append((1, f"no postrider_test of {folder}/BUILD runs {folder}"))
    return findings


def check_links(path, text, exists):
    """Relative links of a Markdown file lead to files. `exists` tells whether a path does."""
    findings = []
    for match in re.finditer(r"\]\(([^)#\s]+)(#[^)]*)?\)", text):
        target = match.group(1)
        if re.match(r"[a-z]+:", target):
            continue
        resolved = os.path.normpath(os.path.join(os.path.dirname(path), target))
        if not exists(resolved):
            findings.append((_line_of(text, match.start()), f"the link to {target} leads nowhere"))
    return findings
