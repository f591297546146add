#include "gateway/dispatch/word_table.h"

#include "gateway/base/check.h"

namespace postrider {

WordTable::WordId WordTable::Acquire(absl::string_view word) {
  const auto [entry, is_new] = ids_.try_emplace(std::string(word), kUnknown);
  if (is_new) {
    if (free_.empty()) {
      entry->second = static_cast<WordId>(words_.size());
      words_.emplace_back();
    } else {
      entry->second = free_.back();
      free_.pop_back();
    }
    words_[entry->second] = Word{.text = &entry->first};
  }
  ++words_[entry->second].uses;
  return entry->second;
}

void WordTable::Release(WordId id) {
  CHECK(id < words_.size() && words_[id].uses > 0);
  Word& word = words_[id];
  if (--word.uses > 0) return;
  ids_.erase(ids_.find(*word.text));
  word.text = nullptr;
  free_.push_back(id);
}

WordTable::WordId WordTable::Find(absl::string_view word) const {
  const auto entry = ids_.find(word);
  return entry == ids_.end() ? kUnknown : entry->second;
}

}  // namespace postrider
