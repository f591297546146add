"""Goal: the tidy test finds what it is there to find, and nothing else. Method: snippets, good and
bad, one for each rule."""

import unittest

import cpp_scanner
import tidy_rules


def texts(findings):
    return " | ".join(text for _, text in findings)


def blocks(text, kind):
    return [block for block in cpp_scanner.blocks_of(text) if block.kind == kind]


class Scanner(unittest.TestCase):
    def test_literals_and_comments_hide_braces(self):
        text = 'void F() {\n  // {\n  G("{", \'{\', R"x({)x"); /* {\n */\n  const int n = 1\'000;\n}\nvoid H() {}\n'
        self.assertEqual([b.last_line for b in blocks(text, "function")], [6, 7])

    def test_namespaces_types_and_initializers_are_no_functions(self):
        text = (
            "namespace a::b {\nclass X final : public Y<int(int)> {\n public:\n  int a = {1};\n};\n"
            "struct ABSL_LOCKABLE Z {\n};\nenum class E { kOne };\n"
            "constexpr int kTable[] = {\n  1, 2};\nconst auto kMap = Make({{1, 2}, {3, 4}});\n}\n"
        )
        self.assertEqual(blocks(text, "function"), [])
        self.assertEqual(len(blocks(text, "type")), 3)

    def test_every_shape_of_function_is_found(self):
        heads = [
            "int F(int a)", "absl::Status F() const", "auto F() -> std::vector<int>",
            "X::X(int a) : a_(a), b_{a}", "X::X() : a_{1}", "X::~X() noexcept",
            "bool operator==(const X& a, const X& b)", "TEST_F(Suite, Name)",
            "template <typename T = int>\nT F(T value)", "X::X(int a)\n    : a_(a), b_([a] { return a; })",
            "void F(std::vector<int> a = {1})", "explicit operator bool() const",
            "struct X F(int a)", "void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION()", "void F(int a) requires C<int>",
        ]
        for head in heads:
            self.assertEqual(len(blocks(head + " {\n  return;\n}\n", "function")), 1, head)

    def test_methods_inside_a_class_are_found(self):
        text = "class X {\n public:\n  X() : a_(1) {}\n  int Get() const { return a_; }\n  int a_{2};\n};\n"
        self.assertEqual(len(blocks(text, "function")), 2)

    def test_control_flow_is_part_of_its_function(self):
        text = (
            "void F() {\n  for (int i = 0; i < 3; ++i) {\n    if (a) {\n    } else {\n    }\n  }\n"
            "  switch (x) {\n    case K::kA: {\n      break;\n    }\n  }\n  do {\n  } while (b);\n"
            "  X x{.a = 1, .b = {2}};\n  while (Next(X{1})) {\n  }\n}\n"
        )
        self.assertEqual([(b.first_line, b.last_line) for b in blocks(text, "function")], [(1, 17)])
        self.assertEqual(blocks(text, "lambda"), [])

    def test_lambdas_are_found_and_subscripts_are_not(self):
        text = (
            "void F() {\n  Post([this, a = std::move(a)](int x) mutable -> bool {\n    return x;\n  });\n"
            "  auto f = [] { return 1; };\n  m[3] = {4};\n  a[i](X{1});\n"
            "  std::sort(a, b, [&](auto l, std::pair<int, int> (*r)(int)) { return l < r; });\n"
            "  return [=]() noexcept { return 0; };\n}\n"
        )
        self.assertEqual(len(blocks(text, "lambda")), 4)
        self.assertEqual(len(blocks(text, "function")), 1)

    def test_the_body_of_a_lambda_is_not_that_of_its_function(self):
        text = "void F() {\n  Spawn([] { co_return; });\n}\n"
        self.assertNotIn("co_return", blocks(text, "function")[0].body)
        self.assertIn("co_return", blocks(text, "lambda")[0].body)


