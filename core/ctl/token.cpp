// SPDX-License-Identifier: Apache-2.0
// flotillactl token create, list, delete: bootstrap tokens with which clusters in pull mode register.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "core/api/agent_rights.hpp"
#include "core/api/object.hpp"
#include "core/base/base64.hpp"
#include "core/ctl/accounts.hpp"
#include "core/ctl/bootstrap.hpp"
#include "core/ctl/command.hpp"
#include "core/http/url.hpp"

namespace flotilla::ctl {
namespace {

using api::Json;

constexpr std::string_view kPrefix = "bootstrap-token-";

struct NewToken {
  std::string ttl = "24h";
  std::vector<std::string> usages = {"signing", "authentication"};
  std::vector<std::string> groups = {std::string(api::kAgentTokenGroup)};
  std::string description;
  bool print_register_command = false;
};

std::string secrets() {
  return in_namespace("kube-system", "secrets");
}

Result<Json> secret_of(const BootstrapToken& token, const NewToken& wanted, WallTime now) {
  const auto ttl = wanted.ttl == "0" ? Result<Duration>(Duration(0)) : parse_duration(wanted.ttl);
  if (!ttl || *ttl < Duration(0))
    return Error(Code::Invalid, "--ttl " + wanted.ttl + " is no time span like 24h");
  Json data = Json::object({{"token-id", token.id}, {"token-secret", token.secret}});
  for (const std::string& usage : wanted.usages) {
    if (usage != "signing" && usage != "authentication")
      return Error(Code::Invalid, "--usages: " + usage + " is neither signing nor authentication");
    data.set("usage-bootstrap-" + usage, "true");
  }
  std::string groups;
  for (const std::string& group : wanted.groups) {
    if (!group.starts_with("system:bootstrappers:"))
      return Error(Code::Invalid, "--groups: " + group + " does not begin with system:bootstrappers:");
    groups += (groups.empty() ? "" : ",") + group;
  }
  if (!groups.empty()) data.set("auth-extra-groups", groups);
  if (!wanted.description.empty()) data.set("description", wanted.description);
  if (*ttl > Duration(0)) data.set("expiration", format_time(now + *ttl));
  return Json::object(
      {{"apiVersion", "v1"},
       {"kind", "Secret"},
       {"metadata", Json::object({{"name", std::string(kPrefix) + token.id}, {"namespace", "kube-system"}})},
       {"type", "bootstrap.kubernetes.io/token"},
       {"stringData", std::move(data)}});
}

// What to type where the cluster is.
Result<std::string> register_command(const Access& access, const BootstrapToken& token) {
  const auto url = http::Url::parse(access.server);
  if (!url) return url.error();
  std::string command = fmt::format("flotillactl register {} --token {}", url->authority(), token.text());
  if (access.ca_pem.empty()) return command + " --discovery-token-unsafe-skip-ca-verification";
  const auto authority = http::parse_certificates(access.ca_pem);
  if (!authority) return authority.error();
  for (const http::Certificate& one : *authority)
    command += " --discovery-token-ca-cert-hash " + one.public_key_pin();
  return command;
}

int create(const GlobalFlags& flags, const NewToken& wanted) {
  Result<std::unique_ptr<Session>> session = open_session(flags);
  if (!session) return print_error(session.error());
  const BootstrapToken token = BootstrapToken::random();
  const SystemClock clock;
  const Result<Json> secret = secret_of(token, wanted, clock.now());
  if (!secret) return print_error(secret.error());
  if (const Result<Json> made = (*session)->post(secrets(), *secret); !made) return print_error(made.error());
  const Result<std::string> command = register_command((*session)->access(), token);
  if (!command) return print_error(command.error());
  fmt::print("{}\n", wanted.print_register_command ? *command : token.text());
  if (!wanted.print_register_command && !flags.quiet)
    print_hint(fmt::format("To register a cluster, where its kubeconfig is:\n    {}", *command));
  return 0;
}

std::vector<std::string> row_of(const Json& secret, WallTime now) {
  const auto value = [&](std::string_view key) {
    return base64_decode(secret["data"][key].as_string()).value_or("");
  };
  const auto or_none = [](std::string text) { return text.empty() ? std::string("<none>") : text; };
  std::string ttl = "<forever>", expires = "<never>", usages;
  if (const std::string until = value("expiration"); !until.empty()) {
    const auto end = parse_time(until);
    const Duration left = end ? *end - now : Duration(0);
    ttl = left <= Duration(0) ? "<invalid>" : format_duration(std::chrono::floor<std::chrono::seconds>(left));
    expires = until;
  }
  for (const char* usage : {"authentication", "signing"}) {
    if (value(std::string("usage-bootstrap-") + usage) == "true")
      usages += (usages.empty() ? "" : ",") + std::string(usage);
  }
  return {value("token-id") + "." + value("token-secret"),
          ttl,
          expires,
          or_none(usages),
          or_none(value("description")),
          or_none(value("auth-extra-groups"))};
}

int list(const GlobalFlags& flags) {
  Result<std::unique_ptr<Session>> session = open_session(flags);
  if (!session) return print_error(session.error());
  const Result<Json> found =
      (*session)->get(secrets() + "?fieldSelector=type%3Dbootstrap.kubernetes.io%2Ftoken");
  if (!found) return print_error(found.error());
  const SystemClock clock;
  std::vector<std::vector<std::string>> rows;
  for (const Json& secret : (*found)["items"].elements()) rows.push_back(row_of(secret, clock.now()));
  print_table({"TOKEN", "TTL", "EXPIRES", "USAGES", "DESCRIPTION", "EXTRA GROUPS"}, rows);
  return 0;
}

int remove(const GlobalFlags& flags, const std::vector<std::string>& tokens) {
  Result<std::unique_ptr<Session>> session = open_session(flags);
  if (!session) return print_error(session.error());
  for (const std::string& given : tokens) {
    const auto whole = BootstrapToken::parse(given);
    const std::string id = whole ? whole->id : given;
    const bool is_id = BootstrapToken::parse(id + ".0123456789abcdef").ok();
    if (!is_id) {
      return print_error(
          Error(Code::Invalid, "a token looks like abcdef.0123456789abcdef, its id like abcdef"));
    }
    const Result<Json> gone = (*session)->remove(secrets() + "/" + std::string(kPrefix) + id);
    if (!gone) return print_error(gone.error());
    fmt::print("bootstrap token \"{}\" deleted\n", id);
  }
  return 0;
}

}  // namespace

void add_token(CLI::App& app, Invocation& invocation) {
  CLI::App* token = app.add_subcommand("token", "Tokens with which clusters in pull mode register");
  token->require_subcommand(1);
  auto wanted = std::make_shared<NewToken>();
  CLI::App* creating = token->add_subcommand("create", "Make a token");
  creating->add_option("--ttl", wanted->ttl, "How long it is good, 24h; 0: for ever")->type_name("TIME");
  creating->add_option("--usages", wanted->usages, "signing, authentication")->delimiter(',');
  creating->add_option("--groups", wanted->groups, "Groups of who uses it")->delimiter(',');
  creating->add_option("--description", wanted->description, "What it is for");
  creating->add_flag("--print-register-command", wanted->print_register_command,
                     "Print what to type where the cluster is");
  creating->callback([&invocation, wanted] {
    invocation.run = [&invocation, wanted] { return create(invocation.flags, *wanted); };
  });
  token->add_subcommand("list", "Show the tokens")->callback([&invocation] {
    invocation.run = [&invocation] { return list(invocation.flags); };
  });
  auto tokens = std::make_shared<std::vector<std::string>>();
  CLI::App* deleting = token->add_subcommand("delete", "Delete tokens, by token or id");
  deleting->add_option("TOKEN", *tokens, "Tokens or their ids")->required();
  deleting->callback([&invocation, tokens] {
    invocation.run = [&invocation, tokens] { return remove(invocation.flags, *tokens); };
  });
}

}  // namespace flotilla::ctl
