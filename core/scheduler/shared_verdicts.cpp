// SPDX-License-Identifier: Apache-2.0
#include "core/scheduler/shared_verdicts.hpp"

#include <algorithm>
#include <utility>

namespace flotilla::scheduler {
namespace {

// Sets kept before they are made anew: at 10,000 clusters some 30 MB.
constexpr std::size_t kMostEntries = 1024;

std::string key_of(const Workload& workload, const Policies& policies) {
  const Binding& binding = *workload.binding;
  std::string key = std::to_string(reinterpret_cast<std::uintptr_t>(&policies));
  if (policies.watched()) key += '-' + std::to_string(policies.left_out());
  key += '/' + std::to_string(workload.term) + (workload.divisible ? "/d/" : "/w/");
  key.append(binding.api_version).append("/").append(binding.kind).append("/");
  return key.append(binding.placement->text);
}

RowRange rows_of_block(Row block, std::size_t rows) {
  return {block * 64, static_cast<Row>(std::min<std::size_t>(rows, (std::size_t{block} + 1) * 64))};
}

}  // namespace

void Verdicts::reset(std::size_t rows) {
  fits.reset(rows, true);
  reasons.assign(rows, Reasons::kFits);
  refused_by.assign(rows, 0);
}

void Verdicts::reset(RowRange range) {
  for (Row row = range.first; row < range.last; ++row) fits.add(row);
  std::fill(reasons.begin() + range.first, reasons.begin() + range.last, Reasons::kFits);
  std::fill(refused_by.begin() + range.first, refused_by.begin() + range.last, std::uint8_t{0});
}

Status SharedVerdicts::find(Workload& workload, const Policies& policies, const Ask& ask, Verdicts& out) {
  if (entries_.size() >= kMostEntries) entries_.clear();
  Entry& entry = entries_[key_of(workload, policies)];
  if (Status fresh = refresh(entry, workload, ask); !fresh) {
    entry = Entry();
    return fresh;
  }
  out = entry.verdicts;
  blocks_.reset(workload.table->words());
  for (Row word = 0; word < workload.targets.size(); ++word) {
    if ((workload.targets[word] | workload.evicting[word]) != 0) blocks_.add(word);
  }
  return blocks_.empty() ? Status() : ask_blocks(workload, ask, blocks_, out);
}

Status SharedVerdicts::refresh(Entry& entry, Workload& workload, const Ask& ask) {
  const ClusterTable& table = *workload.table;
  const std::vector<std::uint64_t>& epochs = table.blocks().epochs;
  const bool follows = entry.lineage == table.blocks().lineage && entry.epoch <= table.epoch() &&
                       entry.verdicts.reasons.size() == table.size();
  if (follows && entry.epoch == table.epoch()) return {};
  if (!follows) entry.verdicts.reset(table.size());
  blocks_.reset(epochs.size(), !follows);
  for (Row block = 0; follows && block < epochs.size(); ++block) {
    if (epochs[block] > entry.epoch) blocks_.add(block);
  }
  if (!blocks_.empty()) {
    // Nobody's targets.
    nobody_.reset(table.size());
    const auto targets = std::exchange(workload.targets, nobody_.words());
    const auto evicting = std::exchange(workload.evicting, nobody_.words());
    const auto previous = std::exchange(workload.previous, {});
    workload.view.reset();
    const Status asked = ask_blocks(workload, ask, blocks_, entry.verdicts);
    workload.targets = targets;
    workload.evicting = evicting;
    workload.previous = previous;
    workload.view.reset();
    if (!asked) return asked;
  }
  entry.lineage = table.blocks().lineage;
  entry.epoch = table.epoch();
  return {};
}

// Blocks that lie side by side are asked in one call.
Status SharedVerdicts::ask_blocks(const Workload& workload, const Ask& ask, const RowSet& blocks,
                                  Verdicts& verdicts) {
  const std::size_t rows = workload.table->size();
  const auto count = static_cast<Row>(workload.table->words());
  for (Row block = 0; block < count; ++block) {
    if (!blocks.has(block)) continue;
    RowRange range = rows_of_block(block, rows);
    for (; block + 1 < count && blocks.has(block + 1); ++block)
      range.last = rows_of_block(block + 1, rows).last;
    asked_blocks_ += (range.last - range.first + 63) / 64;
    verdicts.reset(range);
    if (Status asked = ask(workload, range, verdicts); !asked) return asked;
  }
  return {};
}

}  // namespace flotilla::scheduler