class Includes(unittest.TestCase):
    def found(self, path, target):
        return texts(tidy_rules.check_includes(path, f"#include {target}\n"))

    def test_downward_is_allowed(self):
        for path, target in [
            ("gateway/dispatch/a.cc", '"gateway/store/store.h"'),
            ("gateway/dispatch/a.cc", '"gateway/dispatch/b.h"'),
            ("gateway/gateway.cc", '"gateway/deliver/poster.h"'),
            ("server/main.cc", '"gateway/gateway.h"'),
            ("server/main.cc", "<grpcpp/grpcpp.h>"),
            ("gateway/store/sqlite.cc", "<sqlite3.h>"),
            ("tests/unit/store/a_test.cc", "<sqlite3.h>"),
            ("gateway/model/a.cc", "<algorithm>"),
        ]:
            self.assertEqual(self.found(path, target), "", (path, target))

    def test_upward_and_sideways_are_not(self):
        for path, target in [
            ("gateway/base/a.h", '"gateway/model/event.h"'),
            ("gateway/store/a.cc", '"gateway/dispatch/b.h"'),
            ("gateway/accept/a.cc", '"gateway/deliver/b.h"'),
            ("gateway/deliver/a.cc", '"gateway/gateway.h"'),
            ("gateway/gateway.cc", '"server/config.h"'),
            ("client/a.cc", '"server/config.h"'),
            ("server/a.cc", '"tests/support/b.h"'),
        ]:
            self.assertIn("may not include", self.found(path, target), (path, target))

    def test_the_outside_world_stays_where_it_belongs(self):
        for path, target in [
            ("gateway/dispatch/a.cc", "<sqlite3.h>"),
            ("gateway/dispatch/a.cc", "<boost/asio.hpp>"),
            ("gateway/gateway.cc", "<grpcpp/grpcpp.h>"),
            ("gateway/accept/a.cc", "<google/protobuf/struct.pb.h>"),
            ("gateway/accept/a.cc", '"postrider/v1/event.pb.h"'),
        ]:
            self.assertIn("may not include", self.found(path, target), (path, target))


class Sizes(unittest.TestCase):
    def found(self, text):
        return texts(tidy_rules.check_sizes("gateway/base/a.cc", text))

    def test_at_the_limit_is_fine_and_one_more_is_not(self):
        function = lambda lines: "void F() {\n" + "  G();\n" * (lines - 2) + "}\n"
        self.assertEqual(self.found(function(60)), "")
        self.assertIn("a function has at most 60", self.found(function(61)))
        inner = lambda lines: "void F() {\n  G([] {\n" + "    H();\n" * lines + "  });\n}\n"
        self.assertEqual(self.found(inner(8)), "")
        self.assertIn("a lambda has at most 8", self.found(inner(9)))
        self.assertEqual(self.found("int a;\n" * 400), "")
        self.assertIn("a file has at most 400", self.found("int a;\n" * 401))


class Coroutines(unittest.TestCase):
    def found(self, text):
        return texts(tidy_rules.check_coroutines("gateway/deliver/a.cc", text))

    def test_values_and_pointers_are_fine(self):
        self.assertEqual(self.found("net::awaitable<int> F(std::string a, X* b) {\n  co_return 1;\n}\n"), "")
        self.assertEqual(self.found("void F(const X& x) {\n  S([](X* x) -> awaitable<void> { co_return; });\n}\n"), "")
        self.assertEqual(self.found("net::awaitable<int> F(std::string a, X* b);\n"), "")

    def test_what_dangles_is_found(self):
        self.assertIn("never references", self.found("awaitable<void> F(const X& x) {\n  co_return;\n}\n"))
        self.assertIn("never references", self.found("awaitable<void> F(const X& x);\n"))
        self.assertIn("never string_view", self.found("awaitable<void> F(absl::string_view x);\n"))
        self.assertIn("captures", self.found("void F() {\n  S([this]() -> awaitable<void> { co_return; });\n}\n"))
        self.assertIn("never references", self.found("void F() {\n  S([](X& x) -> awaitable<void> { co_return; });\n}\n"))


