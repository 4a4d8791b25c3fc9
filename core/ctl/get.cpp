// SPDX-License-Identifier: Apache-2.0
// flotillactl get TYPE[/NAME] [NAME...]: tables from the server, or objects.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "core/api/object.hpp"
#include "core/config/yaml.hpp"
#include "core/ctl/command.hpp"
#include "core/ctl/resources.hpp"
#include "core/http/url.hpp"

namespace flotilla::ctl {
namespace {

using api::Json;

constexpr std::string_view kTable = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

struct GetFlags {
  std::vector<std::string> words;
  std::string output, selector, field_selector;
  bool all_namespaces = false;
  bool no_headers = false;
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

std::string text_of(const Json& cell) {
  if (cell.is_null()) return "<none>";
  return cell.is_string() ? std::string(cell.as_string()) : cell.dump();
}

void print_server_table(const Json& table, bool wide, bool with_namespace, bool headers) {
  std::vector<std::size_t> shown;
  std::vector<std::string> header;
  if (with_namespace) header.emplace_back("NAMESPACE");
  std::size_t index = 0;
  for (const Json& column : table["columnDefinitions"].elements()) {
    if (wide || column["priority"].as_int() == 0) {
      shown.push_back(index);
      std::string name(column["name"].as_string());
      std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::toupper(c); });
      header.push_back(std::move(name));
    }
    ++index;
  }
  std::vector<std::vector<std::string>> rows;
  for (const Json& row : table["rows"].elements()) {
    std::vector<std::string> cells;
    if (with_namespace) cells.emplace_back(row["object"]["metadata"]["namespace"].as_string());
    for (const std::size_t at : shown) cells.push_back(text_of(row["cells"].element(at)));
    rows.push_back(std::move(cells));
  }
  print_table(header, rows, headers);
}

// Tables of single objects become one.
void append_rows(Json& table, const Json& more) {
  if (table.is_null()) {
    table = more;
    return;
  }
  for (const Json& row : more["rows"].elements()) table["rows"].push_back(row);
}

class Get {
 public:
  Get(const GlobalFlags& global, const GetFlags& flags) : global_(global), flags_(flags) {}

  int run() {
    Result<std::unique_ptr<Session>> session = open_session(global_);
    if (!session) return print_error(session.error());
    const Result<Resources> resources = Resources::discover(**session);
    if (!resources) return print_error(resources.error());
    const Result<std::vector<Wanted>> wanted = resolve(*resources, flags_.words);
    if (!wanted) return print_error(wanted.error());
    int worst = 0;
    for (std::size_t i = 0; i < wanted->size(); ++i) {
      if (i > 0 && is_table()) fmt::print("\n");
      worst = std::max(worst, show(**session, (*wanted)[i]));
    }
    return worst;
  }

 private:
  bool is_table() const { return flags_.output.empty() || flags_.output == "wide"; }

  int show(Session& session, const Wanted& wanted) const {
    const std::string ns = flags_.all_namespaces ? "" : namespace_of(global_, session);
    Json merged;
    int worst = 0;
    if (wanted.names.empty()) {
      Result<Json> list =
          session.get(wanted.resource.path(ns) + query(), is_table() ? kTable : "application/json");
      if (!list) return print_error(list.error());
      merged = std::move(*list);
    }
    std::vector<Json> objects;
    for (const std::string& name : wanted.names) {
      Result<Json> one =
          session.get(wanted.resource.path(ns, name), is_table() ? kTable : "application/json");
      if (!one) {
        worst = print_error(one.error());
      } else if (is_table()) {
        append_rows(merged, *one);
      } else {
        objects.push_back(std::move(*one));
      }
    }
    if (is_table()) {
      print_as_table(wanted.resource, ns, merged);
    } else {
      print_objects(wanted.resource, std::move(merged), std::move(objects));
    }
    return worst;
  }

  std::string query() const {
    http::Query query;
    if (!flags_.selector.empty()) query.add("labelSelector", flags_.selector);
    if (!flags_.field_selector.empty()) query.add("fieldSelector", flags_.field_selector);
    const std::string text = query.text();
    return text.empty() ? "" : "?" + text;
  }

  void print_as_table(const Resource& resource, const std::string& ns, const Json& table) const {
    if (table.is_null()) return;
    if (table["rows"].empty()) {
      if (resource.namespaced && !ns.empty()) {
        fmt::print(stderr, "No resources found in {} namespace.\n", ns);
      } else {
        fmt::print(stderr, "No resources found\n");
      }
      return;
    }
    print_server_table(table, flags_.output == "wide", flags_.all_namespaces && resource.namespaced,
                       !flags_.no_headers);
  }

  void print_objects(const Resource& resource, Json list, std::vector<Json> objects) const {
    for (const Json& item : std::as_const(list)["items"].elements()) objects.push_back(item);
    if (flags_.output == "name") {
      for (const Json& object : objects) fmt::print("{}/{}\n", resource.qualified(), api::name_of(object));
      return;
    }
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
  CLI::App* command = app.add_subcommand("get", "Show objects of the control plane");
  auto flags = std::make_shared<GetFlags>();
  command->add_option("TYPE", flags->words, "TYPE [NAME...], TYPE/NAME..., or TYPE,TYPE")->required();
  command->add_option("-o,--output", flags->output, "wide, json, yaml or name")
      ->check(CLI::IsMember({"wide", "json", "yaml", "name"}));
  command->add_option("-l,--selector", flags->selector, "Label selector");
  command->add_option("--field-selector", flags->field_selector, "Field selector");
  command->add_flag("-A,--all-namespaces", flags->all_namespaces, "In all namespaces");
  command->add_flag("--no-headers", flags->no_headers, "Rows alone");
  command->callback([&invocation, flags] {
    invocation.run = [&invocation, flags] { return Get(invocation.flags, *flags).run(); };
  });
}

}  // namespace flotilla::ctl
