#pragma once

#include <optional>
#include <vector>

#include "gateway/deliver/address_guard.h"
#include "gateway/deliver/tls.h"
#include "gateway/model/url.h"

namespace postrider {

class Connection;

// One scheme, host and port: what connections, a TLS session and a good address are kept for.
// Lives on a loop; shared by the endpoints and connections that use it.
struct Origin {
  Url url;                           // Without target and credentials.
  std::vector<Connection*> idle;     // The pool's; the one used last is the last.
  std::optional<IpAddress> working;  // The address that was connected to last.
  TlsResumption resumption;
};

}  // namespace postrider
