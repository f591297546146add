#pragma once

#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gateway/dispatch/messages.h"
#include "gateway/dispatch/subscription_directory.h"

namespace postrider {

// Keeps what was sent, as short texts: "pair 1:3", "leave 1@4", "settled 1:3", "ask 1@4[2,3]".
class RecordingOutbox final : public Outbox {
 public:
  void ToSubscription(SubscriptionNumber, Message message) override { Add(std::move(message)); }
  void ToShard(ShardId, Message message) override { Add(std::move(message)); }

  // What was sent since the last call.
  std::vector<std::string> Take() { return std::exchange(texts_, {}); }
  const std::vector<Message>& messages() const { return messages_; }

 private:
  struct Describe {
    std::string operator()(const PairMessage& m) const {
      return absl::StrCat("pair ", m.subscription, ":", m.entry.seq);
    }
    std::string operator()(const HoldsUpMessage& m) const {
      return absl::StrCat("holds-up ", m.subscription);
    }
    std::string operator()(const LeaveMessage& m) const {
      std::string text = absl::StrCat("leave ", m.subscription, "@", m.from);
      for (const Seq seq : m.settled) absl::StrAppend(&text, " settled ", seq);
      return text;
    }
    std::string operator()(const RejoinAnswerMessage& m) const {
      return absl::StrCat(m.granted ? "granted " : "refused ", m.subscription);
    }
    std::string operator()(const SettledMessage& m) const {
      return absl::StrCat("settled ", m.subscription, ":", m.seq);
    }
    std::string operator()(const AskLeaveMessage& m) const {
      return absl::StrCat("ask-leave ", m.subscription);
    }
    std::string operator()(const LeftMessage& m) const {
      return absl::StrCat("left ", m.subscription);
    }
    std::string operator()(const AskRejoinMessage& m) const {
      std::string text = absl::StrCat("ask ", m.subscription, "@", m.scan);
      for (const Seq seq : m.unsettled) absl::StrAppend(&text, " ", seq);
      return text;
    }
  };

  void Add(Message message) {
    texts_.push_back(std::visit(Describe{}, message));
    messages_.push_back(std::move(message));
  }

  std::vector<std::string> texts_;
  std::vector<Message> messages_;
};

// An event of organization "o" at `seq` of shard 0.
inline LogEntry EntryAt(Seq seq, const std::string& type = "a.b") {
  auto event = std::make_shared<Event>();
  event->organization = std::string("o");
  event->organization_path = {"o"};
  event->type = type;
  event->body = std::string("{}");
  LogEntry entry;
  entry.seq = seq;
  entry.accept_time = absl::FromUnixSeconds(1000);
  entry.event = std::move(event);
  return entry;
}

inline std::vector<LogEntry> EntriesFrom(Seq first, Seq last) {
  std::vector<LogEntry> entries;
  for (Seq seq = first; seq <= last; ++seq) entries.push_back(EntryAt(seq));
  return entries;
}

// An active subscription of organization "o" that wants everything from the beginning.
inline std::shared_ptr<Subscription> SubscriptionNumbered(SubscriptionNumber number) {
  auto subscription = std::make_shared<Subscription>();
  subscription->id = absl::StrCat("s", number);
  subscription->number = number;
  subscription->organization = "o";
  subscription->url = "https://example.com/";
  subscription->start_seqs = {0, 0};
  return subscription;
}

}  // namespace postrider
