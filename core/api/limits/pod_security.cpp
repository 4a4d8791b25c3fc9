// SPDX-License-Identifier: Apache-2.0
#include "core/api/limits/pod_security.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <map>
#include <set>

#include "core/api/validation/field_error.hpp"

namespace flotilla::api {
namespace {

using Names = std::vector<std::string>;

struct Pod {
  const Json& metadata;
  const Json& spec;
  int minor;  // of the standards' version
};

constexpr std::array<const char*, 3> kContainerLists = {"initContainers", "containers",
                                                        "ephemeralContainers"};

void each_container(const Json& spec, const std::function<void(const Json&)>& visit) {
  for (const char* list : kContainerLists) {
    for (const Json& container : spec[list].elements()) visit(container);
  }
}

// `container "a"`, `containers "a", "b"`.
std::string containers_text(const Names& names) {
  std::string text = names.size() == 1 ? "container " : "containers ";
  for (std::size_t i = 0; i < names.size(); ++i) text += (i == 0 ? "" : ", ") + go_quote(names[i]);
  return text;
}

std::string quoted_list(const std::set<std::string>& values) {
  std::string text;
  for (const std::string& value : values) text += (text.empty() ? "" : ", ") + go_quote(value);
  return text;
}

std::string plural(std::size_t count, const char* one, const char* many) {
  return count == 1 ? one : many;
}

Names containers_where(const Json& spec, const std::function<bool(const Json&)>& holds) {
  Names names;
  each_container(spec, [&](const Json& container) {
    if (holds(container)) names.emplace_back(container["name"].as_string());
  });
  return names;
}

// From 1.25 on what Windows does not have is not asked of its pods.
bool is_windows(const Pod& pod) {
  return pod.minor >= 25 && pod.spec["os"]["name"].as_string() == "windows";
}

std::string host_namespaces(const Pod& pod) {
  std::string set;
  for (const char* name : {"hostNetwork", "hostPID", "hostIPC"}) {
    if (pod.spec[name].as_bool()) set += (set.empty() ? "" : ", ") + std::string(name) + "=true";
  }
  return set.empty() ? set : "host namespaces (" + set + ")";
}

std::string privileged(const Pod& pod) {
  const Names bad =
      containers_where(pod.spec, [](const Json& c) { return c["securityContext"]["privileged"].as_bool(); });
  if (bad.empty()) return "";
  return "privileged (" + containers_text(bad) + " must not set securityContext.privileged=true)";
}

std::string capabilities_baseline(const Pod& pod) {
  static const std::set<std::string, std::less<>> kAllowed = {
      "AUDIT_WRITE",      "CHOWN",   "DAC_OVERRIDE", "FOWNER",  "FSETID", "KILL",      "MKNOD",
      "NET_BIND_SERVICE", "SETFCAP", "SETGID",       "SETPCAP", "SETUID", "SYS_CHROOT"};
  std::set<std::string> added;
  const Names bad = containers_where(pod.spec, [&](const Json& c) {
    bool any = false;
    for (const Json& capability : c["securityContext"]["capabilities"]["add"].elements()) {
      if (kAllowed.contains(capability.as_string())) continue;
      added.emplace(capability.as_string());
      any = true;
    }
    return any;
  });
  if (bad.empty()) return "";
  return "non-default capabilities (" + containers_text(bad) + " must not include " + quoted_list(added) +
         " in securityContext.capabilities.add)";
}

std::string host_path(const Pod& pod) {
  std::string bad;
  std::size_t count = 0;
  for (const Json& volume : pod.spec["volumes"].elements()) {
    if (!volume["hostPath"].is_object()) continue;
    bad += (count == 0 ? "" : ", ") + go_quote(volume["name"].as_string());
    ++count;
  }
  if (bad.empty()) return "";
  return "hostPath volumes (" + plural(count, "volume ", "volumes ") + bad + ")";
}

std::string host_ports(const Pod& pod) {
  std::set<std::int64_t> ports;
  const Names bad = containers_where(pod.spec, [&](const Json& c) {
    bool any = false;
    for (const Json& port : c["ports"].elements()) {
      if (port["hostPort"].as_int() == 0) continue;
      ports.insert(port["hostPort"].as_int());
      any = true;
    }
    return any;
  });
  if (bad.empty()) return "";
  std::string list;
  for (const std::int64_t port : ports) list += (list.empty() ? "" : ", ") + std::to_string(port);
  return "hostPort (" + containers_text(bad) + plural(bad.size(), " uses ", " use ") +
         plural(ports.size(), "hostPort ", "hostPorts ") + list + ")";
}

std::set<std::string> app_armor_annotations(const Pod& pod) {
  constexpr std::string_view kPrefix = "container.apparmor.security.beta.kubernetes.io/";
  std::set<std::string> bad;
  for (const auto& [key, value] : pod.metadata["annotations"].members()) {
    const std::string_view profile = value.as_string();
    if (!key.starts_with(kPrefix) || profile.empty() || profile == "runtime/default" ||
        profile.starts_with("localhost/")) {
      continue;
    }
    bad.insert(std::string(key) + "=" + go_quote(profile));
  }
  return bad;
}

std::string app_armor(const Pod& pod) {
  std::set<std::string> types;
  const auto is_bad = [&](const Json& context) {
    const std::string_view type = context["appArmorProfile"]["type"].as_string();
    if (type.empty() || type == "RuntimeDefault" || type == "Localhost") return false;
    types.emplace(type);
    return true;
  };
  std::string setters;
  if (is_bad(pod.spec["securityContext"])) setters = "pod";
  const Names bad = containers_where(pod.spec, [&](const Json& c) { return is_bad(c["securityContext"]); });
  if (!bad.empty()) setters += (setters.empty() ? "" : " and ") + containers_text(bad);
  const std::set<std::string> annotations = app_armor_annotations(pod);
  if (setters.empty() && annotations.empty()) return "";
  const std::string head = plural(types.size() + annotations.size(), "forbidden AppArmor profile (",
                                  "forbidden AppArmor profiles (");
  std::string list;
  if (setters.empty()) {
    for (const std::string& one : annotations) list += (list.empty() ? "" : ", ") + one;
    return head + list + ")";
  }
  list = quoted_list(types);
  for (const std::string& one : annotations) list += ", \"" + one + "\"";
  if (!annotations.empty()) setters += plural(annotations.size(), " and annotation", " and annotations");
  return head + setters + " must not set AppArmor profile type to " + list + ")";
}

std::string proc_mount(const Pod& pod) {
  std::set<std::string> bad_types;
  const Names bad = containers_where(pod.spec, [&](const Json& c) {
    const std::string_view type = c["securityContext"]["procMount"].as_string();
    if (type.empty() || type == "Default") return false;
    bad_types.emplace(type);
    return true;
  });
  if (bad.empty()) return "";
  return "procMount (" + containers_text(bad) + " must not set securityContext.procMount to " +
         quoted_list(bad_types) + ")";
}

std::string se_linux(const Pod& pod) {
  std::set<std::string> types;
  bool other = false;
  const auto look = [&](const Json& options) {
    bool bad = false;
    const std::string_view type = options["type"].as_string();
    if (!type.empty() && type != "container_t" && type != "container_init_t" && type != "container_kvm_t" &&
        (type != "container_engine_t" || pod.minor < 31)) {
      types.emplace(type);
      bad = true;
    }
    if (!options["user"].as_string().empty() || !options["role"].as_string().empty()) other = bad = true;
    return bad;
  };
  std::string setters;
  if (look(pod.spec["securityContext"]["seLinuxOptions"])) setters = "pod";
  const Names bad =
      containers_where(pod.spec, [&](const Json& c) { return look(c["securityContext"]["seLinuxOptions"]); });
  if (!bad.empty()) setters += (setters.empty() ? "" : " and ") + containers_text(bad);
  if (setters.empty()) return "";
  std::string what;
  if (!types.empty()) what = plural(types.size(), "type ", "types ") + quoted_list(types);
  if (other) what += (what.empty() ? "" : "; ") + std::string("user or role may not be set");
  return "seLinuxOptions (" + setters + " set forbidden securityContext.seLinuxOptions: " + what + ")";
}

// Before there was a field.
std::string seccomp_annotations(const Pod& pod) {
  std::set<std::string> bad;
  for (const auto& [key, value] : pod.metadata["annotations"].members()) {
    const std::string_view profile = value.as_string();
    if (key != "seccomp.security.alpha.kubernetes.io/pod" &&
        !key.starts_with("container.seccomp.security.alpha.kubernetes.io/"))
      continue;
    if (profile == "runtime/default" || profile == "docker/default" || profile.starts_with("localhost/"))
      continue;
    bad.insert(std::string(key) + "=" + go_quote(profile));
  }
  if (bad.empty()) return "";
  std::string list;
  for (const std::string& one : bad) list += (list.empty() ? "" : ", ") + one;
  return "seccompProfile (" + plural(bad.size(), "forbidden annotation ", "forbidden annotations ") + list +
         ")";
}

std::string seccomp_baseline(const Pod& pod) {
  if (pod.minor < 19) return seccomp_annotations(pod);
  const auto is_bad = [](const Json& context) {
    return context["seccompProfile"]["type"].as_string() == "Unconfined";
  };
  std::string setters;
  if (is_bad(pod.spec["securityContext"])) setters = "pod";
  const Names bad = containers_where(pod.spec, [&](const Json& c) { return is_bad(c["securityContext"]); });
  if (!bad.empty()) setters += (setters.empty() ? "" : " and ") + containers_text(bad);
  if (setters.empty()) return "";
  return "seccompProfile (" + setters +
         " must not set securityContext.seccompProfile.type to \"Unconfined\")";
}

std::string sysctls(const Pod& pod) {
  static const std::map<std::string, int, std::less<>> kAllowedSince = {
      {"kernel.shm_rmid_forced", 0},
      {"net.ipv4.ip_local_port_range", 0},
      {"net.ipv4.tcp_syncookies", 0},
      {"net.ipv4.ping_group_range", 0},
      {"net.ipv4.ip_unprivileged_port_start", 0},
      {"net.ipv4.ip_local_reserved_ports", 27},
      {"net.ipv4.tcp_keepalive_time", 29},
      {"net.ipv4.tcp_fin_timeout", 29},
      {"net.ipv4.tcp_keepalive_intvl", 29},
      {"net.ipv4.tcp_keepalive_probes", 29},
      {"net.ipv4.tcp_rmem", 32},
      {"net.ipv4.tcp_wmem", 32}};
  std::set<std::string> bad;
  for (const Json& entry : pod.spec["securityContext"]["sysctls"].elements()) {
    const auto known = kAllowedSince.find(entry["name"].as_string());
    if (known == kAllowedSince.end() || known->second > pod.minor) bad.emplace(entry["name"].as_string());
  }
  if (bad.empty()) return "";
  std::string list;
  for (const std::string& one : bad) list += (list.empty() ? "" : ", ") + one;
  return "forbidden sysctls (" + list + ")";
}

std::string host_process(const Pod& pod) {
  const auto is_set = [](const Json& context) { return context["windowsOptions"]["hostProcess"].as_bool(); };
  std::string setters;
  if (is_set(pod.spec["securityContext"])) setters = "pod";
  const Names bad = containers_where(pod.spec, [&](const Json& c) { return is_set(c["securityContext"]); });
  if (!bad.empty()) setters += (setters.empty() ? "" : " and ") + containers_text(bad);
  if (setters.empty()) return "";
  return "hostProcess (" + setters + " must not set securityContext.windowsOptions.hostProcess=true)";
}

// Restricted.

std::string volume_types(const Pod& pod) {
  static const std::set<std::string, std::less<>> kAllowed = {
      "configMap", "csi",    "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim",
      "projected", "secret", "image"};
  std::set<std::string> volumes, types;
  for (const Json& volume : pod.spec["volumes"].elements()) {
    for (const auto& [key, value] : volume.members()) {
      if (key == "name" || kAllowed.contains(key) || value.is_null()) continue;
      volumes.emplace(volume["name"].as_string());
      types.emplace(key);
    }
  }
  if (volumes.empty()) return "";
  return "restricted volume types (" + plural(volumes.size(), "volume ", "volumes ") + quoted_list(volumes) +
         plural(volumes.size(), " uses restricted volume type ", " use restricted volume types ") +
         quoted_list(types) + ")";
}

std::string privilege_escalation(const Pod& pod) {
  if (is_windows(pod)) return "";
  const Names bad = containers_where(pod.spec, [](const Json& c) {
    const Json& value = c["securityContext"]["allowPrivilegeEscalation"];
    return !value.is_bool() || value.as_bool();
  });
  if (bad.empty()) return "";
  return "allowPrivilegeEscalation != false (" + containers_text(bad) +
         " must set securityContext.allowPrivilegeEscalation=false)";
}

std::string run_as_non_root(const Pod& pod) {
  const Json& own = pod.spec["securityContext"]["runAsNonRoot"];
  const bool pod_bad = own.is_bool() && !own.as_bool();
  const bool pod_good = own.is_bool() && own.as_bool();
  Names explicitly, implicitly;
  each_container(pod.spec, [&](const Json& c) {
    const Json& value = c["securityContext"]["runAsNonRoot"];
    if (value.is_bool() && !value.as_bool()) explicitly.emplace_back(c["name"].as_string());
    if (!value.is_bool() && !pod_good) implicitly.emplace_back(c["name"].as_string());
  });
  if (pod_bad || !explicitly.empty()) {
    std::string setters = pod_bad ? "pod" : "";
    if (!explicitly.empty()) setters += (setters.empty() ? "" : " and ") + containers_text(explicitly);
    return "runAsNonRoot != true (" + setters + " must not set securityContext.runAsNonRoot=false)";
  }
  if (implicitly.empty()) return "";
  return "runAsNonRoot != true (pod or " + containers_text(implicitly) +
         " must set securityContext.runAsNonRoot=true)";
}

std::string run_as_user(const Pod& pod) {
  const auto is_root = [](const Json& context) {
    return context["runAsUser"].is_int() && context["runAsUser"].as_int() == 0;
  };
  std::string setters;
  if (is_root(pod.spec["securityContext"])) setters = "pod";
  const Names bad = containers_where(pod.spec, [&](const Json& c) { return is_root(c["securityContext"]); });
  if (!bad.empty()) setters += (setters.empty() ? "" : " and ") + containers_text(bad);
  if (setters.empty()) return "";
  return "runAsUser=0 (" + setters + " must not set runAsUser=0)";
}

std::string seccomp_restricted(const Pod& pod) {
  if (is_windows(pod)) return "";
  const auto is_good = [](const Json& context) {
    const std::string_view type = context["seccompProfile"]["type"].as_string();
    return type == "RuntimeDefault" || type == "Localhost";
  };
  const Json& own = pod.spec["securityContext"];
  const bool pod_set = own["seccompProfile"]["type"].is_string();
  Names explicitly, implicitly;
  each_container(pod.spec, [&](const Json& c) {
    const bool set = c["securityContext"]["seccompProfile"]["type"].is_string();
    if (set && !is_good(c["securityContext"])) explicitly.emplace_back(c["name"].as_string());
    if (!set && !is_good(own)) implicitly.emplace_back(c["name"].as_string());
  });
  const bool pod_bad = pod_set && !is_good(own);
  if (pod_bad || !explicitly.empty()) {
    std::string setters = pod_bad ? "pod" : "";
    if (!explicitly.empty()) setters += (setters.empty() ? "" : " and ") + containers_text(explicitly);
    return "seccompProfile (" + setters +
           " must not set securityContext.seccompProfile.type to \"Unconfined\")";
  }
  if (implicitly.empty()) return "";
  return "seccompProfile (pod or " + containers_text(implicitly) +
         " must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\")";
}

std::string capabilities_restricted(const Pod& pod) {
  if (is_windows(pod)) return "";
  std::set<std::string> added;
  const Names undropped = containers_where(pod.spec, [](const Json& c) {
    const auto dropped = c["securityContext"]["capabilities"]["drop"].elements();
    return std::none_of(dropped.begin(), dropped.end(),
                        [](const Json& one) { return one.as_string() == "ALL"; });
  });
  const Names adding = containers_where(pod.spec, [&](const Json& c) {
    bool any = false;
    for (const Json& capability : c["securityContext"]["capabilities"]["add"].elements()) {
      if (capability.as_string() == "NET_BIND_SERVICE") continue;
      added.emplace(capability.as_string());
      any = true;
    }
    return any;
  });
  if (undropped.empty() && adding.empty()) return "";
  std::string text;
  if (!undropped.empty())
    text = containers_text(undropped) + " must set securityContext.capabilities.drop=[\"ALL\"]";
  if (!adding.empty()) {
    text += (text.empty() ? "" : "; ") + containers_text(adding) + " must not include " + quoted_list(added) +
            " in securityContext.capabilities.add";
  }
  return "unrestricted capabilities (" + text + ")";
}

struct Check {
  std::string (*faults)(const Pod&);
  int since = 0;           // the first version that asks
  int stricter_from = -1;  // the first version whose restricted level has a stricter form
};
// In the order of their ids, as a real server reports them.
constexpr Check kBaseline[] = {{app_armor},
                               {capabilities_baseline, 0, 22},
                               {host_namespaces},
                               {host_path, 0, 0},
                               {host_ports},
                               {privileged},
                               {proc_mount},
                               {se_linux},
                               {seccomp_baseline, 0, 19},
                               {sysctls},
                               {host_process}};
constexpr Check kRestricted[] = {
    {privilege_escalation, 8}, {capabilities_restricted, 22}, {volume_types}, {run_as_non_root},
    {run_as_user, 23},         {seccomp_restricted, 19}};

}  // namespace

PodSecurityLevel pod_security_level(std::string_view word, bool* known) {
  if (known != nullptr) *known = word == "privileged" || word == "baseline" || word == "restricted";
  if (word == "baseline") return PodSecurityLevel::Baseline;
  if (word == "restricted") return PodSecurityLevel::Restricted;
  return PodSecurityLevel::Privileged;
}

std::optional<int> pod_security_version(std::string_view text) {
  if (text == "latest") return kNewestPodSecurity;
  if (!text.starts_with("v1.")) return std::nullopt;
  const std::string_view digits = text.substr(3);
  int minor = 0;
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), minor);
  const bool whole = failed == std::errc() && end == digits.data() + digits.size();
  if (!whole || minor < 0 || (digits.size() > 1 && digits[0] == '0')) return std::nullopt;
  return std::min(minor, kNewestPodSecurity);
}

