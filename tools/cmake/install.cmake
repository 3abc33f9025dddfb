# cmake --install: the program; and with RINGPOST_LIBRARY the headers, both libraries, and what
# find_package(ringpost) and pkg-config look for. Two components, "program" and "library".
#
# Either library holds all of wolfSSL, liburing, intel-ipsec-mb, simdjson, fmt and toml++ that it
# needs, under names that nobody sees: a consumer may have another wolfSSL of its own. What is left
# to the system is what all releases have alike: libidn2, zlib, the C and the C++ library.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS ringpost RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT program)
if(NOT RINGPOST_LIBRARY)
  return()
endif()

set(own_parts engine protocol io queue tls codec)
list(TRANSFORM own_parts REPLACE "(.+)" "$<TARGET_OBJECTS:ringpost_\\1>"
     OUTPUT_VARIABLE own_objects)
set(symbols "${PROJECT_SOURCE_DIR}/tools/cmake/libringpost.map")
add_library(ringpost_shared SHARED ${own_objects})
set_target_properties(ringpost_shared PROPERTIES
  OUTPUT_NAME ringpost VERSION "${PROJECT_VERSION}" SOVERSION "${PROJECT_VERSION_MAJOR}"
  LINKER_LANGUAGE CXX LINK_DEPENDS "${symbols}")
target_link_options(ringpost_shared PRIVATE
  "LINKER:--version-script=${symbols}" LINKER:--gc-sections LINKER:-z,defs)
target_link_libraries(ringpost_shared PRIVATE
  simdjson::simdjson ringpost::wolfssl ringpost::liburing ringpost::ipsec_mb ringpost::idn2
  ZLIB::ZLIB Threads::Threads)

# Its public symbols are those of the shared one.
set(static_library "${PROJECT_BINARY_DIR}/libringpost.a")
add_custom_command(OUTPUT "${static_library}"
  COMMAND "${PROJECT_SOURCE_DIR}/tools/cmake/static_library.sh" "${static_library}"
          "$<TARGET_FILE:ringpost_shared>" "${own_objects}" --
          "$<TARGET_FILE:simdjson::simdjson>" "$<TARGET_FILE:ringpost::wolfssl>"
          "$<TARGET_FILE:ringpost::liburing>"
          "$<TARGET_PROPERTY:ringpost::ipsec_mb,INTERFACE_LINK_LIBRARIES>"
  DEPENDS ringpost_shared "${PROJECT_SOURCE_DIR}/tools/cmake/static_library.sh"
  COMMAND_EXPAND_LISTS VERBATIM)
add_custom_target(ringpost_static ALL DEPENDS "${static_library}")

set(config_folder "${CMAKE_INSTALL_LIBDIR}/cmake/ringpost")
set(from_folder "${PROJECT_SOURCE_DIR}/tools/cmake")
set(to_folder "${PROJECT_BINARY_DIR}/library")
configure_package_config_file("${from_folder}/ringpost-config.cmake.in"
  "${to_folder}/ringpost-config.cmake" INSTALL_DESTINATION "${config_folder}"
  PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR)
# Before 1.0 another minor version may have another interface.
write_basic_package_version_file("${to_folder}/ringpost-config-version.cmake"
  COMPATIBILITY SameMinorVersion)
file(RELATIVE_PATH include_from_pc "/${CMAKE_INSTALL_LIBDIR}/pkgconfig"
     "/${CMAKE_INSTALL_INCLUDEDIR}")
foreach(name IN ITEMS ringpost ringpost-static)
  configure_file("${from_folder}/${name}.pc.in" "${to_folder}/${name}.pc" @ONLY)
endforeach()

install(TARGETS ringpost_shared
  LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT library)
install(FILES "${static_library}" DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT library)
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/ringpost"
  DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT library FILES_MATCHING PATTERN "*.h")
install(FILES "${to_folder}/ringpost-config.cmake" "${to_folder}/ringpost-config-version.cmake"
  DESTINATION "${config_folder}" COMPONENT library)
install(FILES "${to_folder}/ringpost.pc" "${to_folder}/ringpost-static.pc"
  DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig" COMPONENT library)

include(package)
