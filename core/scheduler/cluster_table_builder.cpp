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

struct PromisedRoom {
  std::int64_t replicas = 0;
  std::vector<std::pair<Sym, std::int64_t>> requests;  // of one replica, in the unit of the resource
};

struct ParsedCluster {
  ParsedIdentity identity;
  std::vector<ApiKey> apis;
  ParsedResources resources;
  std::vector<PromisedRoom> promised;
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

std::vector<std::uint32_t> taint_numbers(ClusterIdentity& columns, const ParsedIdentity& parsed) {
  std::vector<std::uint32_t> numbers;
  for (const Taint& taint : parsed.taints) {
    auto& known = columns.taint_dictionary;
    auto found = std::find(known.begin(), known.end(), taint);
    numbers.push_back(static_cast<std::uint32_t>(found - known.begin()));
    if (found == known.end()) known.push_back(taint);
  }
  return numbers;
}

void write_identity(ClusterIdentity& columns, Row row, const ParsedIdentity& parsed) {
  columns.providers[row] = parsed.provider;
  columns.regions[row] = parsed.region;
  columns.flags[row] = parsed.flags;
  columns.zones.replace(row, parsed.zones);
  columns.labels.replace(row, parsed.labels);
  columns.taints.replace(row, taint_numbers(columns, parsed));
  if ((parsed.flags & kDeleting) != 0) {
    columns.deleting.add(row);
  } else {
    columns.deleting.remove(row);
  }
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
    columns.taints.append(taint_numbers(columns, parsed));
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

NodeGrade shown_grade(const ParsedGrade& grade, const auto& plane) {
  NodeGrade node{grade.count, {}};
  for (auto [name, least] : grade.least) node.least.push_back({plane(name), least});
  return node;
}

// How many replicas one node takes.
std::int64_t fit_on(const NodeGrade& node, const PromisedRoom& promised, const auto& plane) {
  std::int64_t fit = node.pods;
  for (auto [name, request] : promised.requests) {
    if (request <= 0) continue;
    const std::uint32_t resource = plane(name);
    const auto has = std::find_if(node.least.begin(), node.least.end(),
                                  [&](const ResourceAmount& each) { return each.resource == resource; });
    fit = std::min(fit, has == node.least.end() ? 0 : std::max<std::int64_t>(has->amount, 0) / request);
  }
  return fit;
}

NodeGrade with_replicas(NodeGrade node, const PromisedRoom& promised, std::int64_t replicas,
                        const auto& plane) {
  node.pods -= replicas;
  for (auto [name, request] : promised.requests) {
    const std::uint32_t resource = plane(name);
    for (ResourceAmount& least : node.least) {
      if (least.resource == resource) least.amount -= request * replicas;
    }
  }
  return node;
}

// Puts promised replicas on the nodes of a model, first fit; what fits nowhere occupies nothing.
void occupy(std::vector<NodeGrade>& grades, const PromisedRoom& promised, const auto& plane) {
  std::int64_t left = promised.replicas;
  std::vector<NodeGrade> after;
  for (NodeGrade& grade : grades) {
    const std::int64_t fit = left > 0 && grade.count > 0 ? fit_on(grade, promised, plane) : 0;
    if (fit <= 0) {
      after.push_back(std::move(grade));
      continue;
    }
    const std::int64_t full = std::min(grade.count, left / fit);
    const std::int64_t rest = full < grade.count ? std::min(left - full * fit, fit) : 0;
    left -= full * fit + rest;
    const auto split = [&](std::int64_t count, std::int64_t replicas) {
      if (count <= 0) return;
      after.push_back(with_replicas(grade, promised, replicas, plane));
      after.back().count = count;
    };
    split(full, fit);
    split(rest > 0 ? 1 : 0, rest);
    split(grade.count - full - (rest > 0 ? 1 : 0), 0);
  }
  grades = std::move(after);
}

void write_promises(ClusterResources& columns, Row row, const ParsedCluster& cluster, const auto& plane) {
  const auto take = [&](std::uint32_t resource, std::int64_t amount) {
    ResourcePlane& each = columns.planes[resource];
    if (each.available[row] == kAbsent) return;
    each.allocating[row] += amount;
    each.available[row] -= amount;
  };
  for (const PromisedRoom& promised : cluster.promised) {
    if (columns.pods != kNoResource) take(columns.pods, promised.replicas);
    for (auto [name, request] : promised.requests) take(plane(name), request * promised.replicas);
  }
}

void write_resources(ClusterResources& columns, Row row, const ParsedCluster& cluster,
                     const Symbols& symbols) {
  const ParsedResources& parsed = cluster.resources;
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
  write_promises(columns, row, cluster, plane);
  columns.models[row] = nullptr;
  if (parsed.grades.empty()) return;
  auto grades = std::make_shared<std::vector<NodeGrade>>();
  for (const ParsedGrade& grade : parsed.grades) grades->push_back(shown_grade(grade, plane));
  for (const PromisedRoom& promised : cluster.promised) occupy(*grades, promised, plane);
  columns.models[row] = std::move(grades);
}

// More than before of something, or a model with other nodes.
bool has_more(const ParsedResources& before, const ParsedResources& after) {
  if (!(before.grades == after.grades)) return true;
  return std::any_of(after.resources.begin(), after.resources.end(), [&](const ParsedResource& now) {
    const auto then = std::find_if(before.resources.begin(), before.resources.end(),
                                   [&](const ParsedResource& each) { return each.name == now.name; });
    return then == before.resources.end() || now.available > then->available;
  });
}

bool has_more(const std::vector<ApiKey>& before, const std::vector<ApiKey>& after) {
  return std::any_of(after.begin(), after.end(), [&](const ApiKey& api) {
    return std::find(before.begin(), before.end(), api) == before.end();
  });
}

}  // namespace

struct ClusterTableBuilder::State {
  Symbols symbols;
  std::vector<ParsedCluster> clusters;  // by name
  bool structure_changed = true;        // a row came or went: every column moves
  std::vector<Row> changed_identity;
  std::vector<Row> changed_apis;
  std::vector<Row> changed_resources;
  std::shared_ptr<const void> lineage = std::make_shared<int>();
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
      write_resources(resources, row, clusters[row], symbols);
    }
  }
  std::shared_ptr<const ClusterIdentity> next_identity(bool all) const;
  std::shared_ptr<const BlockEpochs> next_blocks(bool all) const;
};

