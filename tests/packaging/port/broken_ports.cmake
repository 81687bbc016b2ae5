# Breaks the port in every way that is easily overlooked, and expects the stand-in to notice each.
#   cmake -D port=... -D source=... -D work=... -P broken_ports.cmake

cmake_minimum_required(VERSION 3.22)

# Replaces `text` in one file of a copy of the port; the refusal must match `reason`.
function(expect_refusal file text replacement reason)
  set(broken ${work}/broken)
  file(REMOVE_RECURSE ${broken})
  file(COPY ${port}/ DESTINATION ${broken})
  file(READ ${broken}/${file} before)
  string(REPLACE "${text}" "${replacement}" after "${before}")
  if(before STREQUAL after)
    message(FATAL_ERROR "${file} does not contain: ${text}")
  endif()
  file(WRITE ${broken}/${file} "${after}")
  execute_process(COMMAND ${CMAKE_COMMAND} -D port=${broken} -D source=${source} -D work=${work}
    -P ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/vcpkg_stand_in.cmake
    RESULT_VARIABLE result OUTPUT_QUIET ERROR_VARIABLE output)
  string(REGEX REPLACE "[ \n]+" " " output "${output}")
  if(result EQUAL 0)
    message(FATAL_ERROR "Nobody noticed that ${file} has '${replacement}' for '${text}'")
  elseif(NOT output MATCHES "${reason}")
    message(FATAL_ERROR "'${replacement}' for '${text}' in ${file} was refused for another reason:\n${output}")
  endif()
endfunction()

set(file portfile.cmake)
expect_refusal(${file} "REF \"v\${VERSION}\"" "REF main" "not the tag of the version")
expect_refusal(${file} "set(VCPKG_BUILD_TYPE release)" "" "builds for release alone")
expect_refusal(${file} "TOKENPOOL_BUILD_TESTS" "TOKENPOOL_TESTS" "no option TOKENPOOL_TESTS")
expect_refusal(${file} "share/cmake/tokenpool)" "lib/cmake/tokenpool)" "nothing was installed")
expect_refusal(${file} "vcpkg_cmake_config_fixup(" "message(STATUS " "tokenpoolConfig.cmake was not installed")
expect_refusal(${file} "file(INSTALL " "message(STATUS " "usage was not installed")
expect_refusal(${file} "vcpkg_install_copyright(" "message(STATUS " "copyright was not installed")
expect_refusal(${file} "vcpkg_fixup_pkgconfig()" "file(WRITE \"\${CURRENT_PACKAGES_DIR}/share/note\" \"\${SOURCE_PATH}\")"
  "absolute path")
expect_refusal(${file} "vcpkg_fixup_pkgconfig()" "file(MAKE_DIRECTORY \"\${CURRENT_PACKAGES_DIR}/share/doc\")" "empty folder")
expect_refusal(vcpkg.json "\"version\": \"" "\"version\": \"9" "version.hpp")
expect_refusal(vcpkg.json "\"sqlite\": {" "\"sqlite3\": {" "knows the feature 'sqlite'")
expect_refusal(${file} "sqlite     CMAKE_DISABLE_FIND_PACKAGE_SQLite3\n" "" "still looks for SQLite3")
expect_refusal(usage "COMPONENTS sqlite" "COMPONENTS sqlite3" "usage does not tell of sqlite")
expect_refusal(vcpkg.json "vcpkg-cmake-config" "vcpkg-cmake-configuration" "does not depend on vcpkg-cmake-config")
expect_refusal(vcpkg.json "MIT" "BSD-3-Clause" "LICENSE")
