#include "client/arguments.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace postrider {
namespace {

absl::Status Wrong(absl::string_view flag, absl::string_view problem) {
  return absl::InvalidArgumentError(absl::StrCat("--", flag, " ", problem));
}

}  // namespace

absl::StatusOr<Arguments> Arguments::Parse(const std::vector<std::string>& arguments,
                                           const std::vector<std::string>& flags,
                                           const std::vector<std::string>& switches) {
  const auto is_in = [](const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  Arguments result;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string argument = arguments[i] == "-h" ? "--help" : arguments[i];
    if (argument == "--") {
      result.words_.insert(result.words_.end(), arguments.begin() + static_cast<ptrdiff_t>(i) + 1,
                           arguments.end());
      break;
    }
    if (!absl::StartsWith(argument, "--")) {
      result.words_.push_back(argument);
      continue;
    }
    const size_t equals = argument.find('=');
    const std::string name = argument.substr(2, equals == std::string::npos ? equals : equals - 2);
    if (is_in(switches, name)) {
      if (equals != std::string::npos) return Wrong(name, "takes no value");
      result.values_.emplace(name, "");
      continue;
    }
    if (!is_in(flags, name)) {
      return Wrong(name, "is not a flag of this command");
    }
    if (equals != std::string::npos) {
      result.values_.emplace(name, argument.substr(equals + 1));
    } else if (i + 1 < arguments.size()) {
      result.values_.emplace(name, arguments[++i]);
    } else {
      return Wrong(name, "needs a value");
    }
  }
  return result;
}

std::optional<std::string> Arguments::Find(const std::string& flag) const {
  const auto end = values_.upper_bound(flag);
  if (values_.count(flag) == 0) return std::nullopt;
  return std::prev(end)->second;
}

std::string Arguments::Get(const std::string& flag, const std::string& otherwise) const {
  return Find(flag).value_or(otherwise);
}

std::vector<std::string> Arguments::All(const std::string& flag) const {
  std::vector<std::string> values;
  const auto [begin, end] = values_.equal_range(flag);
  for (auto value = begin; value != end; ++value) {
    values.push_back(value->second);
  }
  return values;
}

absl::StatusOr<std::vector<std::pair<std::string, std::string>>> Arguments::Pairs(
    const std::string& flag) const {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const std::string& value : All(flag)) {
    const size_t equals = value.find('=');
    if (equals == std::string::npos || equals == 0) {
      return Wrong(flag, absl::StrCat("is `", value, "`; it must be NAME=VALUE"));
    }
    pairs.emplace_back(value.substr(0, equals), value.substr(equals + 1));
  }
  return pairs;
}

absl::Status Arguments::Require(const std::vector<std::string>& flags) const {
  for (const std::string& flag : flags) {
    if (values_.count(flag) == 0) {
      return Wrong(flag, "is missing");
    }
  }
  return absl::OkStatus();
}

absl::Status Arguments::RequireWords(size_t count, absl::string_view meaning) const {
  if (words_.size() == count) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat("expected ", meaning));
}

}  // namespace postrider
