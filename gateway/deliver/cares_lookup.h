#pragma once

#include "gateway/base/asio_loop.h"
#include "gateway/base/clock.h"
#include "gateway/deliver/resolver.h"

namespace postrider {

// Looks names up by c-ares on `loop`, without a thread: /etc/hosts first, then the name servers of
// /etc/resolv.conf, both read again when they have changed. Both arguments outlive what is
// returned, which is used and destroyed on the loop's thread.
Lookup NewCaresLookup(AsioLoop* loop, const Clock* clock);

}  // namespace postrider
