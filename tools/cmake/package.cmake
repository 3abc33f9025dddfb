# The Debian package, by `cpack -G DEB` (tools/dev package): program, manual, completions, an empty
# configuration and examples. It depends on libraries that Debian 12 and 13 have under one name.
set(RINGPOST_MAINTAINER "The ringpost developers <packages@ringpost.invalid>" CACHE STRING
    "Who answers for packages that are made here: Name <address>")
set(pages "${PROJECT_BINARY_DIR}/pages")
set(package_folder "${PROJECT_SOURCE_DIR}/tools/package")

add_custom_command(OUTPUT "${pages}/doc/changelog.gz"
  COMMAND "${CMAKE_COMMAND}" -E env "RINGPOST_MAINTAINER=${RINGPOST_MAINTAINER}"
          "${package_folder}/pages.sh" "$<TARGET_FILE:ringpost>" "${pages}" "${PROJECT_VERSION}"
  DEPENDS ringpost "${package_folder}/pages.sh" "${PROJECT_SOURCE_DIR}/CHANGELOG.md"
  VERBATIM)
add_custom_target(ringpost_pages ALL DEPENDS "${pages}/doc/changelog.gz")

set(share "${CMAKE_INSTALL_DATAROOTDIR}")
set(doc "${CMAKE_INSTALL_DOCDIR}")
install(DIRECTORY "${pages}/man/" DESTINATION "${CMAKE_INSTALL_MANDIR}" COMPONENT program)
install(FILES "${pages}/ringpost" DESTINATION "${share}/bash-completion/completions"
  COMPONENT program)
install(FILES "${pages}/_ringpost" DESTINATION "${share}/zsh/vendor-completions"
  COMPONENT program)
install(FILES "${pages}/ringpost.fish" DESTINATION "${share}/fish/vendor_completions.d"
  COMPONENT program)
install(FILES "${package_folder}/copyright" "${pages}/doc/changelog.gz"
  "${pages}/doc/CHANGELOG.md.gz" "${PROJECT_SOURCE_DIR}/docs/CONTRACT.md"
  DESTINATION "${doc}" COMPONENT program)
install(DIRECTORY "${PROJECT_SOURCE_DIR}/tools/examples/" DESTINATION "${doc}/examples"
  COMPONENT program PATTERN "submit.*" PATTERN "ringpost.py"
  PATTERN "examples/CMakeLists.txt" EXCLUDE)
install(FILES "${package_folder}/jobs.jsonl" DESTINATION "${doc}/examples" COMPONENT program)
install(DIRECTORY "${PROJECT_SOURCE_DIR}/tools/ops/" DESTINATION "${doc}/ops"
  COMPONENT program PATTERN "alerts_test.yml" EXCLUDE)
install(FILES "${package_folder}/ringpost.toml"
  DESTINATION "${CMAKE_INSTALL_FULL_SYSCONFDIR}/ringpost" COMPONENT program)

set(CPACK_GENERATOR DEB)
set(CPACK_COMPONENTS_ALL program)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_GROUPING ALL_COMPONENTS_IN_ONE)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEBIAN_PACKAGE_NAME ringpost)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_MAINTAINER "${RINGPOST_MAINTAINER}")
set(CPACK_DEBIAN_PACKAGE_SECTION mail)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "ca-certificates, libcurl4 | libcurl3-gnutls")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA "${package_folder}/conffiles")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "bulk email submission engine")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"ringpost hands bulk email to an email service provider over pooled, pipelined
SMTP submission sessions, and says for every recipient what became of it:
accepted, rejected, deferred, unsent, or honestly unknown.

Jobs are JSON lines, or a template and a table of recipients; outcomes are
JSON lines. It uses io_uring (Linux 6.1 or newer), or epoll.")
include(CPack)
