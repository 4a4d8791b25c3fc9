// SPDX-License-Identifier: Apache-2.0
// What containers ask for and what they may do: resources, references to them, security contexts.
#include <algorithm>
#include <array>

#include "core/api/quantity.hpp"
#include "core/api/resource_list.hpp"
#include "core/api/validation/containers.hpp"

namespace flotilla::api::validation {
namespace {

constexpr std::int64_t kMaxId = 2147483647;

bool contains(std::initializer_list<std::string_view> all, std::string_view one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

bool is_huge(std::string_view name) {
  return name.starts_with("hugepages-");
}

// Counted in whole pieces.
bool is_countable(std::string_view name) {
  return contains({"pods", "services", "replicationcontrollers", "resourcequotas", "secrets", "configmaps",
                   "persistentvolumeclaims", "services.nodeports", "services.loadbalancers"},
                  name);
}

bool container_resource(std::string_view name) {
  return is_huge(name) || contains({"cpu", "memory", "ephemeral-storage"}, name);
}

bool is_native(std::string_view name) {
  return name.find('/') == name.npos || name.find("kubernetes.io/") != name.npos;
}

bool is_extended(std::string_view name) {
  return !is_native(name) && !name.starts_with("requests.") &&
         check_qualified_name("requests." + std::string(name)).empty();
}

void validate_container_resource_name(FieldErrors& errors, std::string_view name, const std::string& path) {
  validate_resource_name(errors, name, path);
  if (name.find('/') == name.npos) {
    if (!container_resource(name)) errors.invalid(path, name, "must be a standard resource for containers");
  } else if (!is_native(name) && !is_extended(name)) {
    errors.invalid(path, name, "doesn't follow extended resource name standard");
  }
}

// hugepages-2Mi comes in pieces of 2Mi.
void validate_pages(FieldErrors& errors, std::string_view name, const Json& value, const std::string& path) {
  auto amount = Quantity::from_json(value), page = Quantity::parse(name.substr(name.find('-') + 1));
  if (!amount || (page.ok() && page->value() > 0 && amount->value() % page->value() == 0)) return;
  const std::string text = amount->to_string();
  errors.invalid(path, text, text + " is not positive integer multiple of " + std::string(name));
}

void validate_request(const FieldView& resources, std::string_view name, const Json& value) {
  const FieldView requests = resources["requests"], limits = resources["limits"];
  const Json* bound = limits.value().find(name);
  FieldErrors& errors = resources.errors();
  auto request = Quantity::from_json(value);
  if (!request) return;
  if (!bound) {
    if (!may_overcommit(name))
      errors.required(limits.path(), "Limit must be set for non overcommitable resources");
    return;
  }
  auto limit = Quantity::from_json(*bound);
  if (!limit) return;
  if (!may_overcommit(name) && !(*request == *limit)) {
    errors.invalid(requests.path(), value, "must be equal to " + std::string(name) + " limit");
  } else if (*request > *limit) {
    errors.invalid(requests.path(), value, "must be less than or equal to " + std::string(name) + " limit");
  }
}

void validate_id(const FieldView& id) {
  if (!id.value().is_null() && (id.number() < 0 || id.number() > kMaxId))
    id.invalid("must be between 0 and 2147483647, inclusive");
}

void validate_seccomp(const FieldView& profile) {
  if (!profile.value().is_object()) return;
  const FieldView type = profile["type"], local = profile["localhostProfile"];
  if (!type.given()) {
    type.errors().required(type.path(), "type is required when seccompProfile is set");
  } else {
    type.one_of({"Localhost", "RuntimeDefault", "Unconfined"});
  }
  if (type.text() == "Localhost") {
    if (local.value().is_null()) {
      local.errors().required(local.path(), "must be set when seccomp type is Localhost");
    } else {
      validate_local_path(local, false);
    }
  } else if (!local.value().is_null()) {
    local.errors().invalid(local.path(), profile.value(), "can only be set when seccomp type is Localhost");
  }
}

// [DOMAIN\\]USER: what is wrong with it, in order.
void validate_windows_user(const FieldView& user) {
  const std::string_view text = user.text();
  const auto bad = [&](std::string_view why) { user.invalid("runAsUserName" + std::string(why)); };
  if (text.empty()) return bad(" cannot be an empty string");
  if (std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }))
    return bad(" cannot contain control characters");
  if (std::count(text.begin(), text.end(), '\\') > 1) return bad(" cannot contain more than one backslash");
  const std::size_t slash = text.find('\\');
  const bool has_domain = slash != text.npos;
  const std::string_view domain = has_domain ? text.substr(0, slash) : std::string_view();
  const std::string_view name = has_domain ? text.substr(slash + 1) : text;
  if (domain.size() >= 256) bad("'s Domain length must be under 256 characters");
  const bool netbios = !domain.empty() && domain.size() <= 15 && domain.front() != '.' &&
                       domain.find_first_of("\\/:*?\"<>|") == domain.npos;
  std::string lower(domain);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  if (has_domain && !netbios && !check_dns_subdomain(lower).empty())
    bad("'s Domain doesn't match the NetBios nor the DNS format");
  if (name.empty()) bad("'s User cannot be empty");
  if (name.size() > 104) bad("'s User length must not be longer than 104 characters");
  if (!name.empty() && name.find_first_not_of(". ") == name.npos)
    bad("'s User cannot contain only periods or spaces");
  if (name.find_first_of("\"/\\:;|=,+*?<>@[]") != name.npos)
    bad("'s User cannot contain the following characters: \"/\\:;|=,+*?<>@[]");
}

void validate_windows(const FieldView& options) {
  constexpr std::size_t kMostKiB = 64;
  if (!options.value().is_object()) return;
  const FieldView user = options["runAsUserName"], spec = options["gmsaCredentialSpec"];
  const FieldView name = options["gmsaCredentialSpecName"];
  if (!name.value().is_null()) name.dns_subdomain();
  if (!spec.value().is_null() && !spec.given()) spec.invalid("gmsaCredentialSpec cannot be an empty string");
  if (spec.text().size() > kMostKiB * 1024) spec.invalid("gmsaCredentialSpec size must be under 64 KiB");
  if (!user.value().is_null()) validate_windows_user(user);
}

bool sysctl_name(std::string_view name) {
  if (name.empty() || name.size() > 253) return false;
  bool start = true;
  for (const char c : name) {
    const bool alnum = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (start && !alnum) return false;
    start = c == '.' || c == '/';
    if (!alnum && !start && c != '-' && c != '_') return false;
  }
  return !start && name.back() != '-' && name.back() != '_';
}

void validate_sysctls(const FieldView& list) {
  std::set<std::string> names;
  for (const FieldView& one : list.each()) {
    const FieldView name = one["name"];
    if (!name.given()) {
      name.require();
    } else if (!sysctl_name(name.text())) {
      name.invalid(
          "must have at most 253 characters and match regex "
          "^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$");
    } else if (!names.insert(std::string(name.text())).second) {
      name.errors().duplicate(name.path(), name.value());
    }
  }
}

}  // namespace

