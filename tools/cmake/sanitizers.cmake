# Flags of every target: frame pointers for perf, and the sanitizers of the preset.
add_library(ringpost_instrumentation INTERFACE)
target_compile_options(ringpost_instrumentation INTERFACE -fno-omit-frame-pointer)

if(RINGPOST_SANITIZE)
  list(JOIN RINGPOST_SANITIZE "," sanitizers)
  # Whatever a sanitizer finds ends the program, so that a test cannot pass over it.
  target_compile_options(ringpost_instrumentation INTERFACE
    -fsanitize=${sanitizers} -fno-sanitize-recover=all)
  target_link_options(ringpost_instrumentation INTERFACE -fsanitize=${sanitizers})
  # Half of what a short test takes is to relocate all that a sanitizer notes of each variable.
  target_compile_options(ringpost_instrumentation INTERFACE -fno-pie)
  target_link_options(ringpost_instrumentation INTERFACE -no-pie)
  target_compile_definitions(ringpost_instrumentation INTERFACE _GLIBCXX_ASSERTIONS)

  if("thread" IN_LIST RINGPOST_SANITIZE AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # GCC says that it does not model the stand-alone fences of the concurrent queue.
    target_compile_options(ringpost_instrumentation INTERFACE -Wno-tsan)
  endif()
endif()
