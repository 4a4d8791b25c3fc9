// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/put_work.hpp"

#include "core/api/removal_cause.hpp"
#include "core/api/wrap_manifest.hpp"

namespace flotilla::controllers {

Task<Status> put_work(Context& context, Json work) {
  const ObjectKey key = api::key_of(work);
  const ObjectPtr present = context.get(kinds::kWork, key);
  if (!present) {
    auto creating = context.writer.create(kinds::kWork, std::move(work));
    const auto created = co_await std::move(creating);
    co_return created ? Status() : Status(created.error());
  }
  if (present->deleting()) co_return Error(Code::Conflict, "work " + key.text() + " is being deleted");
  auto wanted = std::make_shared<const Json>(std::move(work));
  auto changing = context.writer.modify(
      kinds::kWork, Part::Main, key,
      [wanted](Json& object) -> Result<bool> { return api::renew_work(object, *wanted); });
  const auto changed = co_await std::move(changing);
  co_return changed ? Status() : Status(changed.error());
}

Task<Status> remove_work(Context& context, ObjectKey key, std::string by, std::string why) {
  const ObjectPtr present = context.get(kinds::kWork, key);
  if (!present || present->deleting()) co_return Status();
  store::DeleteOptions options;
  options.propagation = "Background";
  const api::RemovalCause cause{
      api::RemovalReason::NotRequired, std::move(by), std::move(why), format_time(context.now()), {}};
  options.annotations.emplace_back(api::annotations::kRemovalCause, api::to_json(cause).dump());
  auto removing = context.writer.remove(kinds::kWork, std::move(key), std::move(options));
  const auto removed = co_await std::move(removing);
  co_return removed || removed.error().is(Code::NotFound) ? Status() : Status(removed.error());
}

}  // namespace flotilla::controllers
