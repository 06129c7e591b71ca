# `make install`: what a C++ program needs, without Python: the library, its headers, and Arrow's
# libraries and headers from the wheel that it was built with, so that both have one Arrow.
include(CMakePackageConfigHelpers)

get_target_property(TUSK_SO_VERSION tusk SOVERSION)
get_target_property(_arrow_library Arrow::arrow IMPORTED_LOCATION)
string(REGEX REPLACE ".*\\.so\\." "" TUSK_ARROW_SO_VERSION "${_arrow_library}")

# Arrow lies beside it when it is installed, and in the wheel of pyarrow beside the Python package.
set_target_properties(tusk PROPERTIES INSTALL_RPATH "$ORIGIN:$ORIGIN/../pyarrow")

# One name for the file, as in the wheel: the link that a linker needs is of the package's own.
set_target_properties(tusk PROPERTIES VERSION ${TUSK_SO_VERSION})
install(TARGETS tusk LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT cpp)
foreach(name arrow compute parquet)
  get_target_property(library Arrow::${name} IMPORTED_LOCATION)
  install(FILES "${library}" DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT cpp)
endforeach()
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/tusk" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
  COMPONENT cpp FILES_MATCHING PATTERN "*.h")
install(FILES "${PROJECT_BINARY_DIR}/include/tusk/export.h"
  DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/tusk" COMPONENT cpp)
# In a folder of their own: another Arrow of the system must not be mixed with these.
foreach(folder arrow parquet)
  install(DIRECTORY "${PyArrowCpp_INCLUDE_DIR}/${folder}"
    DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/tusk-arrow" COMPONENT cpp)
endforeach()

set(_package "${CMAKE_INSTALL_LIBDIR}/cmake/tusk")
configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/tuskConfig.cmake.in"
  "${PROJECT_BINARY_DIR}/cmake/tuskConfig.cmake" INSTALL_DESTINATION "${_package}"
  PATH_VARS CMAKE_INSTALL_LIBDIR CMAKE_INSTALL_INCLUDEDIR)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/cmake/tuskConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/cmake/tuskConfig.cmake"
  "${PROJECT_BINARY_DIR}/cmake/tuskConfigVersion.cmake" DESTINATION "${_package}" COMPONENT cpp)
