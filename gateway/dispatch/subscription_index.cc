#include "gateway/dispatch/subscription_index.h"

#include <algorithm>
#include <tuple>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"

namespace postrider {
namespace {

// What both versions of a subscription look for is the same.
bool WantsTheSame(const Subscription& a, const Subscription& b) {
  return a.organization == b.organization && a.scope == b.scope && a.event_types == b.event_types;
}

}  // namespace

void SubscriptionIndex::Put(std::shared_ptr<const Subscription> subscription) {
  if (const auto known = slots_by_number_.find(subscription->number);
      known != slots_by_number_.end()) {
    Slot& slot = slots_[known->second];
    if (WantsTheSame(*slot.subscription, *subscription)) {
      slot.subscription = std::move(subscription);
      return;
    }
    Remove(subscription->number);
  }
  const SlotId id = TakeSlot();
  slots_by_number_[subscription->number] = id;
  std::unique_ptr<Organization>& organization = organizations_[subscription->organization];
  if (organization == nullptr) organization = std::make_unique<Organization>();
  ++organization->subscriptions;
  Slot& slot = slots_[id];
  slot.subscription = std::move(subscription);
  slot.organization = organization.get();
  for (const NodeKey& key : KeysOf(*slot.subscription, &slot)) {
    AddReference(id, key);
  }
}

void SubscriptionIndex::Remove(SubscriptionNumber number) {
  const auto known = slots_by_number_.find(number);
  if (known == slots_by_number_.end()) return;
  const SlotId id = known->second;
  slots_by_number_.erase(known);
  const Slot slot = std::exchange(slots_[id], Slot());
  free_slots_.push_back(id);
  for (const Reference& reference : slot.references) {
    RemoveReference(slot, reference);
  }
  for (const WordId word : slot.words) {
    words_.Release(word);
  }
  if (--slot.organization->subscriptions == 0) {
    organizations_.erase(slot.subscription->organization);
  }
}

SubscriptionIndex::SlotId SubscriptionIndex::TakeSlot() {
  if (free_slots_.empty()) {
    slots_.emplace_back();
    return static_cast<SlotId>(slots_.size() - 1);
  }
  const SlotId id = free_slots_.back();
  free_slots_.pop_back();
  return id;
}

std::vector<SubscriptionIndex::NodeKey> SubscriptionIndex::KeysOf(const Subscription& subscription,
                                                                  Slot* slot) {
  static const std::vector<std::string>* const kEverything = new std::vector<std::string>{"*"};
  std::vector<NodeKey> keys;
  for (const std::string& text :
       subscription.event_types.empty() ? *kEverything : subscription.event_types) {
    const absl::StatusOr<EventPattern> pattern = EventPattern::Parse("event_types", text);
    if (pattern.ok()) AppendKeys(*pattern, slot, &keys);
  }
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  return keys;
}

void SubscriptionIndex::AppendKeys(const EventPattern& pattern, Slot* slot,
                                   std::vector<NodeKey>* keys) {
  std::vector<std::pair<const std::string*, WordId>> ids;  // At most one a segment.
  const auto id_of = [this, slot, &ids](const std::string* word) {
    for (const auto& [known, id] : ids) {
      if (known == word) return id;
    }
    slot->words.push_back(words_.Acquire(*word));
    return ids.emplace_back(word, slot->words.back()).second;
  };
  std::vector<EventPattern::Shape> shapes;
  for (size_t length = 1; length <= kEventTypeSegmentsMax; ++length) {
    shapes.clear();
    pattern.AppendShapes(length, &shapes);
    for (const EventPattern::Shape& shape : shapes) {
      NodeKey& key = keys->emplace_back();
      key.length = static_cast<uint8_t>(length);
      for (size_t place = 0; place < length; ++place) {
        if (shape[place] == nullptr) continue;
        key.places |= static_cast<PlaceSet>(1U << place);
        key.words[place] = id_of(shape[place]);
      }
    }
  }
}

void SubscriptionIndex::AddReference(SlotId id, const NodeKey& key) {
  Slot& slot = slots_[id];
  const auto [entry, is_new] = slot.organization->nodes.try_emplace(key);
  if (is_new) CountNode(slot.organization, key, 1);
  std::vector<Member>& members = entry->second.of(slot.subscription->scope);
  slot.references.push_back({&*entry, static_cast<uint32_t>(members.size())});
  members.push_back({id, static_cast<uint32_t>(slot.references.size() - 1)});
}

void SubscriptionIndex::RemoveReference(const Slot& slot, const Reference& reference) {
  Members& both = reference.node->second;
  std::vector<Member>& members = both.of(slot.subscription->scope);
  const Member moved = members.back();
  members.pop_back();
  if (reference.position < members.size()) {
    members[reference.position] = moved;
    slots_[moved.slot].references[moved.reference].position = reference.position;
  }
  if (both.subtree.empty() && both.self.empty()) {
    const NodeKey key = reference.node->first;
    slot.organization->nodes.erase(key);
    CountNode(slot.organization, key, -1);
  }
}

void SubscriptionIndex::CountNode(Organization* organization, const NodeKey& key, int change) {
  std::vector<PlaceSetUse>& uses = organization->place_sets;
  const auto before = [](const PlaceSetUse& use, const NodeKey& wanted) {
    return std::tie(use.length, use.places) < std::tie(wanted.length, wanted.places);
  };
  auto use = std::lower_bound(uses.begin(), uses.end(), key, before);
  if (use == uses.end() || use->length != key.length || use->places != key.places) {
    use = uses.insert(use, {.length = key.length, .places = key.places, .nodes = 0});
  }
  use->nodes += static_cast<size_t>(change);
  if (use->nodes == 0) uses.erase(use);
}

bool SubscriptionIndex::ProbeOf(absl::string_view type, const WordTable& words, Probe* probe) {
  size_t place = 0;
  for (const absl::string_view segment : absl::StrSplit(type, '.')) {
    if (place == kEventTypeSegmentsMax) return false;
    const WordId id = words.Find(segment);
    probe->whole.words[place] = id;
    if (id != WordTable::kUnknown) probe->known |= static_cast<PlaceSet>(1U << place);
    ++place;
  }
  probe->whole.length = static_cast<uint8_t>(place);
  probe->first_word = absl::StartsWith(type, kOperationalPrefix);
  return true;
}

void SubscriptionIndex::Match(const std::vector<std::string>& organization_path,
                              absl::string_view type, std::vector<SubscriptionNumber>* out,
                              size_t* nodes_visited) const {
  Probe probe;
  if (!ProbeOf(type, words_, &probe)) return;
  ++matches_;
  for (size_t i = 0; i < organization_path.size(); ++i) {
    const auto organization = organizations_.find(organization_path[i]);
    if (organization == organizations_.end()) continue;
    const bool own = i + 1 == organization_path.size();
    *nodes_visited += MatchIn(*organization->second, own, probe, out);
  }
}

size_t SubscriptionIndex::MatchIn(const Organization& organization, bool own, const Probe& probe,
                                  std::vector<SubscriptionNumber>* out) const {
  const auto shorter = [](const PlaceSetUse& use, uint8_t length) { return use.length < length; };
  size_t visited = 0;
  for (auto use = std::lower_bound(organization.place_sets.begin(), organization.place_sets.end(),
                                   probe.whole.length, shorter);
       use != organization.place_sets.end() && use->length == probe.whole.length; ++use) {
    if ((use->places & ~probe.known) != 0) continue;
    if (probe.first_word && (use->places & 1) == 0) continue;
    NodeKey key{.length = use->length, .places = use->places};
    for (size_t place = 0; place < key.length; ++place) {
      if ((use->places >> place & 1) != 0) key.words[place] = probe.whole.words[place];
    }
    ++visited;
    const auto node = organization.nodes.find(key);
    if (node == organization.nodes.end()) continue;
    Collect(node->second.subtree, out);
    if (own) Collect(node->second.self, out);
  }
  return visited;
}

void SubscriptionIndex::Collect(const std::vector<Member>& members,
                                std::vector<SubscriptionNumber>* out) const {
  for (const Member& member : members) {
    const Slot& slot = slots_[member.slot];
    if (slot.seen == matches_) continue;
    slot.seen = matches_;
    out->push_back(slot.subscription->number);
  }
}

}  // namespace postrider
