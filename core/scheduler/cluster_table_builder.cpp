// SPDX-License-Identifier: Apache-2.0
#include "core/scheduler/cluster_table_builder.hpp"

#include <algorithm>

#include "core/api/quantity.hpp"

namespace flotilla::scheduler {
namespace {

using api::Json;
using api::Quantity;

struct ParsedIdentity {
  Sym name = kNoSym;
  Sym provider = kNoSym;
  Sym region = kNoSym;
  std::uint32_t flags = 0;
  std::vector<Sym> zones;
  std::vector<Label> labels;
  std::vector<Taint> taints;
  bool operator==(const ParsedIdentity&) const = default;
};

struct ParsedResource {
  Sym name = kNoSym;
  std::int64_t allocatable = kAbsent;
  std::int64_t allocated = 0;
  std::int64_t allocating = 0;
  std::int64_t available = kAbsent;
  bool operator==(const ParsedResource&) const = default;
};

struct ParsedGrade {
  std::int64_t count = 0;
  std::vector<std::pair<Sym, std::int64_t>> least;
  bool operator==(const ParsedGrade&) const = default;
};

struct ParsedResources {
  std::vector<ParsedResource> resources;
  std::vector<ParsedGrade> grades;
  bool operator==(const ParsedResources&) const = default;
};

struct ParsedCluster {
  ParsedIdentity identity;
  std::vector<ApiKey> apis;
  ParsedResources resources;
};

TaintEffect parse_effect(std::string_view effect) {
  if (effect == "NoSchedule") return TaintEffect::NoSchedule;
  if (effect == "PreferNoSchedule") return TaintEffect::PreferNoSchedule;
  if (effect == "NoExecute") return TaintEffect::NoExecute;
  return TaintEffect::None;
}

std::uint32_t parse_flags(const Json& cluster) {
  std::uint32_t flags = 0;
  if (!cluster["metadata"]["deletionTimestamp"].is_null()) flags |= kDeleting;
  if (cluster["spec"]["syncMode"].as_string() == "Pull") flags |= kPullMode;
  if (cluster["status"]["resourceSummary"].is_object()) flags |= kHasResources;
  if (!cluster["spec"]["zones"].empty()) flags |= kHasZones;
  for (const Json& condition : cluster["status"]["conditions"].elements()) {
    if (condition["status"].as_string() != "True") continue;
    if (condition["type"].as_string() == "Ready") flags |= kReady;
    if (condition["type"].as_string() == "CompleteAPIEnablements") flags |= kApisComplete;
  }
  return flags;
}

ParsedIdentity parse_identity(const Json& cluster, Symbols& symbols) {
  const Json& spec = cluster["spec"];
  ParsedIdentity parsed;
  parsed.name = symbols.intern(cluster["metadata"]["name"].as_string());
  parsed.provider = symbols.intern(spec["provider"].as_string());
  parsed.region = symbols.intern(spec["region"].as_string());
  parsed.flags = parse_flags(cluster);
  for (const Json& zone : spec["zones"].elements()) parsed.zones.push_back(symbols.intern(zone.as_string()));
  for (auto [key, value] : cluster["metadata"]["labels"].members()) {
    parsed.labels.push_back({symbols.intern(key), symbols.intern(value.as_string())});
  }
  std::sort(parsed.labels.begin(), parsed.labels.end(),
            [](const Label& a, const Label& b) { return a.key < b.key; });
  for (const Json& taint : spec["taints"].elements()) {
    parsed.taints.push_back({symbols.intern(taint["key"].as_string()),
                             symbols.intern(taint["value"].as_string()),
                             parse_effect(taint["effect"].as_string())});
  }
  return parsed;
}

std::vector<ApiKey> parse_apis(const Json& cluster, Symbols& symbols) {
  std::vector<ApiKey> apis;
  for (const Json& group : cluster["status"]["apiEnablements"].elements()) {
    Sym group_version = symbols.intern(group["groupVersion"].as_string());
    for (const Json& resource : group["resources"].elements()) {
      apis.push_back({group_version, symbols.intern(resource["kind"].as_string())});
    }
  }
  return apis;
}

// What is no quantity counts as nothing: a broken member must not stop scheduling to the others.
Quantity quantity_of(const Json& value) {
  auto quantity = Quantity::from_json(value);
  return quantity ? *quantity : Quantity();
}

// The counts of nodes are in the status, what a grade means is in the spec. Without a meaning there is no
// model.
std::vector<ParsedGrade> parse_grades(const Json& cluster, Symbols& symbols) {
  std::vector<ParsedGrade> grades;
  std::span<const Json> counts = cluster["status"]["resourceSummary"]["allocatableModelings"].elements();
  std::span<const Json> models = cluster["spec"]["resourceModels"].elements();
  if (counts.empty()) return grades;
  for (std::size_t i = 0; i < models.size(); ++i) {
    ParsedGrade grade;
    for (const Json& count : counts) {
      if (count["grade"].as_int() == models[i]["grade"].as_int()) grade.count = count["count"].as_int();
    }
    for (const Json& range : models[i]["ranges"].elements()) {
      std::string_view resource = range["name"].as_string();
      Quantity least = quantity_of(range["min"]);
      grade.least.emplace_back(symbols.intern(resource), in_units_of(resource, least));
    }
    grades.push_back(std::move(grade));
  }
  return grades;
}

ParsedResources parse_resources(const Json& cluster, Symbols& symbols) {
  const Json& summary = cluster["status"]["resourceSummary"];
  ParsedResources parsed;
  for (auto [name, value] : summary["allocatable"].members()) {
    Quantity allocatable = quantity_of(value);
    Quantity allocated = quantity_of(summary["allocated"][name]);
    Quantity allocating = quantity_of(summary["allocating"][name]);
    Quantity available = allocatable;
    available -= allocated;
    available -= allocating;
    parsed.resources.push_back({symbols.intern(name), in_units_of(name, allocatable),
                                in_units_of(name, allocated), in_units_of(name, allocating),
                                in_units_of(name, available)});
  }
  parsed.grades = parse_grades(cluster, symbols);
  return parsed;
}

void build_identity(ClusterIdentity& columns, std::span<const ParsedCluster> clusters, std::size_t symbols) {
  columns = ClusterIdentity{};
  columns.row_of_name.assign(symbols, kNoRow);
  columns.deleting.reset(clusters.size());
  for (Row row = 0; row < clusters.size(); ++row) {
    const ParsedIdentity& parsed = clusters[row].identity;
    columns.names.push_back(parsed.name);
    columns.providers.push_back(parsed.provider);
    columns.regions.push_back(parsed.region);
    columns.flags.push_back(parsed.flags);
    columns.zones.append(parsed.zones);
    columns.labels.append(parsed.labels);
    columns.row_of_name[parsed.name] = row;
    if ((parsed.flags & kDeleting) != 0) columns.deleting.add(row);
    std::vector<std::uint32_t> taints;
    for (const Taint& taint : parsed.taints) {
      auto& known = columns.taint_dictionary;
      auto found = std::find(known.begin(), known.end(), taint);
      taints.push_back(static_cast<std::uint32_t>(found - known.begin()));
      if (found == known.end()) known.push_back(taint);
    }
    columns.taints.append(taints);
  }
}

void write_apis(ClusterApis& columns, Row row, std::span<const ApiKey> apis) {
  std::uint64_t bit = std::uint64_t{1} << (row % 64);
  for (std::size_t at = row / 64; at < columns.bits.size(); at += columns.words) columns.bits[at] &= ~bit;
  for (const ApiKey& api : apis) {
    auto [found, added] = columns.index.try_emplace(std::uint64_t{api.group_version} << 32 | api.kind,
                                                    static_cast<std::uint32_t>(columns.keys.size()));
    if (added) {
      columns.keys.push_back(api);
      columns.bits.resize(columns.bits.size() + columns.words);
    }
    columns.bits[found->second * columns.words + row / 64] |= bit;
  }
}

std::uint32_t plane_of(ClusterResources& columns, Sym name, bool pods, std::size_t rows) {
  auto found = std::find(columns.names.begin(), columns.names.end(), name);
  auto index = static_cast<std::uint32_t>(found - columns.names.begin());
  if (found == columns.names.end()) {
    columns.names.push_back(name);
    std::vector<std::int64_t> absent(rows, kAbsent);
    columns.planes.push_back({absent, absent, absent, absent});
    if (pods) columns.pods = index;
  }
  return index;
}

void write_resources(ClusterResources& columns, Row row, const ParsedResources& parsed,
                     const Symbols& symbols) {
  std::size_t rows = columns.models.size();
  auto plane = [&](Sym name) { return plane_of(columns, name, symbols.text(name) == "pods", rows); };
  for (ResourcePlane& each : columns.planes) {
    each.allocatable[row] = each.allocated[row] = each.allocating[row] = each.available[row] = kAbsent;
  }
  for (const ParsedResource& resource : parsed.resources) {
    ResourcePlane& each = columns.planes[plane(resource.name)];
    each.allocatable[row] = resource.allocatable;
    each.allocated[row] = resource.allocated;
    each.allocating[row] = resource.allocating;
    each.available[row] = resource.available;
  }
  columns.models[row] = nullptr;
  if (parsed.grades.empty()) return;
  auto grades = std::make_shared<std::vector<NodeGrade>>();
  for (const ParsedGrade& grade : parsed.grades) {
    NodeGrade node{grade.count, {}};
    for (auto [name, least] : grade.least) node.least.push_back({plane(name), least});
    grades->push_back(std::move(node));
  }
  columns.models[row] = std::move(grades);
}

}  // namespace

struct ClusterTableBuilder::State {
  Symbols symbols;
  std::vector<ParsedCluster> clusters;  // by name
  bool structure_changed = true;        // a row came or went: every column moves
  bool identity_changed = true;
  std::vector<Row> changed_apis;
  std::vector<Row> changed_resources;
  ClusterApis apis;
  ClusterResources resources;
  std::uint64_t epoch = 0;
  ClusterTablePtr last;

