// SPDX-License-Identifier: Apache-2.0
#include "core/async/metrics.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <mutex>

namespace flotilla {
namespace {

std::string number(double value) {
  char buffer[32];
  const auto [end, failed] = std::to_chars(buffer, buffer + sizeof buffer, value);
  return std::string(buffer, end);
}

void append_quoted(std::string& out, std::string_view value) {
  out += '"';
  for (const char c : value) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  out += '"';
}

std::string text_of(const MetricLabels& labels) {
  std::string out;
  for (const auto& [name, value] : labels) {
    if (!out.empty()) out += ',';
    out += name + "=";
    append_quoted(out, value);
  }
  return out;
}

void append_line(std::string& out, std::string_view name, std::string_view suffix, std::string_view labels,
                 const std::string& value) {
  out.append(name).append(suffix);
  if (!labels.empty()) out.append("{").append(labels).append("}");
  out.append(" ").append(value).append("\n");
}

void append_histogram(std::string& out, std::string_view name, const std::string& labels,
                      const Histogram& histogram) {
  std::uint64_t sum = 0;
  const std::string before = labels.empty() ? "" : labels + ",";
  for (std::size_t i = 0; i <= histogram.edges().size(); ++i) {
    sum += histogram.in_bucket(i);
    const std::string edge = i < histogram.edges().size() ? number(histogram.edges()[i]) : "+Inf";
    std::string bucket = before;
    bucket.append("le=\"").append(edge).append("\"");
    append_line(out, name, "_bucket", bucket, std::to_string(sum));
  }
  append_line(out, name, "_sum", labels, number(histogram.sum()));
  append_line(out, name, "_count", labels, std::to_string(sum));
}

}  // namespace

Buckets exponential_buckets(double first, double factor, int count) {
  Buckets out;
  for (double edge = first; count > 0; --count, edge *= factor) out.push_back(edge);
  return out;
}

Histogram::Histogram(Buckets edges)
    : edges_(std::move(edges)), counts_(std::make_unique<std::atomic<std::uint64_t>[]>(edges_.size() + 1)) {}

void Histogram::observe(Duration took) {
  const double seconds = std::chrono::duration<double>(took).count();
  const auto at = std::lower_bound(edges_.begin(), edges_.end(), seconds);
  counts_[static_cast<std::size_t>(at - edges_.begin())].fetch_add(1, std::memory_order_relaxed);
  const auto nanoseconds = std::chrono::duration_cast<std::chrono::nanoseconds>(took).count();
  nanoseconds_.fetch_add(static_cast<std::uint64_t>(std::max<std::int64_t>(nanoseconds, 0)),
                         std::memory_order_relaxed);
}

// One of the four is set.
struct Series {
  MetricLabels labels;
  std::shared_ptr<Counter> counter;
  std::shared_ptr<Gauge> gauge;
  std::shared_ptr<Histogram> histogram;
  std::function<double()> computed;
};

struct Family {
  std::string help;
  std::map<std::string, Series> series;  // by the text of their labels
};

struct Metrics::State {
  std::mutex mutex;
  std::map<std::string, Family, std::less<>> families;

  // Under the mutex.
  Series& series(std::string_view name, std::string_view help, const MetricLabels& labels) {
    auto at = families.find(name);
    if (at == families.end()) at = families.emplace(name, Family{std::string(help), {}}).first;
    Series& found = at->second.series[text_of(labels)];
    found.labels = labels;
    return found;
  }
};

Metrics::Metrics() : state_(std::make_shared<State>()) {}
Metrics::~Metrics() = default;

std::shared_ptr<Counter> Metrics::counter(std::string_view name, std::string_view help,
                                          const MetricLabels& labels) {
  const std::lock_guard lock(state_->mutex);
  auto& held = state_->series(name, help, labels).counter;
  if (!held) held = std::make_shared<Counter>();
  return held;
}

std::shared_ptr<Gauge> Metrics::gauge(std::string_view name, std::string_view help,
                                      const MetricLabels& labels) {
  const std::lock_guard lock(state_->mutex);
  auto& held = state_->series(name, help, labels).gauge;
  if (!held) held = std::make_shared<Gauge>();
  return held;
}

std::shared_ptr<Histogram> Metrics::histogram(std::string_view name, std::string_view help,
                                              const Buckets& edges, const MetricLabels& labels) {
  const std::lock_guard lock(state_->mutex);
  auto& held = state_->series(name, help, labels).histogram;
  if (!held) held = std::make_shared<Histogram>(edges);
  return held;
}

std::shared_ptr<void> Metrics::computed(std::string_view name, std::string_view help,
                                        const MetricLabels& labels, std::function<double()> value) {
  const std::lock_guard lock(state_->mutex);
  state_->series(name, help, labels).computed = std::move(value);
  const auto remove = [state = std::weak_ptr(state_), family = std::string(name),
                       key = text_of(labels)](void*) {
    const auto held = state.lock();
    if (!held) return;
    const std::lock_guard removing(held->mutex);
    held->families[family].series.erase(key);
  };
  return {static_cast<void*>(state_.get()), remove};
}

void Metrics::forget(std::string_view label, std::string_view value) {
  const std::lock_guard lock(state_->mutex);
  for (auto& [name, family] : state_->families) {
    std::erase_if(family.series, [&](const auto& one) {
      const MetricLabels& labels = one.second.labels;
      return std::any_of(labels.begin(), labels.end(),
                         [&](const auto& pair) { return pair.first == label && pair.second == value; });
    });
  }
}

std::string Metrics::text() const {
  const std::lock_guard lock(state_->mutex);
  std::string out;
  for (const auto& [name, family] : state_->families) {
    if (family.series.empty()) continue;
    const Series& first = family.series.begin()->second;
    out.append("# HELP ").append(name).append(" ").append(family.help);
    out.append("\n# TYPE ").append(name);
    out.append(first.counter ? " counter\n" : first.histogram ? " histogram\n" : " gauge\n");
    for (const auto& [labels, one] : family.series) {
      if (one.histogram) {
        append_histogram(out, name, labels, *one.histogram);
      } else if (one.counter) {
        append_line(out, name, "", labels, std::to_string(one.counter->value()));
      } else {
        append_line(out, name, "", labels, number(one.computed ? one.computed() : one.gauge->value()));
      }
    }
  }
  return out;
}

std::shared_ptr<Counter> counter_in(Metrics* metrics, std::string_view name, std::string_view help,
                                    const MetricLabels& labels) {
  return metrics != nullptr ? metrics->counter(name, help, labels) : std::make_shared<Counter>();
}

std::shared_ptr<Gauge> gauge_in(Metrics* metrics, std::string_view name, std::string_view help,
                                const MetricLabels& labels) {
  return metrics != nullptr ? metrics->gauge(name, help, labels) : std::make_shared<Gauge>();
}

std::shared_ptr<Histogram> histogram_in(Metrics* metrics, std::string_view name, std::string_view help,
                                        const Buckets& edges, const MetricLabels& labels) {
  return metrics != nullptr ? metrics->histogram(name, help, edges, labels)
                            : std::make_shared<Histogram>(edges);
}

}  // namespace flotilla
