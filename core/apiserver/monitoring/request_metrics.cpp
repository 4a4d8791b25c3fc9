// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/monitoring/request_metrics.hpp"

#include <charconv>
#include <functional>
#include <vector>

namespace flotilla::apiserver {
namespace {

// As a real server has them; 0.4 and 1 are what service level objectives look at.
constexpr double kBuckets[] = {0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1,  1.25, 1.5, 2,
                               3,     4,     5,    6,   8,   10,  15,  20,  30, 45,   60};
constexpr int kCodes[] = {101, 200, 201, 202, 204, 301, 304, 400, 401, 403, 404, 405,
                          406, 409, 410, 413, 415, 422, 429, 500, 502, 503, 504};
constexpr double kSizes[] = {1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
constexpr std::size_t kSizeCount = std::size(kSizes) + 1;
constexpr std::size_t kBucketCount = std::size(kBuckets) + 1;
constexpr std::size_t kCodeCount = std::size(kCodes) + 1;  // the last: any other

std::string number_text(double value) {
  char buffer[32];
  const auto [end, failed] = std::to_chars(buffer, buffer + sizeof buffer, value);
  return std::string(buffer, end);
}

std::size_t hash_of(const RequestLabels& labels) {
  const std::hash<std::string_view> hash;
  std::size_t out = labels.dry_run ? 17 : 3;
  for (const std::string_view part :
       {labels.verb, labels.group, labels.version, labels.resource, labels.subresource, labels.scope}) {
    out = out * 1099511628211ull + hash(part);
  }
  return out ^ (out >> 29);
}

}  // namespace

struct RequestMetrics::Series {
  explicit Series(const RequestLabels& labels)
      : verb(labels.verb),
        group(labels.group),
        version(labels.version),
        resource(labels.resource),
        subresource(labels.subresource),
        scope(labels.scope),
        dry_run(labels.dry_run) {}

  bool is(const RequestLabels& labels) const {
    return verb == labels.verb && resource == labels.resource && group == labels.group &&
           version == labels.version && subresource == labels.subresource && scope == labels.scope &&
           dry_run == labels.dry_run;
  }
  std::string text() const {
    return "verb=" + metric_label(verb) + ",dry_run=" + (dry_run ? "\"All\"" : "\"\"") +
           ",group=" + metric_label(group) + ",version=" + metric_label(version) +
           ",resource=" + metric_label(resource) + ",subresource=" + metric_label(subresource) +
           ",scope=" + metric_label(scope) + ",component=\"apiserver\"";
  }