void validate_resource_name(FieldErrors& errors, std::string_view name, const std::string& path) {
  const auto found = check_qualified_name(name);
  for (const std::string& message : found) errors.invalid(path, name, message);
  if (found.empty() && name.find('/') == name.npos && !is_standard_resource(name))
    errors.invalid(path, name, "must be a standard resource type or fully qualified");
}

void validate_limit_name(FieldErrors& errors, std::string_view name, const std::string& path,
                         bool of_containers) {
  if (of_containers) return validate_container_resource_name(errors, name, path);
  validate_resource_name(errors, name, path);
}

bool may_overcommit(std::string_view name) {
  return is_native(name) && !is_huge(name);
}

void validate_resource_amount(FieldErrors& errors, std::string_view name, const Json& value,
                              const std::string& path) {
  auto quantity = Quantity::from_json(value);
  if (!quantity) return;
  if (quantity->sign() < 0) errors.invalid(path, value, "must be greater than or equal to 0");
  if ((is_extended(name) || is_countable(name)) && quantity->milli_value() % 1000 != 0)
    errors.add_literal("FieldValueInvalid", path,
                       "Invalid value: " + go_quantity(value) + ": must be an integer");
}

void validate_container_resources(const FieldView& resources) {
  bool huge = false, cpu_or_memory = false;
  for (const std::string_view which : {"limits", "requests"}) {
    const FieldView list = resources[which];
    for (const auto& [name, value] : list.value().members()) {
      const std::string path = at_key(list.path(), name);
      huge = huge || is_huge(name);
      cpu_or_memory = cpu_or_memory || name == "cpu" || name == "memory";
      validate_container_resource_name(list.errors(), name, path);
      validate_resource_amount(list.errors(), name, value, path);
      if (which == "requests") validate_request(resources, name, value);
      if (is_huge(name)) validate_pages(list.errors(), name, value, path);
    }
  }
  if (huge && !cpu_or_memory) resources.forbid("HugePages require cpu or memory");
}

