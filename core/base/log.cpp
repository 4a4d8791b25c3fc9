// SPDX-License-Identifier: Apache-2.0
#include "core/base/log.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <chrono>

#include "core/base/clock.hpp"

namespace flotilla {
namespace {

std::atomic<LogFormat> format{LogFormat::Text};
std::atomic<LogLevel> threshold{LogLevel::Info};

spdlog::logger& sink() {
  static spdlog::logger logger = [] {
    spdlog::logger made("flotilla", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made.set_level(spdlog::level::trace);
    made.flush_on(spdlog::level::trace);
    made.set_pattern("%v");
    return made;
  }();
  return logger;
}

std::string_view name_of(LogLevel level) {
  switch (level) {
    case LogLevel::Debug:
      return "debug";
    case LogLevel::Info:
      return "info";
    case LogLevel::Warn:
      return "warn";
    case LogLevel::Error:
      return "error";
    case LogLevel::Off:
      break;
  }
  return "off";
}

// Quotes and escapes as JSON does; control characters never reach a terminal raw.
void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out += fmt::format("\\u{:04x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

bool needs_quotes(std::string_view text) {
  return text.empty() || text.find_first_of(" \"=\n\t\\") != std::string_view::npos;
}

}  // namespace

void set_log_level(LogLevel level) {
  threshold = level;
}
void set_log_format(LogFormat value) {
  format = value;
}
bool log_enabled(LogLevel level) {
  return level >= threshold.load(std::memory_order_relaxed);
}

void log_write(LogLevel level, std::string_view component, std::string_view message,
               std::span<const LogField> fields) {
  // Log lines carry the machine's time, not a component's clock: they are for the reader outside.
  const WallTime now = SystemClock().now();
  const auto whole = std::chrono::floor<std::chrono::seconds>(now);
  const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(now - whole).count();
  std::string time = format_time(whole);
  time.replace(time.size() - 1, 1, fmt::format(".{:03}Z", millis));
  std::string line;
  if (format.load(std::memory_order_relaxed) == LogFormat::Json) {
    line = fmt::format(R"({{"time":"{}","level":"{}","component":"{}","message":)", time, name_of(level),
                       component);
    append_quoted(line, message);
    for (const LogField& field : fields) {
      line += ',';
      append_quoted(line, field.key);
      line += ':';
      append_quoted(line, field.value);
    }
    line += '}';
  } else {
    line = fmt::format("{} {:5} {}: {}", time, name_of(level), component, message);
    for (const LogField& field : fields) {
      line += fmt::format(" {}=", field.key);
      if (needs_quotes(field.value)) {
        append_quoted(line, field.value);
      } else {
        line += field.value;
      }
    }
  }
  sink().log(spdlog::level::info, line);
}

}  // namespace flotilla
