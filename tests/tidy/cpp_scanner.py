"""A scanner for C++ as clang-format leaves it: finds functions, lambdas, and code without comments.

Not a parser. It knows comments, literals, preprocessor lines and braces, and tells what a brace opens
from the words before it.
"""

import dataclasses
import re


@dataclasses.dataclass
class Block:
    """What one pair of braces holds."""

    kind: str  # namespace, type, function, lambda, initializer or control.
    head: str  # The words before the brace.
    first_line: int  # Where the head begins.
    brace_line: int
    last_line: int = 0
    body: str = ""  # The code inside, without that of nested lambdas.


def strip_comments(text):
    """`text` with comments blanked and the insides of literals too; lines stay where they are."""
    out = []
    at = 0
    pattern = re.compile(
        r'//[^\n]*|/\*.*?\*/|R"(?P<mark>[^(\s]*)\(.*?\)(?P=mark)"|"(?:\\.|[^"\\\n])*"'
        r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])*'",
        re.DOTALL,
    )
    for match in pattern.finditer(text):
        out.append(text[at : match.start()])
        found = match.group(0)
        blank = re.sub(r"[^\n]", " ", found)
        if found[0] in "\"'R" and not found.startswith("//"):
            blank = '"' + blank[1:-1] + '"'
        out.append(blank)
        at = match.end()
    out.append(text[at:])
    return "".join(out)


def strip_preprocessor(code):
    """`code` with preprocessor lines, continued ones too, blanked."""
    return re.sub(
        r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*",
        lambda match: re.sub(r"[^\n]", " ", match.group(0)),
        code,
        flags=re.MULTILINE,
    )


_LAMBDA = re.compile(
    r"\[[^\[\]]*(?:\[[^\[\]]*\][^\[\]]*)*\]\s*"
    r"(?:\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\))?\s*"
    r"(?:mutable\b|noexcept\b|constexpr\b|\s)*(?:->[^{};]*)?$"
)
_INDEXED = re.compile(r"[\w)\]]\s*$")
_TYPE = re.compile(r"^(?:template\s*<.*>\s*)?(?:typedef\s+)?(?:class|struct|union|enum)\b", re.DOTALL)
_CONTROL = re.compile(r"(?:^|[\s}])(?:if|for|while|switch|catch)\s*(?:constexpr\s*)?\(|(?:^|\s)(?:else|do|try)\s*$")
_CONSTRUCTOR = re.compile(r"\)\s*(?:noexcept\s*)?:(?!:)")


def lambda_start(head):
    """Where in `head` a lambda begins that the brace after it opens; -1 if none does."""
    for match in re.finditer(r"\[", head):
        at = match.start()
        if _LAMBDA.match(head, at) and not _INDEXED.search(head[:at].replace("return", "")):
            return at
    return -1


def _kind_outside(head):
    if not head.strip():
        return "control"
    if re.search(r"\bnamespace\b", head) or re.search(r'\bextern\s*""?', head):
        return "namespace"
    if "(" not in head:
        return "type" if _TYPE.match(head.strip()) else "initializer"
    if _TYPE.match(head.strip()) and not re.search(r"\)\s*(?:const|noexcept|override|final)*\s*$", head):
        return "type"
    if head.rstrip().endswith(("=", ",", "(")):
        return "initializer"
    if _CONSTRUCTOR.search(head):
        return "function" if head.rstrip().endswith((")", "}")) else "initializer"
    if re.search(r"\)[\w\s:<>,&*()-]*$", head) and not re.search(r"[^=!<>]=[^=][^()]*$", head):
        return "function"
    return "initializer"


def _kind_inside(head):
    if not head.strip():
        return "control"
    if _CONTROL.search(head):
        return "control"
    if _TYPE.match(head.strip()) and "(" not in head:
        return "type"
    return "initializer"


def _kind(head, stack):
    start = lambda_start(head)
    if start >= 0:
        return "lambda"
    outer = next((block.kind for block in reversed(stack) if block.kind in ("function", "lambda", "type", "namespace")), "namespace")
    if stack and stack[-1].kind == "initializer":
        return "initializer"
    return _kind_inside(head) if outer in ("function", "lambda") else _kind_outside(head)


class _Scan:
    """One walk over the characters of a file."""

    def __init__(self, code):
        self.code = code
        self.line = 1
        self.stack = []
        self.blocks = []
        self.head = ""
        self.head_line = 1
        self.parens = []  # Heads to go on with once a brace inside parentheses has closed.

    def run(self):
        depth = 0
        for character in self.code:
            if character == "{":
                self._open(depth)
                depth = 0
            elif character == "}" and self.stack:
                depth = self._close()
            elif character == ";" and depth == 0:
                self._note(";")
                self.head = ""
            else:
                depth += {"(": 1, ")": -1}.get(character, 0)
                self._add(character)
            if character == "\n":
                self.line += 1
        return self.blocks

    def _note(self, character):
        for block in reversed(self.stack):
            block.body += character
            if block.kind in ("function", "lambda"):
                break

    def _add(self, character):
        self._note(character)
        if not self.head.strip():
            self.head = ""
            self.head_line = self.line
        self.head += character
        if re.search(r"(?:public|private|protected|default)\s*:$|\bcase\b[^?]*[^:]:$", self.head):
            self.head = ""

    def _open(self, depth):
        kind = _kind(self.head, self.stack)
        block = Block(kind, self.head.strip(), self.head_line, self.line)
        if kind == "lambda":
            start = lambda_start(self.head)
            block.first_line = self.line - self.head[start:].count("\n")
            block.head = self.head[start:].strip()
        self.parens.append((self.head, self.head_line, depth))
        self.stack.append(block)
        self.head = ""

    def _close(self):
        block = self.stack.pop()
        block.last_line = self.line
        self.blocks.append(block)
        head, head_line, depth = self.parens.pop()
        if block.kind in ("lambda", "initializer"):
            self.head, self.head_line = head + "{}", head_line
            return depth
        self.head = ""
        return 0


def blocks_of(text):
    """Every pair of braces of a C++ file, inner ones first."""
    return _Scan(strip_preprocessor(strip_comments(text))).run()