std::shared_ptr<const ClusterIdentity> ClusterTableBuilder::State::next_identity(bool all) const {
  if (!all && changed_identity.empty()) return last->shared_identity();
  // A dictionary that has outlived its taints is made anew.
  const bool anew = all || last->identity().taint_dictionary.size() > 2 * clusters.size() + 64;
  if (anew) {
    auto columns = std::make_shared<ClusterIdentity>();
    build_identity(*columns, clusters, symbols.size());
    return columns;
  }
  auto columns = std::make_shared<ClusterIdentity>(last->identity());
  for (Row row : changed_identity) write_identity(*columns, row, clusters[row].identity);
  return columns;
}

// Of the table with the next epoch.
std::shared_ptr<const BlockEpochs> ClusterTableBuilder::State::next_blocks(bool all) const {
  auto blocks = std::make_shared<BlockEpochs>();
  blocks->lineage = lineage;
  if (all) {
    blocks->epochs.assign(words_for(clusters.size()), epoch + 1);
    return blocks;
  }
  if (changed_identity.empty() && changed_apis.empty()) {
    blocks->epochs = last->blocks().epochs;
    return blocks;
  }
  blocks->epochs = last->blocks().epochs;
  for (const std::vector<Row>* rows : {&changed_identity, &changed_apis}) {
    for (Row row : *rows) blocks->epochs[row / 64] = epoch + 1;
  }
  return blocks;
}

