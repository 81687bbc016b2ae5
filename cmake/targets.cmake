# The two libraries a user links: tokenpool::core computes and needs nothing but threads; tokenpool::tokenpool
# adds the client, and with it libcurl and the JSON library. A missing one of these is an error of whoever links
# tokenpool::tokenpool, not of whoever wants the core alone.

include(GNUInstallDirs)
find_package(Threads REQUIRED)
find_package(CURL)
find_package(nlohmann_json CONFIG)

add_library(tokenpool_core INTERFACE)
add_library(tokenpool::core ALIAS tokenpool_core)
set_target_properties(tokenpool_core PROPERTIES EXPORT_NAME core)
target_compile_features(tokenpool_core INTERFACE cxx_std_20)
target_link_libraries(tokenpool_core INTERFACE Threads::Threads)

# Said here too and not by the file sets alone: a user's CMake before 3.23 does not read those.
target_include_directories(tokenpool_core INTERFACE
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)

add_library(tokenpool INTERFACE)
add_library(tokenpool::tokenpool ALIAS tokenpool)
target_link_libraries(tokenpool INTERFACE tokenpool_core CURL::libcurl nlohmann_json::nlohmann_json)

# The list of headers is the folder, divided by what they need.
file(GLOB_RECURSE tokenpool_headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/include/*.hpp)
set(core_headers ${tokenpool_headers})
list(FILTER core_headers INCLUDE REGEX "/tokenpool/((base|http|quota|pool|policy|retry)/|(core|fwd|version)[.]hpp)")
set(client_headers ${tokenpool_headers})
list(REMOVE_ITEM client_headers ${core_headers})

if(CMAKE_VERSION VERSION_GREATER_EQUAL 3.23)
  target_sources(tokenpool_core INTERFACE
    FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}/include FILES ${core_headers})
  target_sources(tokenpool INTERFACE
    FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}/include FILES ${client_headers})
endif()
