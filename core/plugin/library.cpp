// SPDX-License-Identifier: Apache-2.0
#include "core/plugin/library.hpp"

#include <boost/dll/shared_library.hpp>
#include <exception>
#include <memory>

namespace flotilla::plugin {

Result<const flt_plugin_v1_t*> load_library(const std::filesystem::path& absolute_path) {
  if (!absolute_path.is_absolute()) {
    return Error(Code::Invalid, "plugin path " + absolute_path.string() + " is not absolute");
  }
  try {
    // The throwing overload has dlerror's text. Never copied: a copy would open the path again.
    auto library = std::make_unique<boost::dll::shared_library>(
        absolute_path, boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local);
    if (!library->has(FLT_PLUGIN_SYMBOL)) {
      const bool newer = library->has("flt_plugin_v2");
      static_cast<void>(library.release());
      return Error(Code::Invalid, newer ? "needs ABI major 2, this host speaks 1: upgrade flotilla"
                                        : "not a Flotilla plugin: no symbol " FLT_PLUGIN_SYMBOL);
    }
    // Released, not kept in a table: nothing ever closes it.
    return &library.release()->get<const flt_plugin_v1_t>(FLT_PLUGIN_SYMBOL);
  } catch (const std::exception& error) {
    return Error(Code::Invalid, std::string("cannot be loaded: ") + error.what());
  }
}

}  // namespace flotilla::plugin
