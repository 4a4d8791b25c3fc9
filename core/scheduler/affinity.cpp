// SPDX-License-Identifier: Apache-2.0
#include "core/scheduler/affinity.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
namespace flotilla::scheduler {
namespace {

using api::Json;
using api::Requirement;
using Operator = Requirement::Operator;

std::optional<std::int64_t> parse_integer(std::string_view text) {
  if (!text.empty() && text[0] == '+') text.remove_prefix(1);
  std::int64_t number = 0;
  auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (bad != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::vector<std::string> strings_of(const Json& list) {
  std::vector<std::string> strings;
  for (const Json& element : list.elements()) strings.emplace_back(element.as_string());
  return strings;
}

void take(Result<api::LabelSelector> selector, std::vector<Requirement>& requirements, bool& refused) {
  if (selector) {
    requirements = selector->requirements();
  } else {
    refused = true;
  }
}

// Zones are a list, so what would be refused of a label has a meaning here, except an unknown operator.
void parse_zones(const Json& expression, ClusterAffinity& affinity) {
  std::string_view op = expression["operator"].as_string();
  Requirement requirement{"zone", Operator::In, strings_of(expression["values"])};
  if (op == "NotIn") {
    requirement.op = Operator::NotIn;
  } else if (op == "Exists") {
    requirement.op = Operator::Exists;
  } else if (op == "DoesNotExist") {
    requirement.op = Operator::DoesNotExist;
  } else if (op != "In") {
    affinity.refused = true;
  }
  affinity.zones.push_back(std::move(requirement));
}

void parse_field_selector(const Json& selector, ClusterAffinity& affinity) {
  Json others = Json::array();
  for (const Json& expression : selector["matchExpressions"].elements()) {
    if (expression["key"].as_string() == "zone") {
      parse_zones(expression, affinity);
    } else {
      others.push_back(expression);
    }
  }
  // No expression at all would select nothing; here it asks for nothing.
  if (others.empty()) return;
  take(api::LabelSelector::from_node_requirements(others), affinity.fields, affinity.refused);
}

// A requirement in symbols: values that no cluster has drop out.
struct Compiled {
  Operator op;
  Sym key;
  std::vector<Sym> values;
  std::int64_t bound = 0;

  Compiled(const Requirement& requirement, const Symbols& symbols)
      : op(requirement.op), key(symbols.find(requirement.key)) {
    for (const std::string& value : requirement.values) {
      Sym sym = symbols.find(value);
      if (sym != kUnknownSym) values.push_back(sym);
    }
    if (op == Operator::GreaterThan || op == Operator::LessThan)
      bound = parse_integer(requirement.values[0]).value_or(0);
  }
  bool lists(Sym value) const { return std::find(values.begin(), values.end(), value) != values.end(); }

  // `value` is null where the label is absent.
  bool accepts(const Sym* value, const Symbols& symbols) const {
    switch (op) {
      case Operator::In:
        return value != nullptr && lists(*value);
      case Operator::NotIn:
        return value == nullptr || !lists(*value);
      case Operator::Exists:
        return value != nullptr;
      case Operator::DoesNotExist:
        return value == nullptr;
      case Operator::GreaterThan:
      case Operator::LessThan: {
        if (value == nullptr) return false;
        auto number = parse_integer(symbols.text(*value));
        return number && (op == Operator::GreaterThan ? *number > bound : *number < bound);
      }
    }
    return false;
  }

  bool accepts_zones(std::span<const Sym> zones) const {
    auto listed = [&](Sym zone) { return lists(zone); };
    switch (op) {
      case Operator::In:
        return std::any_of(zones.begin(), zones.end(), listed);
      case Operator::NotIn:
        return std::none_of(zones.begin(), zones.end(), listed);
      case Operator::Exists:
        return !zones.empty();
      case Operator::DoesNotExist:
        return zones.empty();
      default:
        return false;
    }
  }
};

const Sym* find_label(std::span<const Label> labels, Sym key) {
  for (const Label& label : labels) {
    if (label.key == key) return &label.value;
  }
  return nullptr;
}

// Null where the cluster does not say.
const Sym* find_field(const ClusterIdentity& identity, std::string_view key, Row row) {
  const std::vector<Sym>* column = key == "provider" ? &identity.providers
                                   : key == "region" ? &identity.regions
                                                     : nullptr;
  return column == nullptr || (*column)[row] == kNoSym ? nullptr : &(*column)[row];
}

// keep(row) decides which rows stay.
template <typename Keep>
void retain(RowSet& rows, Keep keep) {
  rows.for_each([&](Row row) {
    if (!keep(row)) rows.remove(row);
  });
}

// Takes away the rows of `rows` that selectors or exclusion refuse.
void retain_matching(const ClusterTable& table, const ClusterAffinity& affinity, RowSet& rows) {
  const ClusterIdentity& identity = table.identity();
  const Symbols& symbols = table.symbols();
  for (const std::string& name : affinity.exclude) {
    Row row = table.find(name);
    if (row != kNoRow) rows.remove(row);
  }
  for (const Requirement& requirement : affinity.labels) {
    Compiled compiled(requirement, symbols);
    retain(rows, [&](Row row) {
      return compiled.accepts(find_label(identity.labels.at(row), compiled.key), symbols);
    });
  }
  for (const Requirement& requirement : affinity.fields) {
    Compiled compiled(requirement, symbols);
    retain(rows,
           [&](Row row) { return compiled.accepts(find_field(identity, requirement.key, row), symbols); });
  }
  for (const Requirement& requirement : affinity.zones) {
    Compiled compiled(requirement, symbols);
    retain(rows, [&](Row row) { return compiled.accepts_zones(identity.zones.at(row)); });
  }
}

}  // namespace

ClusterAffinity parse_affinity(const Json& json) {
  ClusterAffinity affinity;
  affinity.name = json["affinityName"].as_string();
  if (json["labelSelector"].is_object()) {
    take(api::LabelSelector::from_json(json["labelSelector"]), affinity.labels, affinity.refused);
  }
  if (json["fieldSelector"].is_object()) parse_field_selector(json["fieldSelector"], affinity);
  affinity.cluster_names = strings_of(json["clusterNames"]);
  affinity.exclude = strings_of(json["exclude"]);
  affinity.has_overflow = json["overflowAffinities"].is_array();
  for (const Json& tier : json["overflowAffinities"].elements()) {
    affinity.overflow.push_back(parse_affinity(tier));
  }
  return affinity;
}

RowSet matching_rows(const ClusterTable& table, const ClusterAffinity& affinity) {
  RowSet rows(table.size(), !affinity.refused && affinity.cluster_names.empty());
  if (affinity.refused) return rows;
  for (const std::string& name : affinity.cluster_names) {
    Row row = table.find(name);
    if (row != kNoRow) rows.add(row);
  }
  retain_matching(table, affinity, rows);
  return rows;
}

void match_blocks(const ClusterTable& table, const ClusterAffinity& affinity,
                  std::span<const std::uint64_t> blocks, RowSet& rows) {
  RowSet again(table.size());
  if (!affinity.refused) {
    RowSet full(table.size(), affinity.cluster_names.empty());
    for (const std::string& name : affinity.cluster_names) {
      Row row = table.find(name);
      if (row != kNoRow) full.add(row);
    }
    for_each_row(blocks, [&](Row word) { again.words()[word] = full.words()[word]; });
    retain_matching(table, affinity, again);
    // Exclusion may name rows of other blocks: they are not written back.
  }
  for_each_row(blocks, [&](Row word) { rows.words()[word] = again.words()[word]; });
}

bool matches_row(const ClusterTable& table, Row row, const ClusterAffinity& affinity) {
  if (affinity.refused || row == kNoRow) return false;
  const auto lists = [name = table.name(row)](const std::vector<std::string>& names) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  if (!affinity.cluster_names.empty() && !lists(affinity.cluster_names)) return false;
  if (lists(affinity.exclude)) return false;
  const ClusterIdentity& identity = table.identity();
  const Symbols& symbols = table.symbols();
  const auto all = [](const std::vector<Requirement>& requirements, auto accepts) {
    return std::all_of(requirements.begin(), requirements.end(), accepts);
  };
  return all(affinity.labels,
             [&](const Requirement& each) {
               const Compiled compiled(each, symbols);
               return compiled.accepts(find_label(identity.labels.at(row), compiled.key), symbols);
             }) &&
         all(affinity.fields,
             [&](const Requirement& each) {
               const Sym* value = find_field(identity, each.key, row);
               return Compiled(each, symbols).accepts(value, symbols);
             }) &&
         all(affinity.zones, [&](const Requirement& each) {
           return Compiled(each, symbols).accepts_zones(identity.zones.at(row));
         });
}

}  // namespace flotilla::scheduler
