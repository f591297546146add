#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/node_hash_map.h"
#include "absl/strings/string_view.h"

namespace postrider {

// Small numbers for words, so that words are compared and hashed as numbers. Counts who uses a word
// and forgets it when nobody does; its number is then given to another. Single-threaded.
class WordTable {
 public:
  using WordId = uint32_t;
  static constexpr WordId kUnknown = 0;

  // The number of `word`, which stays the same until it was released as often as acquired.
  WordId Acquire(absl::string_view word);

  // `id` came from Acquire().
  void Release(WordId id);

  // kUnknown if nobody uses `word`.
  WordId Find(absl::string_view word) const;

  // How many words are in use.
  size_t size() const { return ids_.size(); }

 private:
  struct Word {
    const std::string* text = nullptr;  // The key in ids_.
    uint32_t uses = 0;
  };

  absl::node_hash_map<std::string, WordId> ids_;
  std::vector<Word> words_ = std::vector<Word>(1);  // By id; the first stands for kUnknown.
  std::vector<WordId> free_;
};

}  // namespace postrider
