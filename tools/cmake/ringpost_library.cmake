# ringpost_library(NAME SOURCE...) makes the static library ringpost_NAME, alias ringpost::NAME.
#
# Includes are written from the root of the sources ("codec/base.h"), and every library may use the
# three things that are vocabulary rather than dependency: fmt, tl::expected and the warnings.
function(ringpost_library name)
  add_library(ringpost_${name} STATIC ${ARGN})
  add_library(ringpost::${name} ALIAS ringpost_${name})
  target_include_directories(ringpost_${name} PUBLIC "${PROJECT_SOURCE_DIR}")
  target_link_libraries(ringpost_${name}
    PUBLIC fmt::fmt tl::expected ringpost_instrumentation
    PRIVATE ringpost_warnings)
endfunction()
