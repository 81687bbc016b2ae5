# How our own tests, examples and benchmarks are built. A user's targets never see any of it.

find_package(CURL REQUIRED)
find_package(nlohmann_json REQUIRED CONFIG)
set(CMAKE_CXX_EXTENSIONS OFF)

# Linked by every program of ours: the folders tests, examples and benchmarks say link_libraries(tokenpool_warnings).
add_library(tokenpool_warnings INTERFACE)
if(CMAKE_CXX_COMPILER_ID MATCHES "GNU|Clang")
  target_compile_options(tokenpool_warnings INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # gcc 12 takes `"text" + std::string` for an overlapping copy once it optimises (its bug 105651).
  target_compile_options(tokenpool_warnings INTERFACE -Wno-restrict)
endif()

set(TOKENPOOL_SANITIZE "" CACHE STRING "Sanitizers for tokenpool's own programs: address,undefined or thread")
if(TOKENPOOL_SANITIZE)
  target_compile_options(tokenpool_warnings INTERFACE
    -fsanitize=${TOKENPOOL_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(tokenpool_warnings INTERFACE -fsanitize=${TOKENPOOL_SANITIZE})
endif()

find_program(TOKENPOOL_CCACHE ccache)
if(TOKENPOOL_CCACHE AND PROJECT_IS_TOP_LEVEL AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${TOKENPOOL_CCACHE})
endif()
