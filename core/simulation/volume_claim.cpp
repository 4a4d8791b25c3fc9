// SPDX-License-Identifier: Apache-2.0
#include "core/simulation/simulators.hpp"

namespace flotilla::simulation {

// An unbound claim gets a volume of its size, named after its uid as dynamic provisioners do, and both become
// Bound.
Task<Outcome> VolumeClaimSimulator::reconcile(reconcile::Key key) {
  const ObjectPtr claim = world_.get(kinds::kVolumeClaim, key.object);
  if (!claim || claim->deleting()) co_return Outcome::done();
  const auto content = claim->content();
  const Json& spec = (*content)["spec"];
  if ((*content)["status"]["phase"].as_string() == "Bound") co_return Outcome::done();

  const std::string volume =
      spec["volumeName"].is_string() ? std::string(spec["volumeName"].as_string()) : "pvc-" + claim->uid();
  const Json capacity = Json::object({{"storage", spec["resources"]["requests"]["storage"]}});
  Json made = Json::object(
      {{"apiVersion", "v1"},
       {"kind", "PersistentVolume"},
       {"metadata", Json::object({{"name", volume}})},
       {"spec", Json::object({{"capacity", capacity},
                              {"accessModes", spec["accessModes"]},
                              {"claimRef", Json::object({{"apiVersion", "v1"},
                                                         {"kind", "PersistentVolumeClaim"},
                                                         {"name", claim->name()},
                                                         {"namespace", claim->ns()},
                                                         {"uid", claim->uid()}})},
                              {"hostPath", Json::object({{"path", "/simulated/" + volume}, {"type", ""}})},
                              {"persistentVolumeReclaimPolicy", "Delete"},
                              {"storageClassName", spec["storageClassName"].as_string()},
                              {"volumeMode", spec["volumeMode"].as_string("Filesystem")}})},
       {"status", Json::object({{"phase", "Bound"}})}});
  auto ensuring = ensure(world_, kinds::kVolume, std::move(made));
  const Status ensured = co_await std::move(ensuring);
  if (!ensured) co_return Outcome::retry(ensured.error());

  auto binding = world_.writer.modify(
      kinds::kVolumeClaim, store::Part::Main, key.object, [volume](Json& object) -> Result<bool> {
        object.make({"spec", "volumeName"}) = volume;
        object.make({"metadata", "annotations", "pv.kubernetes.io/bind-completed"}) = "yes";
        return true;
      });
  const auto bound = co_await std::move(binding);
  if (!bound) co_return Outcome::retry(bound.error());
  Json status =
      Json::object({{"phase", "Bound"}, {"accessModes", spec["accessModes"]}, {"capacity", capacity}});
  auto writing = write_status(world_, kinds::kVolumeClaim, key.object, std::move(status));
  co_return Outcome::of(co_await std::move(writing));
}

}  // namespace flotilla::simulation
