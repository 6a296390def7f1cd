# Build knobs. Two interface targets carry them; every target of ours links
# both PRIVATE, except the static agent, which is never sanitized.

option(BERTH_WERROR "Treat warnings as errors" OFF)
option(BERTH_SANITIZE "Build with AddressSanitizer and UndefinedBehaviorSanitizer" OFF)
option(BERTH_FUZZ "Build libFuzzer targets (needs clang)" OFF)
option(BERTH_CLANG_TIDY "Run clang-tidy on every translation unit" OFF)

find_program(BERTH_CCACHE ccache)
if(BERTH_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Checkouts side by side share one cache: paths are taken relative to the
  # source tree, and the working directory is left out of the key.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR}
      CCACHE_NOHASHDIR=1 CCACHE_SLOPPINESS=time_macros ${BERTH_CCACHE})
endif()

add_library(berth_warnings INTERFACE)
target_compile_options(berth_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Woverloaded-virtual)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # array-bounds: g++ 12 takes nlohmann's inlined containers for overruns at -O2.
  target_compile_options(berth_warnings INTERFACE -Wlogical-op -Wno-array-bounds)
endif()
if(BERTH_WERROR)
  target_compile_options(berth_warnings INTERFACE -Werror)
endif()

add_library(berth_options INTERFACE)
target_include_directories(berth_options INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_definitions(berth_options INTERFACE
  JSON_DIAGNOSTICS=1 BOOST_ASIO_NO_DEPRECATED BOOST_BEAST_USE_STD_STRING_VIEW)
if(BERTH_SANITIZE)
  target_compile_options(berth_options INTERFACE
    -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(berth_options INTERFACE -fsanitize=address,undefined)
elseif(CMAKE_BUILD_TYPE MATCHES "Rel")
  target_compile_options(berth_options INTERFACE
    -fstack-protector-strong $<$<CONFIG:Release,RelWithDebInfo>:-U_FORTIFY_SOURCE>
    $<$<CONFIG:Release,RelWithDebInfo>:-D_FORTIFY_SOURCE=2>)
  target_compile_definitions(berth_options INTERFACE _GLIBCXX_ASSERTIONS)
  target_link_options(berth_options INTERFACE -Wl,-z,relro,-z,now)
  set(CMAKE_POSITION_INDEPENDENT_CODE ON)
endif()
if(BERTH_FUZZ)
  target_compile_options(berth_options INTERFACE -fsanitize=fuzzer-no-link,address,undefined)
  target_link_options(berth_options INTERFACE -fsanitize=address,undefined)
endif()

if(BERTH_CLANG_TIDY)
  find_program(BERTH_CLANG_TIDY_PROGRAM clang-tidy REQUIRED)
  set(CMAKE_CXX_CLANG_TIDY ${BERTH_CLANG_TIDY_PROGRAM} --quiet)
endif()
