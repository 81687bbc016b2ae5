# Finds hiredis, the C client of Redis, and gives it as hiredis::hiredis: upstream and vcpkg ship a package that
# defines this target, Debian one that defines none. Its TLS part, if it is there, comes with OpenSSL as
# hiredis::hiredis_ssl. Installed with tokenpool's package.

find_package(OpenSSL QUIET)
find_package(hiredis CONFIG QUIET)
if(TARGET hiredis::hiredis)
  find_package(hiredis_ssl CONFIG QUIET)
  set(Hiredis_FOUND TRUE)
  return()
endif()

find_path(HIREDIS_INCLUDE_DIR hiredis/hiredis.h)
find_library(HIREDIS_LIBRARY hiredis)
mark_as_advanced(HIREDIS_INCLUDE_DIR HIREDIS_LIBRARY)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Hiredis REQUIRED_VARS HIREDIS_LIBRARY HIREDIS_INCLUDE_DIR)
if(Hiredis_FOUND)
  add_library(hiredis::hiredis UNKNOWN IMPORTED)
  set_target_properties(hiredis::hiredis PROPERTIES
    IMPORTED_LOCATION ${HIREDIS_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${HIREDIS_INCLUDE_DIR})
endif()

find_library(HIREDIS_SSL_LIBRARY hiredis_ssl)
mark_as_advanced(HIREDIS_SSL_LIBRARY)
if(Hiredis_FOUND AND HIREDIS_SSL_LIBRARY AND OPENSSL_FOUND AND NOT TARGET hiredis::hiredis_ssl)
  add_library(hiredis::hiredis_ssl UNKNOWN IMPORTED)
  set_target_properties(hiredis::hiredis_ssl PROPERTIES
    IMPORTED_LOCATION ${HIREDIS_SSL_LIBRARY} INTERFACE_LINK_LIBRARIES OpenSSL::SSL)
endif()
