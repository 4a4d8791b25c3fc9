// SPDX-License-Identifier: Apache-2.0
#include "core/plugin/library.hpp"

#include <dlfcn.h>

#include <boost/dll/shared_library.hpp>
#include <exception>

namespace flotilla::plugin {
namespace {

namespace load_mode = boost::dll::load_mode;

// Boost has no name for the last: the code stays mapped when the handle is closed.
constexpr auto kForever = static_cast<load_mode::type>(RTLD_NODELETE);

}  // namespace

Result<const flt_plugin_v1_t*> load_library(const std::filesystem::path& absolute_path) {
  if (!absolute_path.is_absolute()) {
    return Error(Code::Invalid, "plugin path " + absolute_path.string() + " is not absolute");
  }
  try {
    // The throwing overload has dlerror's text.
    const boost::dll::shared_library library(absolute_path,
                                             load_mode::rtld_now | load_mode::rtld_local | kForever);
    if (library.has(FLT_PLUGIN_SYMBOL)) return &library.get<const flt_plugin_v1_t>(FLT_PLUGIN_SYMBOL);
    return Error(Code::Invalid, library.has("flt_plugin_v2")
                                    ? "needs ABI major 2, this host speaks 1: upgrade flotilla"
                                    : "not a Flotilla plugin: no symbol " FLT_PLUGIN_SYMBOL);
  } catch (const std::exception& error) {
    return Error(Code::Invalid, std::string("cannot be loaded: ") + error.what());
  }
}

}  // namespace flotilla::plugin
