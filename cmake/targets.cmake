# The two libraries a user links: tokenpool::core computes and needs nothing but threads; tokenpool::tokenpool
# adds the client, so libcurl and the JSON library.

find_package(Threads REQUIRED)
find_package(CURL REQUIRED)
find_package(nlohmann_json REQUIRED CONFIG)

add_library(tokenpool_core INTERFACE)
add_library(tokenpool::core ALIAS tokenpool_core)
set_target_properties(tokenpool_core PROPERTIES EXPORT_NAME core)
target_compile_features(tokenpool_core INTERFACE cxx_std_20)
target_link_libraries(tokenpool_core INTERFACE Threads::Threads)
target_include_directories(tokenpool_core INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>)

add_library(tokenpool INTERFACE)
add_library(tokenpool::tokenpool ALIAS tokenpool)
target_link_libraries(tokenpool INTERFACE tokenpool::core CURL::libcurl nlohmann_json::nlohmann_json)