ClusterTableBuilder::ClusterTableBuilder() : state_(std::make_unique<State>()) {}
ClusterTableBuilder::~ClusterTableBuilder() = default;
ClusterTableBuilder::ClusterTableBuilder(ClusterTableBuilder&&) noexcept = default;
ClusterTableBuilder& ClusterTableBuilder::operator=(ClusterTableBuilder&&) noexcept = default;

ClusterChange ClusterTableBuilder::update(const Json& cluster) {
  State& state = *state_;
  Symbols& symbols = state.symbols;
  ParsedCluster parsed{
      parse_identity(cluster, symbols), parse_apis(cluster, symbols), parse_resources(cluster, symbols), {}};
  std::string_view name = cluster["metadata"]["name"].as_string();
  auto place = state.place_of(name);
  if (!state.is_at(place, name)) {
    state.clusters.insert(place, std::move(parsed));
    state.structure_changed = true;
    return {true, true, true, true, true};
  }
  auto row = static_cast<Row>(place - state.clusters.begin());
  ClusterChange change;
  change.identity = !(place->identity == parsed.identity);
  change.more_apis = has_more(place->apis, parsed.apis);
  change.more_room = has_more(place->resources, parsed.resources);
  if (change.identity) state.changed_identity.push_back(row);
  if (!(place->apis == parsed.apis)) state.changed_apis.push_back(row);
  change.resources = !(place->resources == parsed.resources);
  if (change.resources) state.changed_resources.push_back(row);
  parsed.promised = std::move(place->promised);
  *place = std::move(parsed);
  return change;
}

void ClusterTableBuilder::remove(std::string_view name) {
  auto place = state_->place_of(name);
  if (!state_->is_at(place, name)) return;
  state_->clusters.erase(place);
  state_->structure_changed = true;
}

void ClusterTableBuilder::promise(std::string_view name, std::vector<Promise> promises) {
  auto place = state_->place_of(name);
  if (!state_->is_at(place, name)) return;
  place->promised.clear();
  for (const Promise& promise : promises) {
    PromisedRoom room{promise.replicas, {}};
    for (const Request& request : promise.requests) {
      room.requests.emplace_back(state_->symbols.intern(request.resource),
                                 in_units_of(request.resource, request.amount));
    }
    place->promised.push_back(std::move(room));
  }
  state_->changed_resources.push_back(static_cast<Row>(place - state_->clusters.begin()));
}

ClusterTablePtr ClusterTableBuilder::snapshot() {
  State& state = *state_;
  bool all = state.structure_changed || state.last == nullptr;
  if (!all && state.changed_identity.empty() && state.changed_apis.empty() &&
      state.changed_resources.empty()) {
    return state.last;
  }
  std::shared_ptr<const ClusterIdentity> identity = state.next_identity(all);
  if (all) {
    state.rebuild_apis();
    state.rebuild_resources();
  } else {
    for (Row row : state.changed_apis) write_apis(state.apis, row, state.clusters[row].apis);
    for (Row row : state.changed_resources) {
      write_resources(state.resources, row, state.clusters[row], state.symbols);
    }
  }
  auto apis = all || !state.changed_apis.empty() ? std::make_shared<const ClusterApis>(state.apis)
                                                 : state.last->shared_apis();
  auto resources = all || !state.changed_resources.empty()
                       ? std::make_shared<const ClusterResources>(state.resources)
                       : state.last->shared_resources();
  auto blocks = state.next_blocks(all);
  auto symbols = state.last != nullptr && state.last->symbols().size() == state.symbols.size()
                     ? state.last->shared_symbols()
                     : std::make_shared<const Symbols>(state.symbols);
  state.structure_changed = false;
  state.changed_identity.clear();
  state.changed_apis.clear();
  state.changed_resources.clear();
  state.last = std::make_shared<const ClusterTable>(++state.epoch, std::move(symbols), std::move(identity),
                                                    std::move(apis), std::move(resources), std::move(blocks));
  return state.last;
}

ClusterTablePtr make_cluster_table(std::span<const Json> clusters) {
  ClusterTableBuilder builder;
  for (const Json& cluster : clusters) builder.update(cluster);
  return builder.snapshot();
}

}  // namespace flotilla::scheduler
