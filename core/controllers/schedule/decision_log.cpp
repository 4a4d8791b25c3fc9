// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/schedule/decision_log.hpp"

#include <algorithm>

#include "core/api/names.hpp"
#include "core/controllers/decision_keys.hpp"

namespace flotilla::controllers {

std::string advice(const scheduler::DecisionRecord& record, const api::Json& binding) {
  constexpr std::size_t kReasons = 3;
  std::vector<std::pair<std::size_t, std::size_t>> counts;  // how many, which
  for (std::size_t i = 0; i < record.reasons.size(); ++i) counts.emplace_back(0, i);
  for (std::int64_t verdict : record.verdicts)
    if (verdict != 0) ++counts[static_cast<std::size_t>(verdict - 1)].first;
  std::stable_sort(counts.begin(), counts.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  const bool said = !record.failures.empty() &&
                    record.failures.back().kind == scheduler::FailureKind::NoClusterFit &&
                    counts.size() <= kReasons;
  std::string text;
  for (std::size_t i = 0; !said && i < counts.size() && i < kReasons; ++i) {
    text += (i == 0 ? " Most frequent: " : ", ") + std::to_string(counts[i].first) + " " +
            record.reasons[counts[i].second].text;
  }
  if (!text.empty()) text += ".";
  const api::Json& resource = binding["spec"]["resource"];
  const api::Gvk gvk = api::Gvk::from(resource["apiVersion"].as_string(), resource["kind"].as_string());
  text += " Ask: flotillactl why " + api::to_lower(gvk.kind) + (gvk.group.empty() ? "" : "." + gvk.group) +
          "/" + std::string(resource["name"].as_string());
  if (const std::string_view ns = resource["namespace"].as_string(); !ns.empty())
    text += " -n " + std::string(ns);
  return text;
}

Task<Status> DecisionLog::load() {
  if (loaded_) co_return Status();
  const std::uint64_t setbacks = store_.setbacks();
  auto reading = store_.side_values(kNamesPrefix);
  const auto values = co_await std::move(reading);
  if (!values) co_return Error(values.error()).context("read the names of decision records");
  std::lock_guard lock(mutex_);
  if (loaded_) co_return Status();
  names_ = read_names(*values);
  for (std::size_t i = 0; i < names_.size(); ++i)
    numbers_.try_emplace(names_[i], static_cast<scheduler::NameNumber>(i));
  stored_ = written_ = names_.size();
  setbacks_ = setbacks;
  loaded_ = true;
  co_return Status();
}

scheduler::NameNumber DecisionLog::number_of(std::string_view name) {
  const auto [it, fresh] =
      numbers_.try_emplace(std::string(name), static_cast<scheduler::NameNumber>(names_.size()));
  if (fresh) names_.emplace_back(name);
  return it->second;
}

std::vector<scheduler::NameNumber> DecisionLog::rows_of(const scheduler::ClusterTable& table) {
  std::lock_guard lock(mutex_);
  return rows_.of(table, [this](std::string_view name) { return number_of(name); });
}

scheduler::DecisionRecord DecisionLog::describe(const scheduler::Attempt& attempt,
                                                const scheduler::ClusterTable& table,
                                                const scheduler::Policies& policies,
                                                const scheduler::Options& options,
                                                std::string_view scheduler_name) {
  const scheduler::NumberOf locked = [this](std::string_view name) {
    std::lock_guard lock(mutex_);
    return number_of(name);
  };
  scheduler::DecisionRecord record =
      scheduler::describe(attempt, table, policies, options, rows_of(table), locked);
  record.scheduler = locked(scheduler_name);
  return record;
}

DecisionLog::Ticket DecisionLog::add(scheduler::DecisionRecord& record, api::Json& binding,
                                     store::SideValues& beside) {
  record.number = decision_number(binding) + 1;
  binding.make({"metadata", "annotations", kDecisionNumber}) = std::to_string(record.number);
  beside.clear();
  beside.push_back({decision_key(api::uid_of(binding), record.number), scheduler::encode(record)});
  std::lock_guard lock(mutex_);
  if (const std::uint64_t setbacks = store_.setbacks(); setbacks != setbacks_) {
    setbacks_ = setbacks;
    written_ = stored_;
  }
  if (written_ < names_.size()) {
    std::string text;
    for (std::size_t i = written_; i < names_.size(); ++i) text.append(names_[i]).push_back('\n');
    beside.push_back({names_key(written_, names_.size()), std::move(text)});
  }
  return {names_.size(), setbacks_};
}

void DecisionLog::written(const Ticket& ticket) {
  std::lock_guard lock(mutex_);
  if (ticket.setbacks == setbacks_) written_ = std::max(written_, ticket.names);
}

}  // namespace flotilla::controllers