  const std::string verb, group, version, resource, subresource, scope;
  const bool dry_run;
  std::array<std::atomic<std::uint64_t>, kCodeCount> codes{};
  std::array<std::atomic<std::uint64_t>, kBucketCount> buckets{};
  std::array<std::atomic<std::uint64_t>, kSizeCount> sizes{};
  std::atomic<std::uint64_t> nanoseconds{0}, bytes{0};
};

RequestMetrics::RequestMetrics()
    : other_(std::make_unique<Series>(RequestLabels{"other", "", "", "", "", ""})) {}

RequestMetrics::~RequestMetrics() {
  for (auto& slot : slots_) delete slot.load();
}

RequestMetrics::Series* RequestMetrics::series(const RequestLabels& labels) {
  constexpr std::size_t kTries = 32;
  const std::size_t first = hash_of(labels);
  for (std::size_t i = 0; i < kTries; ++i) {
    auto& slot = slots_[(first + i) % kSlots];
    Series* found = slot.load(std::memory_order_acquire);
    if (found == nullptr) {
      auto fresh = std::make_unique<Series>(labels);
      if (slot.compare_exchange_strong(found, fresh.get(), std::memory_order_acq_rel)) return fresh.release();
    }
    if (found->is(labels)) return found;
  }
  return other_.get();
}

void RequestMetrics::count(const RequestLabels& labels, int code, Duration took,
                           std::optional<std::size_t> size) {
  Series* const own = series(labels);
  std::size_t at = 0;
  while (at + 1 < kCodeCount && kCodes[at] != code) ++at;
  own->codes[at].fetch_add(1, std::memory_order_relaxed);
  const double seconds = std::chrono::duration<double>(took).count();
  std::size_t bucket = 0;
  while (bucket + 1 < kBucketCount && seconds > kBuckets[bucket]) ++bucket;
  own->buckets[bucket].fetch_add(1, std::memory_order_relaxed);
  own->nanoseconds.fetch_add(static_cast<std::uint64_t>(took.count()), std::memory_order_relaxed);
  if (size) {
    std::size_t width = 0;
    while (width + 1 < kSizeCount && static_cast<double>(*size) > kSizes[width]) ++width;
    own->sizes[width].fetch_add(1, std::memory_order_relaxed);
    own->bytes.fetch_add(*size, std::memory_order_relaxed);
  }
  total_.fetch_add(1, std::memory_order_relaxed);
}

void RequestMetrics::append_to(std::string& text) const {
  std::vector<const Series*> all;
  for (const auto& slot : slots_) {
    if (const Series* found = slot.load(std::memory_order_acquire)) all.push_back(found);
  }
  all.push_back(other_.get());
  metric_head(text, "apiserver_request_total", "counter",
              "Counter of apiserver requests broken out for each verb, dry run value, group, version, "
              "resource, scope, component, and HTTP response code.");
  for (const Series* one : all) {
    const std::string labels = one->text();
    for (std::size_t i = 0; i < kCodeCount; ++i) {
      const std::uint64_t value = one->codes[i].load(std::memory_order_relaxed);
      if (value == 0) continue;
      const std::string code = i + 1 < kCodeCount ? std::to_string(kCodes[i]) : "0";
      metric_line(text, "apiserver_request_total", "{" + labels + ",code=\"" + code + "\"}",
                  static_cast<double>(value));
    }
  }
  append_durations(text, all);
  append_sizes(text, all);
}

void RequestMetrics::append_durations(std::string& text, const std::vector<const Series*>& all) {
  metric_head(
      text, "apiserver_request_duration_seconds", "histogram",
      "Response latency distribution in seconds for each verb, dry run value, group, version, resource, "
      "subresource, scope and component.");
  for (const Series* one : all) {
    const std::string labels = one->text();
    std::uint64_t sum = 0;
    std::string lines;
    for (std::size_t i = 0; i < kBucketCount; ++i) {
      sum += one->buckets[i].load(std::memory_order_relaxed);
      const std::string edge = i + 1 < kBucketCount ? number_text(kBuckets[i]) : "+Inf";
      metric_line(lines, "apiserver_request_duration_seconds_bucket", "{" + labels + ",le=\"" + edge + "\"}",
                  static_cast<double>(sum));
    }
    if (sum == 0) continue;
    text += lines;
    metric_line(text, "apiserver_request_duration_seconds_sum", "{" + labels + "}",
                static_cast<double>(one->nanoseconds.load(std::memory_order_relaxed)) / 1e9);
    metric_line(text, "apiserver_request_duration_seconds_count", "{" + labels + "}",
                static_cast<double>(sum));
  }
}

void RequestMetrics::append_sizes(std::string& text, const std::vector<const Series*>& all) {
  metric_head(text, "apiserver_response_sizes", "histogram", "Sizes of answers that were not streamed.");
  for (const Series* one : all) {
    const std::string labels = one->text();
    std::uint64_t sum = 0;
    std::string lines;
    for (std::size_t i = 0; i < kSizeCount; ++i) {
      sum += one->sizes[i].load(std::memory_order_relaxed);
      const std::string edge = i + 1 < kSizeCount ? number_text(kSizes[i]) : "+Inf";
      metric_line(lines, "apiserver_response_sizes_bucket", "{" + labels + ",le=\"" + edge + "\"}",
                  static_cast<double>(sum));
    }
    if (sum == 0) continue;
    text += lines;
    metric_line(text, "apiserver_response_sizes_sum", "{" + labels + "}",
                static_cast<double>(one->bytes.load(std::memory_order_relaxed)));
    metric_line(text, "apiserver_response_sizes_count", "{" + labels + "}", static_cast<double>(sum));
  }
}

std::string metric_label(std::string_view value) {
  std::string out = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out + "\"";
}

void metric_head(std::string& text, std::string_view name, std::string_view type, std::string_view help) {
  text.append("# HELP ").append(name).append(" ").append(help).append("\n# TYPE ");
  text.append(name).append(" ").append(type).append("\n");
}

void metric_line(std::string& text, std::string_view name, std::string_view labels, double value) {
  text.append(name).append(labels).append(" ").append(number_text(value)).append("\n");
}

}  // namespace flotilla::apiserver