void validate_resource_field_ref(const FieldView& ref, bool in_volume) {
  const FieldView resource = ref["resource"], divisor = ref["divisor"];
  const std::string_view name = resource.text();
  if (in_volume && !ref["containerName"].given()) {
    ref["containerName"].require();
  } else if (!resource.given()) {
    resource.require();
  } else if (!name.starts_with("limits.hugepages-") && !name.starts_with("requests.hugepages-")) {
    resource.one_of({"limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu",
                     "requests.ephemeral-storage", "requests.memory"});
  }
  auto quantity = Quantity::from_json(divisor.value());
  if (!quantity || quantity->is_zero()) return;
  const std::string text = quantity->to_string();
  const bool cpu = name.ends_with(".cpu"), memory = name.ends_with(".memory"),
             storage = name.ends_with(".ephemeral-storage"), huge = name.find(".hugepages-") != name.npos;
  const bool whole =
      contains({"1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"}, text);
  constexpr std::string_view kWhole =
      "only divisor's values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei are supported with the ";
  if (cpu && text != "1" && text != "1m") {
    ref.errors().invalid(divisor.path(), name,
                         "only divisor's values 1m and 1 are supported with the cpu resource");
  } else if ((memory || storage || huge) && !whole) {
    const char* what = memory ? "memory" : huge ? "hugepages" : "local ephemeral storage";
    ref.errors().invalid(divisor.path(), name, std::string(kWhole) + what + " resource");
  }
}

void validate_container_security(const FieldView& context) {
  if (!context.value().is_object()) return;
  validate_id(context["runAsUser"]);
  validate_id(context["runAsGroup"]);
  if (context["procMount"].given()) context["procMount"].one_of({"Default", "Unmasked"});
  validate_seccomp(context["seccompProfile"]);
  const FieldView escalation = context["allowPrivilegeEscalation"];
  if (escalation.value().is_bool() && !escalation.value().as_bool()) {
    if (context["privileged"].value().as_bool())
      context.invalid("cannot set `allowPrivilegeEscalation` to false and `privileged` to true");
    for (const FieldView& one : context["capabilities"]["add"].each()) {
      if (one.text() == "CAP_SYS_ADMIN") {
        context.invalid(
            "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN");
      }
    }
  }
  validate_windows(context["windowsOptions"]);
}

void validate_pod_security(const FieldView& spec) {
  if (spec["hostNetwork"].value().as_bool()) {
    for (const FieldView& container : spec["containers"].each()) {
      for (const FieldView& port : container["ports"].each()) {
        if (port["hostPort"].number() != port["containerPort"].number())
          port["containerPort"].invalid("must match `hostPort` when `hostNetwork` is true");
      }
    }
  }
  const FieldView context = spec["securityContext"];
  for (const std::string_view name : {"fsGroup", "runAsUser", "runAsGroup"}) validate_id(context[name]);
  for (const FieldView& one : context["supplementalGroups"].each()) validate_id(one);
  if (spec["shareProcessNamespace"].value().as_bool() && spec["hostPID"].value().as_bool()) {
    spec.errors().invalid(at_field(context.path(), "shareProcessNamespace"), true,
                          "ShareProcessNamespace and HostPID cannot both be enabled");
  }
  validate_sysctls(context["sysctls"]);
  const FieldView change = context["fsGroupChangePolicy"];
  if (!change.value().is_null()) change.one_of({"Always", "OnRootMismatch"});
  validate_seccomp(context["seccompProfile"]);
  validate_windows(context["windowsOptions"]);
}

}  // namespace flotilla::api::validation
