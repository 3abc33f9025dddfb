# ringpost_library(NAME SOURCE...) makes the static library ringpost_NAME, alias ringpost::NAME.
#
# Includes are written from the root of the sources ("codec/mail/address.h"), but for the public
# headers (<ringpost/base.h>, in include/). Every library may use what is vocabulary rather than
# dependency: fmt and the warnings.
function(ringpost_library name)
  add_library(ringpost_${name} STATIC ${ARGN})
  add_library(ringpost::${name} ALIAS ringpost_${name})
  target_include_directories(ringpost_${name} PUBLIC
    "${PROJECT_SOURCE_DIR}/include" "${PROJECT_SOURCE_DIR}")
  target_link_libraries(ringpost_${name}
    PUBLIC ringpost::fmt ringpost_instrumentation
    PRIVATE ringpost_warnings)
endfunction()

# ringpost_heaps(TARGET SIZE): the files of this target are compiled SIZE at a time in every preset,
# because what they include costs more than what they say. An edit of one costs as much as SIZE.
function(ringpost_heaps target size)
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE ${size})
endfunction()