class Banned(unittest.TestCase):
    def found(self, text, path="gateway/dispatch/a.cc"):
        return texts(tidy_rules.check_banned(path, text))

    def test_each_banned_call_is_found(self):
        for call in [
            "throw 1;", "a.value();", "a->value();", "std::this_thread::sleep_for(x);", "usleep(1);",
            "absl::Now();", "absl::SleepFor(x);", "std::chrono::steady_clock::now();", "std::random_device r;",
            "std::rand();", "using namespace std;", "std::mutex m;", "std::lock_guard<std::mutex> l(m);",
            "absl::Mutex m;", "co_spawn(a, b, net::detached);", "// TODO: later", "// FIXME", "int a;  // NOLINT(x)",
        ]:
            if call.endswith("NOLINT(x)"):
                self.assertEqual(self.found(call), "", call)
            else:
                self.assertNotEqual(self.found(call), "", call)

    def test_words_and_strings_are_not_calls(self):
        for text in ['Log("throw .value()");', "// Never throws.", "a.value_or(1);", "error.value();", "now();", "values();"]:
            self.assertEqual(self.found(text), "", text)

    def test_the_files_that_may(self):
        self.assertEqual(self.found("absl::Now();", "gateway/base/clock.cc"), "")
        self.assertEqual(self.found("std::random_device r;", "gateway/base/random.cc"), "")
        self.assertEqual(self.found("#pragma once\nstd::mutex m;", "gateway/base/mutex.h"), "")

    def test_a_header_begins_with_pragma_once(self):
        self.assertIn("pragma once", self.found("int a;\n", "gateway/base/a.h"))


class Sources(unittest.TestCase):
    LISTS = '# A comment.\nSRCS = [\n    "a.cc",\n]\nTESTS = [\n    "b_test.cc",\n]\n'
    CMAKE = "postrider_test(unit_x tests/unit/x LINK y LABELS unit)\n"

    def found(self, names, lists=LISTS, cmake=CMAKE, bazel="postrider_test(\n"):
        return texts(tidy_rules.check_sources("tests/unit/x", names, lists, cmake, bazel))

    def test_a_complete_list_is_fine(self):
        self.assertEqual(self.found(["a.cc", "b_test.cc"]), "")

    def test_what_is_not_built_is_found(self):
        self.assertIn("c.cc is in no list", self.found(["a.cc", "b_test.cc", "c.cc"]))
        self.assertIn("a.cc is in no list", self.found(["a.cc"], lists="", cmake=""))
        commented = self.LISTS.replace('    "a.cc",', '    # "a.cc",')
        self.assertIn("a.cc is in no list", self.found(["a.cc", "b_test.cc"], lists=commented))

    def test_a_test_that_does_not_run_is_found(self):
        moved = 'SRCS = [\n    "b_test.cc",\n]\n'
        self.assertIn("not in TESTS", self.found(["b_test.cc"], lists=moved))
        self.assertIn("no postrider_test", self.found(["a.cc", "b_test.cc"], cmake="# " + self.CMAKE))
        self.assertIn("x/BUILD", self.found(["a.cc", "b_test.cc"], bazel=""))

    def test_a_listed_file_that_is_gone_is_found(self):
        self.assertIn("lists a.cc, which does not exist", self.found(["b_test.cc"]))


class Links(unittest.TestCase):
    def test_links_lead_to_files(self):
        page = "[a](docs/a.md) [b](https://example.com) [c](#here) [d](../x.md#part)"
        found = tidy_rules.check_links("docs/page.md", page, lambda path: path == "x.md")
        self.assertEqual([text for _, text in found], ["the link to docs/a.md leads nowhere"])


if __name__ == "__main__":
    unittest.main()
