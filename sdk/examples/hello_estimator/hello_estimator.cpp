// SPDX-License-Identifier: Apache-2.0
// An estimator that reads how much room there is from files: FOLDER/<cluster> holds a number, of replicas and
// of whole sets alike. For room that somebody else works out.
#include <flotilla/sdk/estimator.hpp>
#include <flotilla/sdk/json_view.hpp>

#include <fstream>

using namespace flotilla::sdk;

namespace {

class Files {
 public:
  static constexpr EstimatorInfo kInfo = {
      .name = "hello_estimator",
      .summary = "Reads the room of a cluster from a file",
      .config_schema = R"({"type": "object", "additionalProperties": false,
        "properties": {"folder": {"type": "string", "default": "/var/lib/rooms"}}})",
      .exec = FLT_EXEC_BLOCKING};

  Files(const flt_host_t*, std::string_view config) : folder_(JsonView(config)["folder"].string()) {}

  void max_available_replicas(const RoomRequest& request, Call& call) const {
    std::vector<Estimate> rooms(request.size());
    for (std::size_t i = 0; i < rooms.size(); ++i) rooms[i] = read(request.cluster(i));
    succeed_with_estimates(call, rooms);
  }
  void max_available_component_sets(const RoomRequest& request, Call& call) const {
    max_available_replicas(request, call);
  }

 private:
  // No file: nothing is known of this cluster.
  Estimate read(std::string_view cluster) const {
    std::ifstream file(folder_ + "/" + std::string(cluster));
    std::int64_t room = 0;
    if (!file) return {};
    if (!(file >> room) || room < 0) return {.status = FLT_DATA_LOSS, .message = "the file holds no number"};
    return {.value = room};
  }

  std::string folder_;
};

}  // namespace

FLT_PLUGIN((PluginInfo{.id = "org.example.hello-estimator", .version = "1.0.0", .name = "Hello estimator"}),
           &estimator_component<Files>)
