#pragma once

#include <functional>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/commands.h"
#include "tests/unit/server/server_fixture.h"

namespace postrider {

// The command line before a server, with files, input and time of the test's own.
class CommandTest : public ServerTest {
 protected:
  // Runs one line by `command_clock_`. Between attempts to publish no time passes but on `clock_`.
  absl::Status Run(const std::vector<std::string>& arguments) {
    CommandWorld world;
    world.address = absl::StrCat("127.0.0.1:", server_->port());
    world.out = &out_;
    world.hints = &hints_;
    world.in = &in_;
    world.read_file = [this](const std::string& path) -> absl::StatusOr<std::string> {
      if (files_.count(path) == 0) return absl::NotFoundError("can't read the file " + path);
      return files_[path];
    };
    world.clock = command_clock_;
    world.wait = [this](absl::Duration wait) {
      clock_.Advance(wait);
      if (on_wait_) on_wait_();
    };
    return RunCommand(arguments, world);
  }

  // What a line prints, which succeeds.
  std::string OutputOf(const std::vector<std::string>& arguments) {
    out_.str("");
    const absl::Status status = Run(arguments);
    EXPECT_TRUE(status.ok()) << status;
    return out_.str();
  }

  // The text of a line's error, which is wrong: it did not reach the gateway.
  std::string ErrorOf(const std::vector<std::string>& arguments) {
    const absl::Status status = Run(arguments);
    EXPECT_EQ(ExitStatusOf(status), 2) << status;
    return std::string(status.message());
  }

  std::map<std::string, std::string> files_;
  const Clock* command_clock_ = &clock_;
  std::function<void()> on_wait_;
  std::ostringstream out_;
  std::ostringstream hints_;
  std::istringstream in_;
};

}  // namespace postrider
