vcpkg_from_github(
    OUT_SOURCE_PATH SOURCE_PATH
    REPO tokenpool/tokenpool
    REF "v${VERSION}"
    SHA512 0
    HEAD_REF main
)

set(VCPKG_BUILD_TYPE release) # header-only port

vcpkg_check_features(OUT_FEATURE_OPTIONS FEATURE_OPTIONS
    INVERTED_FEATURES
        prometheus CMAKE_DISABLE_FIND_PACKAGE_prometheus-cpp
        redis      CMAKE_DISABLE_FIND_PACKAGE_Hiredis
        sqlite     CMAKE_DISABLE_FIND_PACKAGE_SQLite3
)

vcpkg_cmake_configure(
    SOURCE_PATH "${SOURCE_PATH}"
    OPTIONS
        -DTOKENPOOL_BUILD_TESTS=OFF
        -DTOKENPOOL_BUILD_EXAMPLES=OFF
        ${FEATURE_OPTIONS}
)
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(CONFIG_PATH share/cmake/tokenpool)
vcpkg_fixup_pkgconfig()

file(INSTALL "${CMAKE_CURRENT_LIST_DIR}/usage" DESTINATION "${CURRENT_PACKAGES_DIR}/share/${PORT}")
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE")
