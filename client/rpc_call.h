#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/arguments.h"
#include "client/command.h"
#include "client/rpc_status.h"
#include "gateway/base/clock.h"
#include "gateway/base/status.h"
#include "google/protobuf/message.h"
#include "grpcpp/grpcpp.h"

// What every command does: calls, and prints.
namespace postrider {

inline constexpr size_t kShownDefault = 50;
inline constexpr absl::Duration kCallDeadline = absl::Seconds(30);
// Of calls that are answered after the subscriber's answer, which may take a minute.
inline constexpr absl::Duration kExchangeDeadline = absl::Seconds(90);

std::shared_ptr<grpc::Channel> ChannelOf(const CommandWorld& world);

// As JSON with the names that the protos have. A field that has its default is left out,
void Print(const google::protobuf::Message& message, const CommandWorld& world);

// or not, where that is the answer: counts.
void PrintWithZeros(const google::protobuf::Message& message, const CommandWorld& world);

// The value of `--limit`. INVALID_ARGUMENT if it is no number above 0.
absl::StatusOr<size_t> LimitOf(const Arguments& arguments);

// Makes one call, which may take `deadline` unless the line says otherwise.
template <typename Stub, typename Request, typename Response>
absl::Status Call(const CommandWorld& world, Stub* stub,
                  grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                  const Request& request, Response* response,
                  absl::Duration deadline = kCallDeadline) {
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(world.clock->Now() + world.timeout.value_or(deadline)));
  return FromGrpc((stub->*method)(&context, request, response));
}

// Prints up to `limit` entries, page by page. `call` fetches a page; `entries` picks what it holds.
template <typename Request, typename Response, typename Entries>
absl::Status PrintPages(Request request, size_t limit, const CommandWorld& world,
                        const std::function<absl::Status(const Request&, Response*)>& call,
                        Entries entries) {
  size_t shown = 0;
  do {
    Response response;
    request.set_page_size(static_cast<int32_t>(std::min(limit - shown, kShownDefault)));
    RETURN_IF_ERROR(call(request, &response));
    for (const auto& entry : entries(response)) {
      Print(entry, world);
      ++shown;
    }
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty() && shown < limit);
  return absl::OkStatus();
}

}  // namespace postrider
