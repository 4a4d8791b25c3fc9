# SPDX-License-Identifier: Apache-2.0
# find_package(Flotilla) for plugin authors:
#   find_package(Flotilla REQUIRED)
#   flotilla_add_plugin(my_filter SOURCES my_filter.cpp)
# Works from an installation and from a checkout (Flotilla_DIR=CHECKOUT/sdk/cmake).
if(NOT TARGET flotilla_sdk)
  add_library(flotilla_sdk INTERFACE IMPORTED)
  foreach(include_dir IN ITEMS ${CMAKE_CURRENT_LIST_DIR}/../include ${CMAKE_CURRENT_LIST_DIR}/../../../include)
    if(EXISTS ${include_dir}/flotilla/abi/entry.h)
      get_filename_component(include_dir ${include_dir} ABSOLUTE)
      set_target_properties(flotilla_sdk PROPERTIES INTERFACE_INCLUDE_DIRECTORIES ${include_dir})
      break()
    endif()
  endforeach()
endif()
include(${CMAKE_CURRENT_LIST_DIR}/FlotillaPlugin.cmake)
