#pragma once

#include <cstddef>
#include <list>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"

namespace postrider {

// Tells names that fail from a DNS server that does (E7), by what became of each name last.
//
// A name counts for as long as an answer may be kept, whichever way it went: what is asked for
// again every few seconds because it fails must not outnumber what is not asked for because it is
// known. Lives on a loop. Holds at most kResolverNamesMax names.
class NameHealth {
 public:
  // A look-up of `name` ended. `now` never goes back.
  void Note(absl::Duration now, const std::string& name, bool failed);

  // Whether so many different names fail that it is not the names' fault.
  bool MostFail(absl::Duration now);

 private:
  struct Seen {
    absl::Duration time;
    std::string name;
    bool failed = false;
  };

  void Forget(std::list<Seen>::iterator one);
  void ForgetOld(absl::Duration now);

  std::list<Seen> seen_;  // Each name once, the newest last.
  absl::flat_hash_map<std::string, std::list<Seen>::iterator> places_;
  size_t failed_ = 0;  // Of seen_.
};

}  // namespace postrider