std::vector<std::string> pod_security_faults(PodSecurityLevel level, int version, const Json& pod_metadata,
                                             const Json& pod_spec) {
  std::vector<std::string> faults;
  const Pod pod{pod_metadata, pod_spec, version};
  const auto ask = [&](const Check& check) {
    if (version < check.since) return;
    if (std::string fault = check.faults(pod); !fault.empty()) faults.push_back(std::move(fault));
  };
  if (level == PodSecurityLevel::Privileged) return faults;
  const bool restricted = level == PodSecurityLevel::Restricted;
  for (const Check& check : kBaseline) {
    const bool replaced = restricted && check.stricter_from >= 0 && version >= check.stricter_from;
    if (!replaced) ask(check);
  }
  if (restricted) {
    for (const Check& check : kRestricted) ask(check);
  }
  return faults;
}

PodTemplate pod_template_of(std::string_view group, std::string_view resource, const Json& object) {
  const Json* at = nullptr;
  if (group.empty() && resource == "pods") {
    at = &object;
  } else if ((group == "apps" && (resource == "deployments" || resource == "replicasets" ||
                                  resource == "statefulsets" || resource == "daemonsets")) ||
             (group == "batch" && resource == "jobs") ||
             (group.empty() && resource == "replicationcontrollers")) {
    at = &object["spec"]["template"];
  } else if (group.empty() && resource == "podtemplates") {
    at = &object["template"];
  } else if (group == "batch" && resource == "cronjobs") {
    at = &object["spec"]["jobTemplate"]["spec"]["template"];
  }
  if (at == nullptr || !(*at)["spec"].is_object()) return {};
  return {&(*at)["metadata"], &(*at)["spec"]};
}

}  // namespace flotilla::api
