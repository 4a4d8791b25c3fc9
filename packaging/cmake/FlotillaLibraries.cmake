# SPDX-License-Identifier: Apache-2.0
# The libraries Flotilla stands on, each as one target. Debian 12 has all of them.
find_package(Threads REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(spdlog REQUIRED)
find_package(fmt REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_path(CLI11_INCLUDE_DIR CLI/CLI.hpp REQUIRED)
if(FLOTILLA_TESTS)
  find_package(GTest REQUIRED)
endif()

# Asio and Beast are compiled once, in core/async and core/http.
add_library(flotilla_asio INTERFACE)
target_link_libraries(flotilla_asio INTERFACE Boost::headers OpenSSL::SSL OpenSSL::Crypto Threads::Threads)
target_compile_definitions(flotilla_asio INTERFACE
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED
  BOOST_ASIO_HAS_CO_AWAIT BOOST_ASIO_HAS_STD_COROUTINE)

# Time zones of the system (adr 0008). Only core/base/time_zone.cpp sees it.
find_package(date REQUIRED)

# HTTP/2: the C library.
find_path(NGHTTP2_INCLUDE_DIR nghttp2/nghttp2.h REQUIRED)
find_library(NGHTTP2_LIBRARY NAMES nghttp2 REQUIRED)
add_library(flotilla_nghttp2 INTERFACE)
target_include_directories(flotilla_nghttp2 SYSTEM INTERFACE ${NGHTTP2_INCLUDE_DIR})
target_link_libraries(flotilla_nghttp2 INTERFACE ${NGHTTP2_LIBRARY})

# Boost.DLL over std::filesystem: header only, needs libdl alone.
add_library(flotilla_dll INTERFACE)
target_link_libraries(flotilla_dll INTERFACE Boost::headers ${CMAKE_DL_LIBS})
target_compile_definitions(flotilla_dll INTERFACE BOOST_DLL_USE_STD_FS)

# Interpreter customisations are Lua 5.1.
find_path(LUA51_INCLUDE_DIR lua.hpp PATH_SUFFIXES lua5.1 REQUIRED)
find_library(LUA51_LIBRARY NAMES lua5.1 REQUIRED)
add_library(flotilla_lua INTERFACE)
target_include_directories(flotilla_lua SYSTEM INTERFACE ${LUA51_INCLUDE_DIR})
target_link_libraries(flotilla_lua INTERFACE ${LUA51_LIBRARY})

# The allocator of the daemon (adr 0003). Sanitizers bring their own.
add_library(flotilla_malloc INTERFACE)
if(NOT FLOTILLA_SANITIZE)
  find_package(mimalloc 2 REQUIRED)
  target_link_libraries(flotilla_malloc INTERFACE mimalloc)
endif()
