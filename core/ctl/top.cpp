// SPDX-License-Identifier: Apache-2.0
// flotillactl top pods and top nodes: what is used, cluster by cluster.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "core/api/object.hpp"
#include "core/api/quantity.hpp"
#include "core/ctl/members.hpp"
#include "core/http/url.hpp"

namespace flotilla::ctl {
namespace {

using api::Json;

struct TopFlags {
  std::string name, selector;
  std::vector<std::string> clusters;
  bool all_namespaces = false, no_headers = false;
};

std::int64_t milli(const Json& quantity) {
  const auto read = api::Quantity::parse(quantity.as_string());
  return read ? read->milli_value() : 0;
}

struct Usage {
  std::int64_t cpu = 0;     // thousandths
  std::int64_t memory = 0;  // bytes
};

Usage usage_of(const Json& usage) {
  return {milli(usage["cpu"]), milli(usage["memory"]) / 1000};
}

std::string cores(std::int64_t cpu) {
  return fmt::format("{}m", cpu);
}
std::string bytes(std::int64_t memory) {
  return fmt::format("{}Mi", memory / (1024 * 1024));
}
std::string share(std::int64_t used, std::int64_t of) {
  return of > 0 ? fmt::format("{}%", 100 * used / of) : "<unknown>";
}

class Top {
 public:
  Top(const GlobalFlags& global, const TopFlags& flags, bool nodes)
      : global_(global), flags_(flags), nodes_(nodes) {}

  int run() {
    Result<std::unique_ptr<Session>> control_plane = open_session(global_);
    if (!control_plane) return print_error(control_plane.error());
    const auto clusters = pick_clusters(**control_plane, flags_.clusters);
    if (!clusters) return print_error(clusters.error());
    int worst = 0;
    for (const std::string& cluster : *clusters) {
      const std::unique_ptr<Session> member = session_through_proxy(**control_plane, cluster);
      const Status read = nodes_ ? read_nodes(*member, cluster) : read_pods(*member, cluster);
      if (!read) worst = print_error(Error(read.error()).context("cluster " + cluster));
    }
    if (rows_.empty()) {
      if (worst == 0) fmt::print(stderr, "No resources found\n");
      return worst;
    }
    std::vector<std::string> header = {"NAME", "CLUSTER", "CPU(cores)", "MEMORY(bytes)"};
    if (nodes_) header = {"NAME", "CLUSTER", "CPU(cores)", "CPU%", "MEMORY(bytes)", "MEMORY%"};
    if (flags_.all_namespaces && !nodes_) header.insert(header.begin(), "NAMESPACE");
    print_table(header, rows_, !flags_.no_headers);
    return worst;
  }

 private:
  Result<std::vector<Json>> read(Session& member, const std::string& path) const {
    std::vector<Json> found;
    if (!flags_.name.empty()) {
      Result<Json> one = member.get(path + "/" + http::percent_encode(flags_.name));
      if (!one && one.error().is(Code::NotFound)) return found;  // it is in another cluster
      if (!one) return one.error();
      found.push_back(std::move(*one));
      return found;
    }
    http::Query query;
    if (!flags_.selector.empty()) query.add("labelSelector", flags_.selector);
    const std::string text = query.text();
    const Result<Json> list = member.get(path + (text.empty() ? text : "?" + text));
    if (!list) return list.error();
    for (const Json& item : (*list)["items"].elements()) found.push_back(item);
    return found;
  }

  Status read_pods(Session& member, const std::string& cluster) {
    const std::string ns =
        flags_.all_namespaces ? "" : "/namespaces/" + http::percent_encode(namespace_of(global_, member));
    const auto pods = read(member, "/apis/metrics.k8s.io/v1beta1" + ns + "/pods");
    if (!pods) return pods.error();
    for (const Json& pod : *pods) {
      Usage sum;
      for (const Json& container : pod["containers"].elements()) {
        const Usage one = usage_of(container["usage"]);
        sum.cpu += one.cpu;
        sum.memory += one.memory;
      }
      std::vector<std::string> row = {std::string(api::name_of(pod)), cluster, cores(sum.cpu),
                                      bytes(sum.memory)};
      if (flags_.all_namespaces) row.insert(row.begin(), std::string(api::namespace_of(pod)));
      rows_.push_back(std::move(row));
    }
    return {};
  }

  Status read_nodes(Session& member, const std::string& cluster) {
    const auto used = read(member, "/apis/metrics.k8s.io/v1beta1/nodes");
    if (!used) return used.error();
    const Result<Json> nodes = member.get("/api/v1/nodes");
    if (!nodes) return nodes.error();
    for (const Json& node : *used) {
      const Usage usage = usage_of(node["usage"]);
      Usage room;
      for (const Json& one : (*nodes)["items"].elements()) {
        if (api::name_of(one) == api::name_of(node)) room = usage_of(one["status"]["allocatable"]);
      }
      rows_.push_back({std::string(api::name_of(node)), cluster, cores(usage.cpu), share(usage.cpu, room.cpu),
                       bytes(usage.memory), share(usage.memory, room.memory)});
    }
    return {};
  }

  const GlobalFlags& global_;
  const TopFlags& flags_;
  const bool nodes_;
  std::vector<std::vector<std::string>> rows_;
};

void add_one(CLI::App* top, Invocation& invocation, const char* name, const char* alias, bool nodes) {
  CLI::App* command = top->add_subcommand(name, nodes ? "Of nodes" : "Of pods");
  command->alias(alias);
  auto flags = std::make_shared<TopFlags>();
  command->add_option("NAME", flags->name, "One of them");
  command->add_option("-C,--clusters", flags->clusters, "In these members; else in all")->delimiter(',');
  command->add_option("-l,--selector", flags->selector, "Label selector");
  if (!nodes) command->add_flag("-A,--all-namespaces", flags->all_namespaces, "In all namespaces");
  command->add_flag("--no-headers", flags->no_headers, "Rows alone");
  command->callback([&invocation, flags, nodes] {
    invocation.run = [&invocation, flags, nodes] { return Top(invocation.flags, *flags, nodes).run(); };
  });
}

}  // namespace

void add_top(CLI::App& app, Invocation& invocation) {
  CLI::App* top = app.add_subcommand("top", "What pods and nodes of members use");
  top->require_subcommand(1);
  add_one(top, invocation, "pods", "pod", false);
  add_one(top, invocation, "nodes", "node", true);
}

}  // namespace flotilla::ctl
