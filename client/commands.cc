#include "client/commands.h"

#include <algorithm>
#include <optional>
#include <ostream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/arguments.h"
#include "client/delivery_commands.h"
#include "client/event_commands.h"
#include "client/flag_values.h"
#include "client/replay_commands.h"
#include "client/subscription_commands.h"
#include "gateway/base/status.h"
#include "gateway/base/version.h"

namespace postrider {
namespace {

using Words = std::vector<std::string>;

constexpr int kFailed = 1;
constexpr int kWrongLine = 2;

// Those that every command has.
const Words& CommonFlags() {
  static const auto* const flags = new Words{"address", "timeout"};
  return *flags;
}
const Words& CommonSwitches() {
  static const auto* const switches = new Words{"help", "version"};
  return *switches;
}

// In the order of the help.
const std::vector<const Command*>& AllCommands() {
  static const auto* const commands = [] {
    auto* const all = new std::vector<const Command*>;
    for (const auto* part :
         {&EventCommands(), &SubscriptionCommands(), &DeliveryCommands(), &ReplayCommands()}) {
      for (const Command& command : *part) all->push_back(&command);
    }
    return all;
  }();
  return *commands;
}

// Those of this name, or whose name's first word it is; every one if it is empty.
std::vector<const Command*> CommandsOf(const std::string& name) {
  std::vector<const Command*> found;
  for (const Command* command : AllCommands()) {
    if (name.empty() || name == command->name ||
        absl::StartsWith(command->name, absl::StrCat(name, " "))) {
      found.push_back(command);
    }
  }
  return found;
}

// What is on a line.
struct Line {
  std::string name;                  // What stands where the command's name is to be.
  const Command* command = nullptr;  // None: it is not the name of one.
  Words rest;                        // All but the name, in order; `help` as `--help`.
};

bool IsIn(const Words& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Moves a flag that stands before the command's name, with its value, from `next` to `rest`.
absl::Status TakeCommonFlag(const Words& arguments, size_t* next, Words* rest) {
  const std::string& argument = arguments[(*next)++];
  rest->push_back(argument);
  const size_t equals = argument.find('=');
  const std::string name = argument.substr(0, equals);
  const bool is_flag = absl::StartsWith(name, "--") && IsIn(CommonFlags(), name.substr(2));
  if (is_flag && equals == std::string::npos && *next < arguments.size()) {
    rest->push_back(arguments[(*next)++]);
  }
  if (is_flag || name == "-h" || name == "--help" || name == "--version") return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(name,
                   " stands before the command; only --address, --timeout, --help and "
                   "--version may"));
}

absl::StatusOr<Line> ReadLine(const Words& arguments) {
  Line line;
  size_t next = 0;
  while (next < arguments.size() && line.command == nullptr && !CommandsOf(line.name).empty()) {
    const std::string& argument = arguments[next];
    if (absl::StartsWith(argument, "-")) {
      RETURN_IF_ERROR(TakeCommonFlag(arguments, &next, &line.rest));
      continue;
    }
    ++next;
    if (line.name.empty() && argument == "help") {
      line.rest.push_back("--help");
      continue;
    }
    absl::StrAppend(&line.name, line.name.empty() ? "" : " ", argument);
    for (const Command* command : CommandsOf(line.name)) {
      if (command->name == line.name) line.command = command;
    }
  }
  line.rest.insert(line.rest.end(), arguments.begin() + static_cast<ptrdiff_t>(next),
                   arguments.end());
  return line;
}

absl::StatusOr<Arguments> ReadFlags(const Line& line) {
  Words flags = CommonFlags();
  Words switches = CommonSwitches();
  if (line.command != nullptr) {
    const Command& command = *line.command;
    flags.insert(flags.end(), command.flags.begin(), command.flags.end());
    switches.insert(switches.end(), command.switches.begin(), command.switches.end());
  }
  return Arguments::Parse(line.rest, flags, switches);
}

// `subscriptions` and `subscriptions dance` are told what may follow.
absl::Status NoSuchCommand(const std::string& name) {
  if (name.empty()) return absl::InvalidArgumentError("no command is given; see --help");
  const std::string first = name.substr(0, name.find(' '));
  const std::vector<const Command*> related = CommandsOf(first);
  if (related.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("there is no command `", name, "`; see --help"));
  }
  const auto append_second = [&first](std::string* text, const Command* command) {
    text->append(command->name + first.size() + 1);
  };
  return absl::InvalidArgumentError(absl::StrCat("there is no command `", name, "`; after `", first,
                                                 "` comes one of ",
                                                 absl::StrJoin(related, ", ", append_second)));
}

absl::StatusOr<CommandWorld> WithCommonFlags(const Arguments& arguments, CommandWorld world) {
  world.address = arguments.Get("address", world.address);
  ASSIGN_OR_RETURN(const std::optional<absl::Duration> timeout, DurationOf(arguments, "timeout"));
  if (!timeout.has_value()) return world;
  if (*timeout <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError("--timeout must be above 0");
  }
  world.timeout = timeout;
  return world;
}

}  // namespace

absl::Status RunCommand(const std::vector<std::string>& arguments, const CommandWorld& world) {
  ASSIGN_OR_RETURN(const Line line, ReadLine(arguments));
  if (CommandsOf(line.name).empty()) return NoSuchCommand(line.name);
  ASSIGN_OR_RETURN(const Arguments flags, ReadFlags(line));
  if (flags.Has("version")) {
    *world.out << "postrider " << kVersion << "\n";
    return absl::OkStatus();
  }
  if (flags.Has("help")) {
    if (line.name.empty()) *world.out << CommandsHelp();
    for (const Command* command : CommandsOf(line.name)) {
      if (!line.name.empty()) *world.out << command->help;
    }
    return absl::OkStatus();
  }
  if (line.command == nullptr) return NoSuchCommand(line.name);
  ASSIGN_OR_RETURN(const CommandWorld here, WithCommonFlags(flags, world));
  return line.command->run(flags, here);
}

int ExitStatusOf(const absl::Status& status) {
  if (status.ok()) return 0;
  const bool from_gateway = status.GetPayload(kReasonPayload).has_value();
  return absl::IsInvalidArgument(status) && !from_gateway ? kWrongLine : kFailed;
}

std::string CommandsHelp() {
  std::string help = "postrider: speaks to a gateway.\n\n  postrider COMMAND ...\n\n";
  for (const Command* command : AllCommands()) {
    help.append(command->help);
  }
  return help + R"(
Anywhere on the line:
  --address HOST:PORT   the gateway; else POSTRIDER_GRPC_ADDRESS, else 127.0.0.1:50051
  --timeout DURATION    how long to wait for it, such as 5s; with publish for all attempts together
                        (30s; 90s for subscriptions verify and test)
  --help, -h            print this, or the lines of the command; so does `postrider help COMMAND`
  --version             print the version

Answers are JSON. The exit status is 1 if the gateway refused or the command failed, and 2 if the
line is wrong.
)";
}

}  // namespace postrider
