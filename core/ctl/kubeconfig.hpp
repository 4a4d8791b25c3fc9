// SPDX-License-Identifier: Apache-2.0
// kubeconfig files: how to reach a cluster, and with whose credentials. Reads what kubectl reads (inline data
// and files, tokens, basic auth, exec plugins, proxies); writes what kubectl can use, atomically and for the
// owner alone.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/api/json.hpp"
#include "core/base/result.hpp"

namespace flotilla::ctl {

// One context, resolved to texts.
struct Access {
  std::string server;
  std::string ca_pem;
  std::string client_certificate_pem;
  std::string client_key_pem;
  std::string bearer_token;
  std::string basic_user, basic_password;
  std::string server_name;
  std::string proxy_url;
  bool insecure_skip_verify = false;
  std::string ns;  // the context's namespace, or empty
};

class Kubeconfig {
 public:
  Kubeconfig();
  // Errors: NotFound (no such file), Invalid with file, line and member at fault.
  static Result<Kubeconfig> read(const std::string& path);
  // Of a text; `origin` stands for the file in messages.
  static Result<Kubeconfig> parse(std::string_view text, const std::string& origin);
  // --kubeconfig, $KUBECONFIG (the files of the list are merged, the first definition wins), ~/.kube/config.
  static Result<Kubeconfig> find(const std::string& flag);

  std::vector<std::string> contexts() const;
  std::string current_context() const;
  // What a context calls its cluster; empty: there is no such context.
  std::string cluster_of(std::string_view context) const;
  // Empty: the current context. Runs exec plugins. Errors: Invalid, naming context and member.
  Result<Access> access(std::string_view context = {}) const;

  // Adds or replaces context, cluster and user, all of this name. The first becomes current.
  void put(const std::string& name, const Access& access);
  void remove(const std::string& name);
  // Another certificate for the user of the current context.
  void set_certificate(const std::string& certificate_pem, const std::string& key_pem);
  void set_current_context(const std::string& name);
  std::string text() const;
  Status write(const std::string& path) const;

 private:
  void merge(const Kubeconfig& other);

  api::Json document_;
  std::string path_;  // messages and relative paths
};

// The whole file, or an error that names it.
Result<std::string> read_file(const std::string& path);
// Atomically: a file beside it, then rename.
Status write_file(const std::string& path, std::string_view text, unsigned mode = 0644);

}  // namespace flotilla::ctl
