// SPDX-License-Identifier: Apache-2.0
// flotillactl get TYPE[/NAME] [NAME...]: tables from the servers, or objects.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "core/api/object.hpp"
#include "core/config/yaml.hpp"
#include "core/ctl/members.hpp"
#include "core/ctl/resources.hpp"
#include "core/ctl/table_rows.hpp"
#include "core/http/url.hpp"

namespace flotilla::ctl {
namespace {

using api::Json;

struct GetFlags {
  std::vector<std::string> words;
  std::string output, selector, field_selector;
  bool all_namespaces = false;
  bool no_headers = false;
  // Beyond the control plane.
  std::string scope;  // karmada, members, all
  std::vector<std::string> clusters;
};

// Where is looked: the control plane, or a member through its proxy.
struct Place {
  std::string cluster;  // empty: the control plane
  std::unique_ptr<Session> session;
};

// What is asked for: one collection, or some objects of it.
struct Wanted {
  Resource resource;
  std::vector<std::string> names;
};

std::vector<std::string> split(std::string_view text, char at) {
  std::vector<std::string> parts;
  for (;;) {
    const std::size_t end = text.find(at);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

// "pods a b", "pod/a svc/b", "pp,cpp".
Result<std::vector<Wanted>> resolve(const Resources& resources, const std::vector<std::string>& words) {
  std::vector<Wanted> wanted;
  if (words.front().find('/') != std::string::npos) {
    for (const std::string& word : words) {
      const auto parts = split(word, '/');
      if (parts.size() != 2) return Error(Code::BadRequest, fmt::format("\"{}\" is not TYPE/NAME", word));
      Result<Resource> resource = resources.find(parts[0]);
      if (!resource) return resource.error();
      wanted.push_back({std::move(*resource), {parts[1]}});
    }
    return wanted;
  }
  for (const std::string& type : split(words.front(), ',')) {
    Result<Resource> resource = resources.find(type);
    if (!resource) return resource.error();
    wanted.push_back({std::move(*resource), {words.begin() + 1, words.end()}});
  }
  return wanted;
}

class Get {
 public:
  Get(const GlobalFlags& global, const GetFlags& flags) : global_(global), flags_(flags) {}

  int run() {
    Result<std::vector<Place>> places = find_places();
    if (!places) return print_error(places.error());
    const Result<std::unique_ptr<Session>> control_plane = open_session(global_);
    if (!control_plane) return print_error(control_plane.error());
    const Result<Resources> resources = Resources::discover(**control_plane);
    if (!resources) return print_error(resources.error());
    Result<std::vector<Wanted>> wanted = resolve(*resources, flags_.words);
    if (!wanted && wanted.error().is(Code::NotFound) && !places->empty() && spans()) {
      // A kind that members alone serve.
      const Result<Resources> theirs = Resources::discover(*places->back().session);
      if (theirs) wanted = resolve(*theirs, flags_.words);
    }
    if (!wanted) return print_error(wanted.error());
    int worst = 0;
    for (std::size_t i = 0; i < wanted->size(); ++i) {
      if (i > 0 && is_table()) fmt::print("\n");
      worst = std::max(worst, show(*places, (*wanted)[i]));
    }
    return worst;
  }

 private:
  bool is_table() const { return flags_.output.empty() || flags_.output == "wide"; }
  bool spans() const { return !flags_.scope.empty() || !flags_.clusters.empty(); }

  Result<std::vector<Place>> find_places() const {
    Result<std::unique_ptr<Session>> control_plane = open_session(global_);
    if (!control_plane) return control_plane.error();
    std::vector<Place> places;
    const std::string scope = flags_.scope.empty() && !flags_.clusters.empty() ? "members" : flags_.scope;
    std::vector<std::string> members;
    if (scope == "members" || scope == "all") {
      Result<std::vector<std::string>> picked = pick_clusters(**control_plane, flags_.clusters);
      if (!picked) return picked.error();
      members = std::move(*picked);
    }
    for (const std::string& member : members)
      places.push_back({member, session_through_proxy(**control_plane, member)});
    if (scope != "members") places.insert(places.begin(), Place{"", std::move(*control_plane)});
    return places;
  }

  int show(const std::vector<Place>& places, const Wanted& wanted) const {
    ServerTables tables({flags_.output == "wide", flags_.all_namespaces && wanted.resource.namespaced,
                         !flags_.no_headers, spans()});
    int worst = 0;
    std::string ns;
    for (const Place& place : places) {
      ns = flags_.all_namespaces ? "" : namespace_of(global_, *place.session);
      worst = std::max(worst, show_of(place, wanted, ns, tables));
    }
    if (!is_table()) return worst;
    if (!tables.empty()) {
      tables.print();
    } else if (worst == 0) {
      const bool one = wanted.resource.namespaced && !ns.empty();
      fmt::print(stderr, "No resources found{}\n", one ? fmt::format(" in {} namespace.", ns) : "");
    }
    return worst;
  }

  int failed(const Place& place, const Error& error) const {
    return print_error(place.cluster.empty() ? error : Error(error).context("cluster " + place.cluster));
  }

  int show_of(const Place& place, const Wanted& wanted, const std::string& ns, ServerTables& tables) const {
    Session& session = *place.session;
    const std::string_view media = is_table() ? kTableMedia : "application/json";
    Json list;
    std::vector<Json> objects;
    int worst = 0;
    if (wanted.names.empty()) {
      Result<Json> found = session.get(wanted.resource.path(ns) + query(), media);
      if (!found) return failed(place, found.error());
      list = std::move(*found);
      if (is_table()) tables.add(list, place.cluster);
    }
    for (const std::string& name : wanted.names) {
      Result<Json> one = session.get(wanted.resource.path(ns, name), media);
      if (!one) {
        worst = failed(place, one.error());
      } else if (is_table()) {
        tables.add(*one, place.cluster);
      } else {
        objects.push_back(std::move(*one));
      }
    }
    if (!is_table()) print_objects(wanted.resource, std::move(list), std::move(objects));
    return worst;
  }

  std::string query() const {
    http::Query query;
    if (!flags_.selector.empty()) query.add("labelSelector", flags_.selector);
    if (!flags_.field_selector.empty()) query.add("fieldSelector", flags_.field_selector);
    const std::string text = query.text();
    return text.empty() ? "" : "?" + text;
  }

  void print_objects(const Resource& resource, Json list, std::vector<Json> objects) const {
    for (const Json& item : std::as_const(list)["items"].elements()) objects.push_back(item);
    if (flags_.output == "name") {
      for (const Json& object : objects) fmt::print("{}/{}\n", resource.qualified(), api::name_of(object));
      return;
    }
    if (list.is_null() && objects.empty()) return;
    Json printed;
    if (list.is_null() && objects.size() == 1) {
      printed = std::move(objects.front());
    } else {
      Json items = Json::array();
      for (Json& object : objects) {
        const api::Gvk gvk{resource.group, resource.version, resource.kind};
        if (!object.contains("kind")) object.set("kind", resource.kind);
        if (!object.contains("apiVersion")) object.set("apiVersion", gvk.api_version());
        items.push_back(std::move(object));
      }
      printed = Json::object({{"apiVersion", "v1"}, {"kind", "List"}, {"items", std::move(items)}});
    }
    fmt::print("{}", flags_.output == "json" ? printed.dump_pretty() + "\n" : config::to_yaml(printed));
  }

  const GlobalFlags& global_;
  const GetFlags& flags_;
};

}  // namespace

void add_get(CLI::App& app, Invocation& invocation) {
  CLI::App* command = app.add_subcommand("get", "Show objects of the control plane and of members");
  auto flags = std::make_shared<GetFlags>();
  command->add_option("TYPE", flags->words, "TYPE [NAME...], TYPE/NAME..., or TYPE,TYPE")->required();
  command->add_option("-o,--output", flags->output, "wide, json, yaml or name")
      ->check(CLI::IsMember({"wide", "json", "yaml", "name"}));
  command->add_option("-l,--selector", flags->selector, "Label selector");
  command->add_option("--field-selector", flags->field_selector, "Field selector");
  command->add_flag("-A,--all-namespaces", flags->all_namespaces, "In all namespaces");
  command->add_option("-s,--operation-scope", flags->scope, "karmada (the control plane), members or all")
      ->check(CLI::IsMember({"karmada", "members", "all"}));
  command->add_option("-C,--clusters", flags->clusters, "Of these members alone")->delimiter(',');
  command->add_flag("--no-headers", flags->no_headers, "Rows alone");
  command->callback([&invocation, flags] {
    invocation.run = [&invocation, flags] { return Get(invocation.flags, *flags).run(); };
  });
}

}  // namespace flotilla::ctl
