# The package: headers, a CMake package and a pkg-config file, all of them relocatable and the same for every
# architecture, hence in share/.

include(CMakePackageConfigHelpers)
set(package_folder ${CMAKE_INSTALL_DATADIR}/cmake/tokenpool)

if(CMAKE_VERSION VERSION_GREATER_EQUAL 3.23)
  set(header_sets FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
else()
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
endif()
set(addon_targets ${tokenpool_components})
list(TRANSFORM addon_targets PREPEND tokenpool_)
install(TARGETS tokenpool_core tokenpool ${addon_targets} EXPORT tokenpool ${header_sets})
install(EXPORT tokenpool FILE tokenpoolTargets.cmake NAMESPACE tokenpool:: DESTINATION ${package_folder})

configure_package_config_file(cmake/tokenpoolConfig.cmake.in tokenpoolConfig.cmake
  INSTALL_DESTINATION ${package_folder} NO_SET_AND_CHECK_MACRO)
# While the version is 0.x, another minor version is another interface.
write_basic_package_version_file(tokenpoolConfigVersion.cmake COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES ${PROJECT_BINARY_DIR}/tokenpoolConfig.cmake ${PROJECT_BINARY_DIR}/tokenpoolConfigVersion.cmake
  cmake/FindHiredis.cmake DESTINATION ${package_folder})

configure_file(cmake/tokenpool.pc.in tokenpool.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/tokenpool.pc DESTINATION ${CMAKE_INSTALL_DATADIR}/pkgconfig)
