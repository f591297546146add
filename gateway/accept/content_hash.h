#pragma once

#include <string>

#include "gateway/accept/event_input.h"
#include "gateway/model/event.h"

namespace postrider {

// The hash of what the publisher of `input` gave: type, time, organization, path, activity, data,
// links, ordering key, targets and expire time, each absent or present; not the id, the
// traceparent, or anything that was derived. The order of resources, links and targets does not
// matter.
//
// `input` has been validated, and the resources' JSON is compact, so that whitespace and spellings
// of one string do not matter either. The first byte tells the version of the encoding: hashes of
// two versions say nothing about each other.
ContentHash HashContent(const EventInput& input);

}  // namespace postrider
