#pragma once

#include <deque>
#include <set>
#include <vector>

#include "gateway/model/ids.h"
#include "gateway/model/position.h"

namespace postrider {

// How far one subscription is in one shard, and in which way it gets its events from there.
//
// A pair is "owed" from when the subscription has it until its outcome has been submitted. Pure
// bookkeeping on the subscription's loop; DeliveryQueue moves it.
class ShardProgress {
 public:
  enum class Mode {
    kTail,     // Fed by the shard's tail.
    kLeaving,  // Not fed any more; the reader row is not committed yet.
    kReading,  // Reads the log by itself.
    kAsking,   // Has asked to rejoin; reads nothing until the answer (R4).
  };

  Mode mode() const { return mode_; }
  void set_mode(Mode mode) { mode_ = mode; }

  // Fed or read: the subscription has the pair now.
  void Owe(Seq seq);
  // Its outcome has been submitted.
  void Settle(Seq seq);
  bool Owes(Seq seq) const;
  const std::deque<Seq>& owed() const { return owed_; }  // Ascending.

  // From now on reads from `from`; everything below that is owed is in memory. `settled`, at or
  // above `from`, has been sent before.
  void StartReading(Seq from, const std::vector<Seq>& settled);
  // Goes on where a reader row says.
  void Restore(const ReaderRow& row);

  // The next seq to read. Meaningful unless kTail.
  Seq scan() const { return scan_; }
  // Whether something at or above scan() is settled or in memory already, as after Unload() or a
  // restart: the tail would feed it again.
  bool above_scan() const {
    return !settled_ahead_.empty() || (!owed_.empty() && owed_.back() >= scan_);
  }
  // Whether a pair at `seq`, just read, is already settled or in memory. Moves the scan behind it.
  bool ReadPast(Seq seq);
  // Whether the pair at `seq` would make the window wider than a reader row can say (R3).
  bool WindowFull(Seq seq) const;
  // Nothing below `first` can be read any more: goes on there, if it has not got so far. Whether
  // something unsettled is passed by that which is not in memory.
  bool JumpTo(Seq first);
  // Forgets owed pairs that are only in memory, so that they are read again: `seqs`, ascending.
  void Unload(const std::vector<Seq>& seqs);

  // The position to write, as of all outcomes submitted so far.
  ReaderRow Row(SubscriptionNumber subscription, ShardId shard) const;

 private:
  Mode mode_ = Mode::kTail;
  Seq scan_ = 0;
  std::deque<Seq> owed_;
  std::set<Seq> settled_ahead_;  // At or above scan_: at most kReaderWindowMax.
};

}  // namespace postrider
