# SPDX-License-Identifier: Apache-2.0
# Language level, warnings, sanitizers, output folders.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
set(FLOTILLA_PLUGIN_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib/flotilla/plugins/1)

# What is shipped must not tell where it was built.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -ffile-prefix-map=${PROJECT_SOURCE_DIR}/=")
set(CMAKE_C_FLAGS_RELEASE "${CMAKE_CXX_FLAGS_RELEASE}")
set(CMAKE_EXE_LINKER_FLAGS_RELEASE "-Wl,-z,relro,-z,now,--as-needed,--build-id=sha1")

add_library(flotilla_options INTERFACE)
target_compile_options(flotilla_options INTERFACE
  -Wall -Wextra -Wpedantic -Werror -Wimplicit-fallthrough
  $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor> -ffunction-sections -fdata-sections)
target_link_options(flotilla_options INTERFACE -Wl,--gc-sections)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  # g++ 12 reports these inside its own standard library when it inlines across coroutines.
  target_compile_options(flotilla_options INTERFACE
    -Wno-maybe-uninitialized -Wno-stringop-overflow -Wno-restrict -Wno-array-bounds -Wno-stringop-overread
    $<$<COMPILE_LANGUAGE:CXX>:-Wno-mismatched-new-delete -Wno-dangling-pointer>)
endif()
if(FLOTILLA_LINKER)
  target_link_options(flotilla_options INTERFACE -fuse-ld=${FLOTILLA_LINKER})
endif()
if(FLOTILLA_SANITIZE)
  add_compile_options(-fsanitize=${FLOTILLA_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${FLOTILLA_SANITIZE})
endif()
if(FLOTILLA_CCACHE)
  find_program(FLOTILLA_CCACHE_PROGRAM ccache)
  if(FLOTILLA_CCACHE_PROGRAM)
    set(CMAKE_C_COMPILER_LAUNCHER ${FLOTILLA_CCACHE_PROGRAM})
    set(CMAKE_CXX_COMPILER_LAUNCHER ${FLOTILLA_CCACHE_PROGRAM})
  endif()
endif()
