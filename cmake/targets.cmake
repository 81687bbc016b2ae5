# The libraries a user links: tokenpool::core computes and needs nothing but threads; tokenpool::tokenpool adds the
# client, and with it libcurl and the JSON library; each add-on is a target and a component of its own. What a target
# needs and this machine has not is an error of whoever links that target, not of whoever wants another.

include(GNUInstallDirs)
list(APPEND CMAKE_MODULE_PATH ${PROJECT_SOURCE_DIR}/cmake)
find_package(Threads REQUIRED)
find_package(CURL)
find_package(nlohmann_json CONFIG)

# The list of headers is the folder, divided by what they need.
file(GLOB_RECURSE tokenpool_headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/include/*.hpp)
set(headers_left ${tokenpool_headers})

# Gives `target` those headers left whose name below include/tokenpool/ begins with `pattern`.
macro(take_headers target pattern)
  set(taken ${headers_left})
  list(FILTER taken INCLUDE REGEX "/include/tokenpool/(${pattern})")
  list(REMOVE_ITEM headers_left ${taken})
  if(CMAKE_VERSION VERSION_GREATER_EQUAL 3.23)
    target_sources(${target} INTERFACE FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}/include FILES ${taken})
  endif()
endmacro()

add_library(tokenpool_core INTERFACE)
add_library(tokenpool::core ALIAS tokenpool_core)
set_target_properties(tokenpool_core PROPERTIES EXPORT_NAME core)
target_compile_features(tokenpool_core INTERFACE cxx_std_20)
target_link_libraries(tokenpool_core INTERFACE Threads::Threads)
# Said here too and not by the file sets alone: a user's CMake before 3.23 does not read those.
target_include_directories(tokenpool_core INTERFACE
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
take_headers(tokenpool_core "(base|http|quota|pool|policy|retry)/|(core|fwd|version)[.]hpp")

add_library(tokenpool INTERFACE)
add_library(tokenpool::tokenpool ALIAS tokenpool)
target_link_libraries(tokenpool INTERFACE tokenpool_core CURL::libcurl nlohmann_json::nlohmann_json)

set(tokenpool_components "")        # the add-ons' names
set(tokenpool_component_needs "")   # for the package: each one's PACKAGE, in the language of CMake

# Makes the add-on `name` of the headers that begin with HEADERS. What it needs beside the client is the TARGET that
# find_package(PACKAGE) defines; the package looks for it when a user asks for the component.
macro(add_component name)
  cmake_parse_arguments(addon "" "HEADERS;PACKAGE;TARGET" "" ${ARGN})
  list(APPEND tokenpool_components ${name})
  add_library(tokenpool_${name} INTERFACE)
  add_library(tokenpool::${name} ALIAS tokenpool_${name})
  set_target_properties(tokenpool_${name} PROPERTIES EXPORT_NAME ${name})
  target_link_libraries(tokenpool_${name} INTERFACE tokenpool ${addon_TARGET})
  take_headers(tokenpool_${name} "${addon_HEADERS}")
  if(addon_PACKAGE)
    find_package(${addon_PACKAGE} QUIET)
  endif()
  string(APPEND tokenpool_component_needs "set(tokenpool_${name}_needs ${addon_PACKAGE})\n")
endmacro()

# The add-ons, a row each; docs/vcpkg.md says what else a new one is.
add_component(redis HEADERS "ledger/redis" PACKAGE Hiredis TARGET hiredis::hiredis)
target_link_libraries(tokenpool_redis INTERFACE
  "$<$<TARGET_EXISTS:hiredis::hiredis_ssl>:hiredis::hiredis_ssl;OpenSSL::SSL>")
add_component(prometheus HEADERS "prometheus[./]" PACKAGE prometheus-cpp TARGET prometheus-cpp::core)
add_component(sqlite HEADERS "ledger/sqlite" PACKAGE SQLite3 TARGET SQLite::SQLite3)

take_headers(tokenpool "")
