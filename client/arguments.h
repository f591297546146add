#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace postrider {

// What a command of the command line was given: words, and flags with their values.
class Arguments {
 public:
  // Takes `--name value` and `--name=value`, for the names in `flags` only, and `--name` for those
  // in `switches`; `-h` is `--help`. Everything else is a word, and all after `--`.
  // INVALID_ARGUMENT for other flags, for flags without a value and for switches with one.
  static absl::StatusOr<Arguments> Parse(const std::vector<std::string>& arguments,
                                         const std::vector<std::string>& flags,
                                         const std::vector<std::string>& switches = {});

  const std::vector<std::string>& words() const { return words_; }

  // Whether the flag or switch was given.
  bool Has(const std::string& flag) const { return values_.count(flag) > 0; }

  // The flag's last value; none if it was not given.
  std::optional<std::string> Find(const std::string& flag) const;
  std::string Get(const std::string& flag, const std::string& otherwise = "") const;
  std::vector<std::string> All(const std::string& flag) const;

  // The values of a flag whose value is `name=value`, in order. INVALID_ARGUMENT if one is not.
  absl::StatusOr<std::vector<std::pair<std::string, std::string>>> Pairs(
      const std::string& flag) const;

  // INVALID_ARGUMENT unless each of these flags was given.
  absl::Status Require(const std::vector<std::string>& flags) const;

  // INVALID_ARGUMENT unless there are exactly `count` words; `meaning` says what they are.
  absl::Status RequireWords(size_t count, absl::string_view meaning) const;

 private:
  std::vector<std::string> words_;
  std::multimap<std::string, std::string> values_;  // Of one flag in the order given.
};

}  // namespace postrider
