// SPDX-License-Identifier: Apache-2.0
// Structured log facade: a constant message and key/value fields. Only log.cpp sees spdlog. Lines go to
// stderr.
//
//   const Logger log("store");
//   log.info("compacted", {{"revision", 42}, {"took", "3ms"}});
#pragma once

#include <concepts>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

namespace flotilla {

enum class LogLevel { Debug, Info, Warn, Error, Off };
enum class LogFormat { Text, Json };

struct LogField {
  std::string_view key;
  std::string value;

  LogField(std::string_view k, std::string_view v) : key(k), value(v) {}
  LogField(std::string_view k, const std::string& v) : key(k), value(v) {}
  LogField(std::string_view k, const char* v) : key(k), value(v) {}
  LogField(std::string_view k, std::integral auto v) : key(k), value(std::to_string(v)) {}
  LogField(std::string_view k, double v) : key(k), value(std::to_string(v)) {}
};

// Process-wide because stderr is; set once by main before anything logs.
void set_log_level(LogLevel level);
void set_log_format(LogFormat format);
bool log_enabled(LogLevel level);
void log_write(LogLevel level, std::string_view component, std::string_view message,
               std::span<const LogField> fields);
inline void log_write(LogLevel level, std::string_view component, std::string_view message,
                      std::initializer_list<LogField> fields) {
  log_write(level, component, message, std::span<const LogField>(fields.begin(), fields.size()));
}

class Logger {
 public:
  explicit constexpr Logger(std::string_view component) : component_(component) {}
  void debug(std::string_view message, std::initializer_list<LogField> fields = {}) const {
    if (log_enabled(LogLevel::Debug)) log_write(LogLevel::Debug, component_, message, fields);
  }
  void info(std::string_view message, std::initializer_list<LogField> fields = {}) const {
    if (log_enabled(LogLevel::Info)) log_write(LogLevel::Info, component_, message, fields);
  }
  void warn(std::string_view message, std::initializer_list<LogField> fields = {}) const {
    if (log_enabled(LogLevel::Warn)) log_write(LogLevel::Warn, component_, message, fields);
  }
  void error(std::string_view message, std::initializer_list<LogField> fields = {}) const {
    if (log_enabled(LogLevel::Error)) log_write(LogLevel::Error, component_, message, fields);
  }

 private:
  std::string_view component_;
};

}  // namespace flotilla
