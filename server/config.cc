#include "server/config.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "gateway/base/limits.h"
#include "gateway/base/status.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/text_format.h"
#include "server/config_fields.h"
#include "server/time_convert.h"

namespace postrider {
namespace {

using config::v1::Config;
using google::protobuf::FieldDescriptor;

struct Help {
  const char* field;
  const char* text;
};

constexpr Help kHelp[] = {
    {"grpc_address", "where gRPC is served (127.0.0.1:50051)"},
    {"admin_address", "where /healthz, /readyz and /metrics are served (127.0.0.1:8081)"},
    {"data_dir", "where the events are kept (data)"},
    {"allow_insecure", "listen on other addresses than loopback although anybody may call"},
    {"allow_loopback_targets", "deliver to this machine, also by http; for development"},
    {"allow_http", "deliver to http:// URLs"},
    {"allow_cidr", "deliver to these addresses although they are not public"},
    {"ca_file", "PEM roots for subscribers' certificates (the system's)"},
    {"body_bytes_max", "largest JSON body of an event (262144)"},
    {"default_verification", "how subscriptions are verified (VERIFICATION_NONE)"},
    {"default_schedule", "waits before each attempt (0s,5s,30s,2m,5m,15m,30m,1h,2h,4h,6h,10h)"},
    {"drain_budget", "how long a stopping gateway finishes its work (25s)"},
    {"retention", "how long events are kept; a day more than the longest schedule (336h)"},
    {"shard_count", "slices of the log, fixed at first start (16)"},
    {"loops", "threads that deliver; 0: half of the cores (0)"},
    {"store_readers", "threads that answer queries (2)"},
    {"max_in_flight_default", "attempts at once that a subscription is taken to quickly (10)"},
    {"store_free_bytes_min", "free space below which nothing is accepted (268435456)"},
    {"max_concurrent_streams", "calls at once per connection (256)"},
    {"grpc_memory_bytes_max", "memory for gRPC's buffers (268435456)"},
    {"max_in_flight_total", "attempts under way at once in the whole process (4096)"},
    {"max_in_flight_per_origin", "attempts under way at once to one scheme, host and port (256)"},
};

Config Defaults() {
  const GatewayOptions engine;
  Config config;
  config.set_grpc_address("127.0.0.1:50051");
  config.set_admin_address("127.0.0.1:8081");
  config.set_data_dir(engine.data_dir);
  config.set_allow_insecure(false);
  config.set_allow_loopback_targets(false);
  config.set_allow_http(engine.allow_http);
  config.set_ca_file(engine.ca_file);
  config.set_body_bytes_max(static_cast<int32_t>(engine.body_bytes_max));
  config.set_default_verification(v1::VERIFICATION_NONE);
  config.mutable_drain_budget()->set_seconds(25);
  config.mutable_retention()->set_seconds(absl::ToInt64Seconds(engine.retention));
  config.set_shard_count(static_cast<int32_t>(engine.shard_count));
  config.set_loops(engine.loops);
  config.set_store_readers(engine.store_readers);
  config.set_max_in_flight_default(engine.max_in_flight_default);
  config.set_max_in_flight_total(engine.max_in_flight_total);
  config.set_max_in_flight_per_origin(engine.max_in_flight_per_origin);
  config.set_store_free_bytes_min(static_cast<int64_t>(engine.store_free_bytes_min));
  config.set_max_concurrent_streams(256);
  config.set_grpc_memory_bytes_max(256LL * 1024 * 1024);
  return config;
}

// What one source gives.
struct Layer {
  Config config;
  std::vector<const FieldDescriptor*> given;  // An empty list that was given shows only here.
};

absl::Status Give(absl::string_view source, absl::string_view text, const FieldDescriptor& field,
                  Layer* layer) {
  layer->given.push_back(&field);
  return SetFieldFromText(source, text, field, &layer->config);
}

// `later` over `base`: fields it has replace those of the same name, lists as a whole.
void Override(const Layer& later, Config* base) {
  std::vector<const FieldDescriptor*> fields;
  later.config.GetReflection()->ListFields(later.config, &fields);
  fields.insert(fields.end(), later.given.begin(), later.given.end());
  for (const FieldDescriptor* field : fields) {
    base->GetReflection()->ClearField(base, field);
  }
  base->MergeFrom(later.config);
}

absl::Duration ToDuration(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

// Keeps the first error of a text.
class FirstError : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int line, int column, const std::string& message) override {
    if (text_.empty()) text_ = absl::StrCat(line + 1, ":", column + 1, ": ", message);
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

absl::StatusOr<Layer> ParseFile(const std::string& path, const ConfigSources& sources) {
  ASSIGN_OR_RETURN(const std::string text, sources.file(path));
  Layer layer;
  FirstError error;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  if (!parser.ParseFromString(text, &layer.config)) {
    return absl::InvalidArgumentError(absl::StrCat(path, ":", error.text()));
  }
  return layer;
}

absl::StatusOr<Layer> ReadEnvironment(const ConfigSources& sources) {
  Layer layer;
  const auto& descriptor = *Config::descriptor();
  for (int i = 0; i < descriptor.field_count(); ++i) {
    const FieldDescriptor& field = *descriptor.field(i);
    const std::string name = VariableOf(field);
    const std::optional<std::string> value = sources.variable(name);
    if (value.has_value()) {
      RETURN_IF_ERROR(Give(name, *value, field, &layer));
    }
  }
  return layer;
}

const FieldDescriptor* FieldOfFlag(absl::string_view flag) {
  const auto& descriptor = *Config::descriptor();
  for (int i = 0; i < descriptor.field_count(); ++i) {
    if (FlagOf(*descriptor.field(i)) == flag) return descriptor.field(i);
  }
  return nullptr;
}

// What stands on the command line itself.
struct Flags {
  bool help = false;
  bool version = false;
  bool development = false;
  std::string config_path;
  Layer layer;
};

// The arguments one after another, for flags whose value is the next one.
class ArgumentReader {
 public:
  explicit ArgumentReader(const std::vector<std::string>& arguments) : arguments_(arguments) {}

