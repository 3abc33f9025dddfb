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

# ringpost_test(NAME SOURCES file... LABELS label... LIBS target...
#               [TIMEOUT seconds] [COST seconds] [AGAIN word variable])
#
# A Catch2 executable, every case of which is a test of its own, run in its own process. Discovery
# waits until ctest runs, so that a program that cannot start fails the tests and not the build.
#
# With a sanitizer the program is one test, because it takes longer to start than most cases do:
# tools/dev.d/catch_program.py runs it and leaves the counts of its cases in the folder "cases".
#
# COST is about what it takes, see ringpost_python_test. AGAIN runs all cases a second time, with
# that variable set to that word.
function(ringpost_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT;COST" "SOURCES;LABELS;LIBS;AGAIN")
  ringpost_test_is_wanted(wanted ${arg_LABELS})
  if(NOT wanted)
    return()
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 600)
  endif()
  if(NOT arg_COST)
    set(arg_COST 30)
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}")
  target_link_libraries(${name} PRIVATE
    ${arg_LIBS} Catch2::Catch2WithMain ringpost_warnings ringpost_instrumentation)
  # One label with commas: Catch2's module takes lists apart, and ctest -L looks for a part anyway.
  list(JOIN arg_LABELS "," labels)
  # Cases compute rather than wait: see tools/dev.d/test.sh.
  if(RINGPOST_SANITIZE)
    add_test(NAME ${name}
      COMMAND Python3::Interpreter -B "${PROJECT_SOURCE_DIR}/tools/dev.d/catch_program.py"
              $<TARGET_FILE:${name}> "${PROJECT_BINARY_DIR}/cases/${name}.json")
    set_tests_properties(${name} PROPERTIES LABELS "${labels}" TIMEOUT ${arg_TIMEOUT} PROCESSORS 2
      COST ${arg_COST} ENVIRONMENT "${RINGPOST_TSAN_OPTIONS}")
    if(arg_AGAIN)
      list(GET arg_AGAIN 0 word)
      list(GET arg_AGAIN 1 variable)
      add_test(NAME ${name}_${word}
        COMMAND Python3::Interpreter -B "${PROJECT_SOURCE_DIR}/tools/dev.d/catch_program.py"
                $<TARGET_FILE:${name}> "${PROJECT_BINARY_DIR}/cases/${name}_${word}.json")
      set_tests_properties(${name}_${word} PROPERTIES LABELS "${labels}" TIMEOUT ${arg_TIMEOUT}
        PROCESSORS 2 COST ${arg_COST} ENVIRONMENT "${RINGPOST_TSAN_OPTIONS};${variable}=${word}")
    endif()
  else()
    catch_discover_tests(${name}
      TEST_PREFIX "${name}: "
      DISCOVERY_MODE PRE_TEST
      PROPERTIES LABELS "${labels}" TIMEOUT ${arg_TIMEOUT} PROCESSORS 2
        ENVIRONMENT "${RINGPOST_TSAN_OPTIONS}")
    if(arg_AGAIN)
      list(GET arg_AGAIN 0 word)
      list(GET arg_AGAIN 1 variable)
      catch_discover_tests(${name}
        TEST_PREFIX "${name}, ${word}: "
        TEST_LIST ${name}_${word}_TESTS
        EXTRA_ARGS --name ${word}  # of the run; without it both calls would write one file
        DISCOVERY_MODE PRE_TEST
        PROPERTIES LABELS "${labels}" TIMEOUT ${arg_TIMEOUT} PROCESSORS 2
          ENVIRONMENT "${variable}=${word}")
    endif()
  endif()
endfunction()

# Sets `variable` to the parts of a unittest module, `kind` being "classes" or "cases". The program
# is not built yet, and what decides what there is to test is not asked of it.
function(ringpost_test_parts variable kind script)
  get_filename_component(module "${script}" NAME_WE)
  execute_process(
    COMMAND "${CMAKE_COMMAND}" -E env "PYTHONPATH=${PROJECT_SOURCE_DIR}/tests" RINGPOST=/dev/null
            "${Python3_EXECUTABLE}" -B "${PROJECT_SOURCE_DIR}/tools/dev.d/test_parts.py"
            ${kind} ${module}
    WORKING_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}"
    OUTPUT_VARIABLE parts OUTPUT_STRIP_TRAILING_WHITESPACE
    COMMAND_ERROR_IS_FATAL ANY)
  string(REPLACE "\n" ";" parts "${parts}")
  set(${variable} "${parts}" PARENT_SCOPE)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${script}")
endfunction()

# ringpost_python_test(NAME SCRIPT file LABELS label... [TIMEOUT seconds] [COST seconds]
#                      [SPLIT classes|cases] [PROCESSORS n] [ENVIRONMENT name=value...])
#
# A Python unittest module that runs the real program, which it finds in $RINGPOST. SPLIT makes a
# test of each of its classes or cases: for modules that wait for minutes, which can be done beside
# each other. COST is about how many seconds it takes, and the longest begin first. PROCESSORS are
# 2 where it computes rather than waits, see tools/dev.d/test.sh.
function(ringpost_python_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "SCRIPT;TIMEOUT;COST;SPLIT;PROCESSORS"
                        "LABELS;ENVIRONMENT")
  ringpost_test_is_wanted(wanted ${arg_LABELS})
  if(NOT wanted)
    return()
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 900)
  endif()
  if(NOT arg_COST)
    set(arg_COST 30)
  endif()
  if(NOT arg_PROCESSORS)
    set(arg_PROCESSORS 1)
  endif()
  set(environment "RINGPOST=$<TARGET_FILE:ringpost>" "PYTHONPATH=${PROJECT_SOURCE_DIR}/tests"
                  "${RINGPOST_TSAN_OPTIONS}" ${arg_ENVIRONMENT})
  set(script "${CMAKE_CURRENT_SOURCE_DIR}/${arg_SCRIPT}")
  set(parts "")
  if(arg_SPLIT)
    ringpost_test_parts(parts ${arg_SPLIT} "${script}")
  endif()
  set(tests ${name})
  if(parts)
    list(TRANSFORM parts PREPEND "${name}: " OUTPUT_VARIABLE tests)
  endif()
  foreach(test part IN ZIP_LISTS tests parts)
    add_test(NAME "${test}"
      COMMAND Python3::Interpreter -B -W error::ResourceWarning "${script}" --verbose ${part}
      WORKING_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}")
    set_tests_properties("${test}" PROPERTIES LABELS "${arg_LABELS}" TIMEOUT ${arg_TIMEOUT}
      COST ${arg_COST} PROCESSORS ${arg_PROCESSORS} ENVIRONMENT "${environment}")
  endforeach()
endfunction()
