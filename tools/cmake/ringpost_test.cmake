include(Catch)

# What ThreadSanitizer shall pass over; other builds do not look at it.
set(RINGPOST_TSAN_OPTIONS "TSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tools/dev.d/tsan.supp")

# Sets `variable` to whether a test with these labels exists in this build: under ThreadSanitizer
# there are those alone that have `threads` among them, since the others have nothing for it to see.
function(ringpost_test_is_wanted variable)
  set(${variable} TRUE PARENT_SCOPE)
  if("thread" IN_LIST RINGPOST_SANITIZE AND NOT "threads" IN_LIST ARGN)
    set(${variable} FALSE PARENT_SCOPE)
  endif()
endfunction()

# ringpost_test(NAME SOURCES file... LABELS label... LIBS target...)
#
# A Catch2 executable, every case of which is a test of its own, run in its own process. Discovery
# waits until ctest runs, so that a program that cannot start fails the tests and not the build.
function(ringpost_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "SOURCES;LABELS;LIBS")
  ringpost_test_is_wanted(wanted ${arg_LABELS})
  if(NOT wanted)
    return()
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 600)
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}")
  target_link_libraries(${name} PRIVATE
    ${arg_LIBS} Catch2::Catch2WithMain ringpost_warnings ringpost_instrumentation)
  # One label with commas: Catch2's module takes lists apart, and ctest -L looks for a part anyway.
  list(JOIN arg_LABELS "," labels)
  catch_discover_tests(${name}
    TEST_PREFIX "${name}: "
    DISCOVERY_MODE PRE_TEST
    PROPERTIES LABELS "${labels}" TIMEOUT ${arg_TIMEOUT} ENVIRONMENT "${RINGPOST_TSAN_OPTIONS}")
endfunction()

# ringpost_python_test(NAME SCRIPT file LABELS label... [TIMEOUT seconds]
#                      [ENVIRONMENT name=value...])
#
# A Python unittest module that runs the real program, which it finds in $RINGPOST.
function(ringpost_python_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "SCRIPT;TIMEOUT" "LABELS;ENVIRONMENT")
  ringpost_test_is_wanted(wanted ${arg_LABELS})
  if(NOT wanted)
    return()
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 900)
  endif()
  add_test(NAME ${name}
    COMMAND Python3::Interpreter -B -W error::ResourceWarning
            "${CMAKE_CURRENT_SOURCE_DIR}/${arg_SCRIPT}" --verbose
    WORKING_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}")
  set(environment "RINGPOST=$<TARGET_FILE:ringpost>" "PYTHONPATH=${PROJECT_SOURCE_DIR}/tests"
                  "${RINGPOST_TSAN_OPTIONS}" ${arg_ENVIRONMENT})
  # The cost lets the long ones begin first.
  set_tests_properties(${name} PROPERTIES LABELS "${arg_LABELS}" TIMEOUT ${arg_TIMEOUT}
    COST ${arg_TIMEOUT} ENVIRONMENT "${environment}")
endfunction()
