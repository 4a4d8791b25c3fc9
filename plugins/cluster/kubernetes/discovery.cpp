// SPDX-License-Identifier: Apache-2.0
// Discovery. Aggregated: two documents tell everything. Plain: the groups, then one document per group
// version; a group that cannot be read leaves the answer incomplete, not wrong.
#include <algorithm>
#include <atomic>
#include <functional>

#include "connection.hpp"
#include "paths.hpp"

namespace flotilla::kubernetes {

namespace {

using sdk::Call;
using sdk::HttpResponse;
using sdk::JsonView;

constexpr const char kAccept[] =
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";

struct Found {
  std::string group, version, resource, kind;
  bool namespaced = false;
  std::vector<std::string> verbs;
};

std::vector<std::string> strings(JsonView array) {
  std::vector<std::string> out;
  array.each_element([&](JsonView each) { out.push_back(each.string()); });
  return out;
}

class Discovery : public std::enable_shared_from_this<Discovery> {
 public:
  Discovery(std::shared_ptr<Connection> connection, Call call)
      : connection_(std::move(connection)), call_(std::move(call)) {}

  void start() {
    pending_ = 2;
    ask("/api", kAccept, &Discovery::read_core);
    ask("/apis", kAccept, &Discovery::read_groups);
  }

 private:
  using Read = void (Discovery::*)(JsonView document, const std::string& path);

  void ask(const std::string& path, const char* accept, Read read) {
    sdk::HttpRequest request;
    request.target = path;
    request.headers.emplace_back("Accept", accept);
    connection_->send(std::move(request), [self = shared_from_this(), path, read](HttpResponse response) {
      self->hear(std::move(response), path, read);
    });
  }

  void hear(HttpResponse response, const std::string& path, Read read) {
    std::vector<std::pair<std::string, Read>> next;
    {
      std::lock_guard lock(mutex_);
      const bool is_root = path == "/api" || path == "/apis";
      if (response.transport != FLT_OK || response.status != 200) {
        complete_ = false;
        if (is_root) refusal_ = response;
      } else {
        try {
          (this->*read)(JsonView(response.body), path);
        } catch (const sdk::Failure&) {
          complete_ = false;
        }
      }
      next.swap(later_);
    }
    for (const auto& [further, reader] : next) ask(further, "application/json", reader);
    if (--pending_ == 0) finish();
  }

  // Under the mutex; asked after it.
  void add_pending(const std::string& path, Read read) {
    ++pending_;
    later_.emplace_back(path, read);
  }

  void read_core(JsonView document, const std::string&) {
    if (document["kind"].string() == "APIGroupDiscoveryList") return read_aggregated(document);
    for (const std::string& version : strings(document["versions"])) {
      add_pending("/api/" + encode(version), &Discovery::read_resources);
    }
  }

  void read_groups(JsonView document, const std::string&) {
    if (document["kind"].string() == "APIGroupDiscoveryList") return read_aggregated(document);
    document["groups"].each_element([&](JsonView group) {
      group["versions"].each_element([&](JsonView version) {
        add_pending("/apis/" + version["groupVersion"].string(), &Discovery::read_resources);
      });
    });
  }

  void read_aggregated(JsonView document) {
    document["items"].each_element([&](JsonView item) {
      const std::string group = item["metadata"]["name"].string();
      item["versions"].each_element([&](JsonView version) {
        if (version["freshness"].string() == "Stale") complete_ = false;
        const std::string name = version["version"].string();
        version["resources"].each_element([&](JsonView resource) {
          Found found;
          found.group = group;
          found.version = name;
          found.resource = resource["resource"].string();
          found.kind = resource["responseKind"]["kind"].string();
          found.namespaced = resource["scope"].string() == "Namespaced";
          found.verbs = strings(resource["verbs"]);
          found_.push_back(std::move(found));
        });
      });
    });
  }

  void read_resources(JsonView document, const std::string&) {
    const std::string group_version = document["groupVersion"].string();
    const std::size_t slash = group_version.find('/');
    document["resources"].each_element([&](JsonView resource) {
      Found found;
      found.resource = resource["name"].string();
      if (found.resource.find('/') != std::string::npos) return;  // a subresource
      found.group = slash == std::string::npos ? "" : group_version.substr(0, slash);
      found.version = slash == std::string::npos ? group_version : group_version.substr(slash + 1);
      found.kind = resource["kind"].string();
      found.namespaced = resource["namespaced"].boolean();
      found.verbs = strings(resource["verbs"]);
      found_.push_back(std::move(found));
    });
  }

  void finish() {
    std::lock_guard lock(mutex_);
    if (found_.empty() && refusal_.status != 200 && (refusal_.transport != FLT_OK || refusal_.status != 0)) {
      return refuse();
    }
    std::sort(found_.begin(), found_.end(), [](const Found& a, const Found& b) {
      return std::tie(a.group, a.version, a.resource) < std::tie(b.group, b.version, b.resource);
    });
    call_.run([&](Call& call) { answer(call); });
  }

  void refuse() {
    if (refusal_.transport != FLT_OK) {
      call_.fail(refusal_.transport, refusal_.message);
    } else {
      fail(connection_->host(), call_, read_refusal(refusal_));
    }
  }

  void answer(Call& call) {
    const sdk::Arena arena = call.arena();
    const auto resources = arena.array<flt_resource_t>(found_.size());
    const auto pointers = arena.array<const flt_resource_t*>(found_.size());
    std::size_t hash = complete_ ? 1 : 2;
    for (std::size_t i = 0; i < found_.size(); ++i) {
      const Found& found = found_[i];
      const auto verbs = arena.array<flt_str_t>(found.verbs.size());
      bool patches = false;
      for (std::size_t verb = 0; verb < verbs.size(); ++verb) {
        verbs[verb] = arena.copy(found.verbs[verb]);
        patches = patches || found.verbs[verb] == "patch";
      }
      const std::uint32_t flags =
          (found.namespaced ? FLT_RESOURCE_NAMESPACED : 0) | (patches ? FLT_RESOURCE_SSA : 0);
      resources[i] = {sizeof(flt_resource_t),
                      flags,
                      {arena.copy(found.group), arena.copy(found.version), arena.copy(found.resource)},
                      arena.copy(found.kind),
                      verbs.data(),
                      verbs.size()};
      pointers[i] = &resources[i];
      hash = hash * 31 + std::hash<std::string>()(found.group + "/" + found.version + "/" + found.resource);
    }
    auto& result = arena.make<flt_discover_result_t>();
    result = {sizeof result, complete_ ? 1 : 0, pointers.data(), pointers.size(),
              arena.copy(std::to_string(hash))};
    call.succeed(&result);
  }

  const std::shared_ptr<Connection> connection_;
  Call call_;
  std::atomic<int> pending_{0};
  std::mutex mutex_;  // all below
  std::vector<Found> found_;
  std::vector<std::pair<std::string, Read>> later_;
  bool complete_ = true;
  HttpResponse refusal_;
};

}  // namespace

void start_discovery(std::shared_ptr<Connection> connection, Call call) {
  std::make_shared<Discovery>(std::move(connection), std::move(call))->start();
}

}  // namespace flotilla::kubernetes