  std::vector<ParsedCluster>::iterator place_of(std::string_view name) {
    return std::lower_bound(clusters.begin(), clusters.end(), name,
                            [&](const ParsedCluster& cluster, std::string_view wanted) {
                              return symbols.text(cluster.identity.name) < wanted;
                            });
  }
  bool is_at(std::vector<ParsedCluster>::iterator place, std::string_view name) const {
    return place != clusters.end() && symbols.text(place->identity.name) == name;
  }
  void rebuild_apis() {
    apis = ClusterApis{};
    apis.words = words_for(clusters.size());
    for (Row row = 0; row < clusters.size(); ++row) write_apis(apis, row, clusters[row].apis);
  }
  void rebuild_resources() {
    resources = ClusterResources{};
    resources.models.resize(clusters.size());
    for (Row row = 0; row < clusters.size(); ++row) {
      write_resources(resources, row, clusters[row].resources, symbols);
    }
  }
};

ClusterTableBuilder::ClusterTableBuilder() : state_(std::make_unique<State>()) {}
ClusterTableBuilder::~ClusterTableBuilder() = default;
ClusterTableBuilder::ClusterTableBuilder(ClusterTableBuilder&&) noexcept = default;
ClusterTableBuilder& ClusterTableBuilder::operator=(ClusterTableBuilder&&) noexcept = default;

void ClusterTableBuilder::update(const Json& cluster) {
  State& state = *state_;
  Symbols& symbols = state.symbols;
  ParsedCluster parsed{parse_identity(cluster, symbols), parse_apis(cluster, symbols),
                       parse_resources(cluster, symbols)};
  std::string_view name = cluster["metadata"]["name"].as_string();
  auto place = state.place_of(name);
  if (!state.is_at(place, name)) {
    state.clusters.insert(place, std::move(parsed));
    state.structure_changed = true;
    return;
  }
  auto row = static_cast<Row>(place - state.clusters.begin());
  if (!(place->identity == parsed.identity)) state.identity_changed = true;
  if (!(place->apis == parsed.apis)) state.changed_apis.push_back(row);
  if (!(place->resources == parsed.resources)) state.changed_resources.push_back(row);
  *place = std::move(parsed);
}

void ClusterTableBuilder::remove(std::string_view name) {
  auto place = state_->place_of(name);
  if (!state_->is_at(place, name)) return;
  state_->clusters.erase(place);
  state_->structure_changed = true;
}

ClusterTablePtr ClusterTableBuilder::snapshot() {
  State& state = *state_;
  bool all = state.structure_changed || state.last == nullptr;
  if (!all && !state.identity_changed && state.changed_apis.empty() && state.changed_resources.empty()) {
    return state.last;
  }
  std::shared_ptr<const ClusterIdentity> identity = all ? nullptr : state.last->shared_identity();
  if (all || state.identity_changed) {
    auto columns = std::make_shared<ClusterIdentity>();
    build_identity(*columns, state.clusters, state.symbols.size());
    identity = std::move(columns);
  }
  if (all) {
    state.rebuild_apis();
    state.rebuild_resources();
  } else {
    for (Row row : state.changed_apis) write_apis(state.apis, row, state.clusters[row].apis);
    for (Row row : state.changed_resources) {
      write_resources(state.resources, row, state.clusters[row].resources, state.symbols);
    }
  }
  auto apis = all || !state.changed_apis.empty() ? std::make_shared<const ClusterApis>(state.apis)
                                                 : state.last->shared_apis();
  auto resources = all || !state.changed_resources.empty()
                       ? std::make_shared<const ClusterResources>(state.resources)
                       : state.last->shared_resources();
  auto symbols = state.last != nullptr && state.last->symbols().size() == state.symbols.size()
                     ? state.last->shared_symbols()
                     : std::make_shared<const Symbols>(state.symbols);
  state.structure_changed = state.identity_changed = false;
  state.changed_apis.clear();
  state.changed_resources.clear();
  state.last = std::make_shared<const ClusterTable>(++state.epoch, std::move(symbols), std::move(identity),
                                                    std::move(apis), std::move(resources));
  return state.last;
}

ClusterTablePtr make_cluster_table(std::span<const Json> clusters) {
  ClusterTableBuilder builder;
  for (const Json& cluster : clusters) builder.update(cluster);
  return builder.snapshot();
}

}  // namespace flotilla::scheduler
