// SPDX-License-Identifier: Apache-2.0
#include "core/ctl/kubeconfig.hpp"

#include <fmt/format.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "core/base/base64.hpp"
#include "core/config/yaml.hpp"

namespace flotilla::ctl {
namespace {

using api::Json;

const Json& named(const Json& list, std::string_view name, std::string_view member) {
  for (const Json& entry : list.elements()) {
    if (entry["name"].as_string() == name) return entry[member];
  }
  static const Json kNone;
  return kNone;
}

void put_named(Json& list, const std::string& name, std::string_view member, Json value) {
  for (Json& entry : list.elements()) {
    if (std::as_const(entry)["name"].as_string() == name) return entry.set(member, std::move(value));
  }
  list.push_back(Json::object({{"name", name}, {member, std::move(value)}}));
}

void remove_named(Json& list, std::string_view name) {
  std::size_t index = 0;
  for (const Json& entry : list.elements()) {
    if (entry["name"].as_string() == name) return list.erase_at(index);
    ++index;
  }
}

std::string quoted_for_shell(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

// Runs the command with stdout read, stderr left to the user.
Result<std::string> run(const std::string& command) {
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return Error(Code::Invalid, "cannot run " + command);
  std::string out;
  std::array<char, 4096> buffer;
  for (std::size_t n = 0; (n = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
    out.append(buffer.data(), n);
  const int status = pclose(pipe);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    return Error(Code::Invalid, "the command failed: " + command);
  return out;
}

// client.authentication.k8s.io: the plugin prints an ExecCredential.
Status read_exec(const Json& exec, Access& access) {
  std::string command =
      fmt::format("KUBERNETES_EXEC_INFO={} ",
                  quoted_for_shell(Json::object({{"apiVersion", exec["apiVersion"]},
                                                 {"kind", "ExecCredential"},
                                                 {"spec", Json::object({{"interactive", false}})}})
                                       .dump()));
  for (const Json& variable : exec["env"].elements()) {
    command +=
        fmt::format("{}={} ", variable["name"].as_string(), quoted_for_shell(variable["value"].as_string()));
  }
  command += quoted_for_shell(exec["command"].as_string());
  for (const Json& argument : exec["args"].elements())
    command += " " + quoted_for_shell(argument.as_string());
  const Result<std::string> printed = run(command);
  if (!printed) return printed.error();
  const Result<Json> credential = Json::parse(*printed);
  if (!credential)
    return Error(Code::Invalid, "exec plugin printed no JSON: " + credential.error().message());
  const Json& status = (*credential)["status"];
  access.bearer_token = status["token"].as_string();
  access.client_certificate_pem = status["clientCertificateData"].as_string();
  access.client_key_pem = status["clientKeyData"].as_string();
  return {};
}

}  // namespace

Kubeconfig::Kubeconfig()
    : document_(Json::object({{"apiVersion", "v1"},
                              {"kind", "Config"},
                              {"preferences", Json::object()},
                              {"clusters", Json::array()},
                              {"contexts", Json::array()},
                              {"users", Json::array()},
                              {"current-context", ""}})) {}

Result<Kubeconfig> Kubeconfig::read(const std::string& path) {
  const Result<std::string> text = read_file(path);
  if (!text) return Error(text.error().code(), "kubeconfig " + text.error().message());
  return parse(*text, path);
}

Result<Kubeconfig> Kubeconfig::parse(std::string_view text, const std::string& path) {
  const Result<Json> document = config::parse_yaml(text);
  if (!document)
    return Error(Code::Invalid, fmt::format("kubeconfig {}: {}", path, document.error().message()));
  Kubeconfig read;
  read.path_ = path;
  if (document->is_null()) return read;
  if (!document->is_object() ||
      ((*document)["kind"].is_string() && (*document)["kind"].as_string() != "Config")) {
    return Error(Code::Invalid, fmt::format("{} is no kubeconfig: kind is not Config", path));
  }
  for (const auto& [key, value] : document->members()) {
    if (!value.is_null()) read.document_.set(key, value);
  }
  return read;
}

Result<Kubeconfig> Kubeconfig::find(const std::string& flag) {
  if (!flag.empty()) return read(flag);
  const char* list = std::getenv("KUBECONFIG");
  if (list == nullptr || *list == '\0') {
    const char* home = std::getenv("HOME");
    return read(std::string(home == nullptr ? "" : home) + "/.kube/config");
  }
  Kubeconfig merged;
  bool any = false;
  std::string_view rest = list;
  while (!rest.empty()) {
    const std::size_t colon = rest.find(':');
    const std::string path(rest.substr(0, colon));
    rest = colon == std::string_view::npos ? std::string_view() : rest.substr(colon + 1);
    if (path.empty() || !std::filesystem::exists(path)) continue;
    const Result<Kubeconfig> one = read(path);
    if (!one) return one;
    merged.merge(*one);
    if (!any) merged.path_ = path;
    any = true;
  }
  if (!any) return Error(Code::NotFound, fmt::format("no file of KUBECONFIG={} exists", list));
  return merged;
}

void Kubeconfig::merge(const Kubeconfig& other) {
  for (const char* section : {"clusters", "contexts", "users"}) {
    for (const Json& entry : other.document_[section].elements()) {
      bool known = false;
      for (const Json& own : std::as_const(document_)[section].elements())
        known |= own["name"] == entry["name"];
      if (!known) document_[section].push_back(entry);
    }
  }
  if (current_context().empty()) set_current_context(other.current_context());
}

std::vector<std::string> Kubeconfig::contexts() const {
  std::vector<std::string> names;
  for (const Json& context : document_["contexts"].elements())
    names.emplace_back(context["name"].as_string());
  return names;
}

std::string Kubeconfig::current_context() const {
  return std::string(document_["current-context"].as_string());
}

std::string Kubeconfig::cluster_of(std::string_view context) const {
  return std::string(named(document_["contexts"], context, "context")["cluster"].as_string());
}

Result<Access> Kubeconfig::access(std::string_view context) const {
  const std::string name(context.empty() ? current_context() : context);
  const auto refuse = [&](std::string what) {
    return Error(Code::Invalid, fmt::format("kubeconfig {}: {}", path_, what));
  };
  if (name.empty()) return refuse("no current-context; name one with --context");
  const Json& chosen = named(document_["contexts"], name, "context");
  if (!chosen.is_object()) {
    return refuse(fmt::format("no context \"{}\"; there are: {}", name, fmt::join(contexts(), ", ")));
  }
  const Json& cluster = named(document_["clusters"], chosen["cluster"].as_string(), "cluster");
  if (!cluster.is_object()) {
    return refuse(fmt::format("context \"{}\": no cluster \"{}\"", name, chosen["cluster"].as_string()));
  }
  const Json& user = named(document_["users"], chosen["user"].as_string(), "user");
  if (cluster["server"].as_string().empty()) {
    return refuse(fmt::format("cluster \"{}\": server is missing", chosen["cluster"].as_string()));
  }
  Access access;
  access.server = cluster["server"].as_string();
  access.server_name = cluster["tls-server-name"].as_string();
  access.proxy_url = cluster["proxy-url"].as_string();
  access.insecure_skip_verify = cluster["insecure-skip-tls-verify"].as_bool();
  access.bearer_token = user["token"].as_string();
  access.basic_user = user["username"].as_string();
  access.basic_password = user["password"].as_string();
  access.ns = chosen["namespace"].as_string();

  // Inline data wins over a file; files are relative to the kubeconfig.
  struct Part {
    const Json& from;
    const char* member;
    std::string& into;
  };
  const Part parts[] = {{cluster, "certificate-authority", access.ca_pem},
                        {user, "client-certificate", access.client_certificate_pem},
                        {user, "client-key", access.client_key_pem}};
  for (const Part& part : parts) {
    const std::string data = std::string(part.member) + "-data";
    if (const std::string_view encoded = part.from[data].as_string(); !encoded.empty()) {
      std::optional<std::string> decoded = base64_decode(encoded);
      if (!decoded) return refuse(fmt::format("{} of context \"{}\" is no base64", data, name));
      part.into = std::move(*decoded);
    } else if (const std::string_view file = part.from[part.member].as_string(); !file.empty()) {
      Result<std::string> text = read_file(std::filesystem::path(path_).parent_path() / file);
      if (!text) return refuse(fmt::format("{}: {}", part.member, text.error().message()));
      part.into = std::move(*text);
    }
  }
  if (const std::string_view file = user["tokenFile"].as_string(); !file.empty()) {
    Result<std::string> text = read_file(std::filesystem::path(path_).parent_path() / file);
    if (!text) return refuse("tokenFile: " + text.error().message());
    text->erase(text->find_last_not_of(" \n\r\t") + 1);
    access.bearer_token = std::move(*text);
  }
  if (user["exec"].is_object()) {
    if (Status status = read_exec(user["exec"], access); !status) {
      return refuse(fmt::format("user \"{}\": {}", chosen["user"].as_string(), status.error().message()));
    }
  }
  return access;
}

void Kubeconfig::put(const std::string& name, const Access& access) {
  Json cluster = Json::object({{"server", access.server}});
  if (!access.ca_pem.empty()) cluster.set("certificate-authority-data", base64_encode(access.ca_pem));
  if (access.insecure_skip_verify) cluster.set("insecure-skip-tls-verify", true);
  if (!access.server_name.empty()) cluster.set("tls-server-name", access.server_name);
  if (!access.proxy_url.empty()) cluster.set("proxy-url", access.proxy_url);
  Json user = Json::object();
  if (!access.client_certificate_pem.empty()) {
    user.set("client-certificate-data", base64_encode(access.client_certificate_pem));
    user.set("client-key-data", base64_encode(access.client_key_pem));
  }
  if (!access.bearer_token.empty()) user.set("token", access.bearer_token);
  Json context = Json::object({{"cluster", name}, {"user", name}});
  if (!access.ns.empty()) context.set("namespace", access.ns);
  put_named(document_["clusters"], name, "cluster", std::move(cluster));
  put_named(document_["users"], name, "user", std::move(user));
  put_named(document_["contexts"], name, "context", std::move(context));
  if (current_context().empty()) set_current_context(name);
}

void Kubeconfig::remove(const std::string& name) {
  for (const char* section : {"clusters", "users", "contexts"}) remove_named(document_[section], name);
  if (current_context() == name) set_current_context("");
}

void Kubeconfig::set_certificate(const std::string& certificate_pem, const std::string& key_pem) {
  const std::string name(
      named(std::as_const(document_)["contexts"], current_context(), "context")["user"].as_string());
  Json user = named(std::as_const(document_)["users"], name, "user");
  for (const char* member : {"client-certificate", "client-key"}) user.erase(member);
  user.set("client-certificate-data", base64_encode(certificate_pem));
  user.set("client-key-data", base64_encode(key_pem));
  put_named(document_["users"], name, "user", std::move(user));
}

void Kubeconfig::set_current_context(const std::string& name) {
  document_.set("current-context", name);
}

std::string Kubeconfig::text() const {
  return config::to_yaml(document_);
}

Status Kubeconfig::write(const std::string& path) const {
  return write_file(path, text(), 0600);
}

}  // namespace flotilla::ctl
