#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/node_hash_map.h"
#include "absl/strings/string_view.h"
#include "gateway/base/limits.h"
#include "gateway/dispatch/word_table.h"
#include "gateway/model/event_pattern.h"
#include "gateway/model/ids.h"
#include "gateway/model/subscription.h"

namespace postrider {

// Says which subscriptions want an event, by organization, scope and patterns; not by targets,
// start or state, which are the caller's to judge. Single-threaded.
//
// The bound. A type has n <= 8 segments. Of the types with n segments, every pattern wants those
// that have certain words at certain places and anything elsewhere: for `a.*.**.b` and n = 5, `a`
// at the first place and `b` at the fifth. So a pattern is kept once for each length n (in more
// ways than one only where both `**` and a trailing `*` float), in a node that is found by hashing
// (n, the set of places, the words at them). A type of n segments can only be wanted by nodes whose
// places are one of the 2^n sets, with just the words that it has there: at most 2^n look-ups, and
// at most 256 for 8 segments, for each organization of its path and whatever the number of
// subscriptions. Sets that no pattern uses, or that need a word which no pattern has, are not
// looked up at all.
class SubscriptionIndex {
 public:
  SubscriptionIndex() = default;
  SubscriptionIndex(const SubscriptionIndex&) = delete;
  SubscriptionIndex& operator=(const SubscriptionIndex&) = delete;

  // Adds `subscription`, in the place of the one with its number if there is one. A pattern that
  // EventPattern refuses matches nothing. Takes time in proportion to the patterns' forms (see
  // above: a few dozen for each pattern at most), whatever else the index holds.
  void Put(std::shared_ptr<const Subscription> subscription);

  // Nothing happens if there is none with this number.
  void Remove(SubscriptionNumber number);

  // Appends to `out`, each once and in no particular order, the subscriptions that want an event of
  // `type`, which belongs to the last organization of `organization_path`: those of that
  // organization, and of those above it the ones with Scope::kSubtree. Adds to `nodes_visited`
  // how many nodes were looked up.
  void Match(const std::vector<std::string>& organization_path, absl::string_view type,
             std::vector<SubscriptionNumber>* out, size_t* nodes_visited) const;

  size_t size() const { return slots_by_number_.size(); }

 private:
  using WordId = WordTable::WordId;
  using SlotId = uint32_t;
  using PlaceSet = uint8_t;  // Bit i: the segment i.
  static_assert(kEventTypeSegmentsMax <= 8, "a set of places is the bits of one byte");

  struct NodeKey {
    uint8_t length = 0;
    PlaceSet places = 0;
    std::array<WordId, kEventTypeSegmentsMax> words{};  // 0 where any may stand.

    friend auto operator<=>(const NodeKey&, const NodeKey&) = default;
    template <typename H>
    friend H AbslHashValue(H state, const NodeKey& key) {
      return H::combine(std::move(state), key.length, key.places, key.words);
    }
  };

  // A subscription in a node, and which of its references leads there.
  struct Member {
    SlotId slot = 0;
    uint32_t reference = 0;
  };
  struct Members {
    std::vector<Member> subtree;
    std::vector<Member> self;

    std::vector<Member>& of(Scope scope) { return scope == Scope::kSelf ? self : subtree; }
  };
  using Node = std::pair<const NodeKey, Members>;

  // How many nodes of an organization have these places.
  struct PlaceSetUse {
    uint8_t length = 0;
    PlaceSet places = 0;
    size_t nodes = 0;
  };

  struct Organization {
    absl::node_hash_map<NodeKey, Members> nodes;  // None without members.
    std::vector<PlaceSetUse> place_sets;          // Sorted by length, then places.
    size_t subscriptions = 0;
  };

  // Where a subscription stands: the member at `position` in `node`.
  struct Reference {
    Node* node = nullptr;
    uint32_t position = 0;
  };
  struct Slot {
    std::shared_ptr<const Subscription> subscription;
    Organization* organization = nullptr;
    std::vector<Reference> references;
    std::vector<WordId> words;  // What it has acquired.
    mutable uint64_t seen = 0;  // The newest match that found it.
  };

  // A type, as far as one match needs it.
  struct Probe {
    NodeKey whole;            // With the type's words at all places.
    PlaceSet known = 0;       // Where the type has a word that some pattern uses.
    bool first_word = false;  // Only patterns that spell the first segment may match.
  };

  // What the patterns of `subscription` look for, each once; acquires their words for `slot`.
  std::vector<NodeKey> KeysOf(const Subscription& subscription, Slot* slot);
  void AppendKeys(const EventPattern& pattern, Slot* slot, std::vector<NodeKey>* keys);
  void AddReference(SlotId id, const NodeKey& key);
  void RemoveReference(const Slot& slot, const Reference& reference);
  SlotId TakeSlot();

  static void CountNode(Organization* organization, const NodeKey& key, int change);
  static bool ProbeOf(absl::string_view type, const WordTable& words, Probe* probe);
  size_t MatchIn(const Organization& organization, bool own, const Probe& probe,
                 std::vector<SubscriptionNumber>* out) const;
  void Collect(const std::vector<Member>& members, std::vector<SubscriptionNumber>* out) const;

  WordTable words_;
  std::vector<Slot> slots_;
  std::vector<SlotId> free_slots_;
  absl::flat_hash_map<SubscriptionNumber, SlotId> slots_by_number_;
  absl::flat_hash_map<std::string, std::unique_ptr<Organization>> organizations_;
  mutable uint64_t matches_ = 0;  // Numbers the matches, for Slot::seen.
};

}  // namespace postrider