  absl::StatusOr<Flags> Read();

 private:
  absl::Status ReadFlag(absl::string_view flag, std::optional<std::string> value);
  absl::StatusOr<std::string> ValueOf(absl::string_view flag, std::optional<std::string> value);

  const std::vector<std::string>& arguments_;
  size_t next_ = 0;
  Flags flags_;
};

absl::StatusOr<Flags> ArgumentReader::Read() {
  while (next_ < arguments_.size()) {
    const std::string& argument = arguments_[next_++];
    if (!absl::StartsWith(argument, "--")) {
      return absl::InvalidArgumentError(absl::StrCat("`", argument, "` is not a flag; see --help"));
    }
    const size_t equals = argument.find('=');
    std::optional<std::string> value;
    if (equals != std::string::npos) {
      value = argument.substr(equals + 1);
    }
    RETURN_IF_ERROR(ReadFlag(argument.substr(0, equals), std::move(value)));
  }
  return std::move(flags_);
}

absl::StatusOr<std::string> ArgumentReader::ValueOf(absl::string_view flag,
                                                    std::optional<std::string> value) {
  if (value.has_value()) return *std::move(value);
  if (next_ == arguments_.size() || absl::StartsWith(arguments_[next_], "--")) {
    return InvalidField(flag, "needs a value");
  }
  return arguments_[next_++];
}

absl::Status ArgumentReader::ReadFlag(absl::string_view flag, std::optional<std::string> value) {
  bool* const plain = flag == "--help"      ? &flags_.help
                      : flag == "--version" ? &flags_.version
                      : flag == "--dev"     ? &flags_.development
                                            : nullptr;
  if (plain != nullptr) {
    if (value.has_value()) return InvalidField(flag, "takes no value");
    *plain = true;
    return absl::OkStatus();
  }
  if (flag == "--config") {
    ASSIGN_OR_RETURN(flags_.config_path, ValueOf(flag, std::move(value)));
    return absl::OkStatus();
  }
  const FieldDescriptor* field = FieldOfFlag(flag);
  if (field == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat("there is no flag ", flag, "; see --help"));
  }
  if (field->cpp_type() == FieldDescriptor::CPPTYPE_BOOL && !value.has_value()) {
    value = "true";
  }
  ASSIGN_OR_RETURN(const std::string text, ValueOf(flag, std::move(value)));
  return Give(flag, text, *field, &flags_.layer);
}

}  // namespace

absl::StatusOr<CommandLine> ReadCommandLine(const std::vector<std::string>& arguments,
                                            const ConfigSources& sources) {
  ASSIGN_OR_RETURN(Flags flags, ArgumentReader(arguments).Read());
  CommandLine result;
  result.help = flags.help;
  result.version = flags.version;
  if (result.help || result.version) {
    return result;
  }
  result.config = Defaults();
  if (!flags.config_path.empty()) {
    ASSIGN_OR_RETURN(const Layer file, ParseFile(flags.config_path, sources));
    Override(file, &result.config);
  }
  ASSIGN_OR_RETURN(const Layer environment, ReadEnvironment(sources));
  Override(environment, &result.config);
  if (flags.development && !flags.layer.config.has_allow_loopback_targets()) {
    flags.layer.config.set_allow_loopback_targets(true);
  }
  Override(flags.layer, &result.config);
  RETURN_IF_ERROR(CheckConfig(result.config));
  return result;
}

std::string HelpText() {
  std::string text =
      "postriderd: takes events by gRPC and delivers them as signed webhooks.\n\n"
      "  --config FILE               read the configuration (text of "
      "postrider.config.v1.Config)\n"
      "  --dev                       start for development: --allow-loopback-targets\n"
      "  --help, --version\n\n"
      "Each of these is also a field of the file and a variable, POSTRIDER_GRPC_ADDRESS and so\n"
      "on. Flags go before variables, those before the file, that before the default.\n\n";
  for (const Help& help : kHelp) {
    const FieldDescriptor* field = Config::descriptor()->FindFieldByName(help.field);
    absl::StrAppend(&text, absl::StrFormat("  %-27s %s\n", FlagOf(*field), help.text));
  }
  return text;
}

absl::Duration DrainBudgetOf(const Config& config) { return ToDuration(config.drain_budget()); }

GatewayOptions GatewayOptionsOf(const Config& config) {
  GatewayOptions options;
  options.data_dir = config.data_dir();
  options.body_bytes_max = static_cast<size_t>(config.body_bytes_max());
  options.allow_cidrs.assign(config.allow_cidr().begin(), config.allow_cidr().end());
  options.allow_http = config.allow_http();
  if (config.allow_loopback_targets()) {
    options.allow_http = true;
    options.allow_cidrs.insert(options.allow_cidrs.end(), {"127.0.0.0/8", "::1/128"});
  }
  for (const auto& step : config.default_schedule()) {
    options.default_schedule.push_back(ToDuration(step));
  }
  options.retention = ToDuration(config.retention());
  options.ca_file = config.ca_file();
  options.shard_count = static_cast<uint32_t>(config.shard_count());
  options.loops = config.loops();
  options.store_readers = config.store_readers();
  options.max_in_flight_default = config.max_in_flight_default();
  options.max_in_flight_total = config.max_in_flight_total();
  options.max_in_flight_per_origin = config.max_in_flight_per_origin();
  options.store_free_bytes_min = static_cast<uint64_t>(config.store_free_bytes_min());
  return options;
}

}  // namespace postrider
