# cmake -DOUTPUT=file.cpp -DHEADER=path/of.h -DFUNCTION=texts -DTYPE=Text "-DFILES=a;b" -P this
#
# Writes a source that has the texts of these files, each under its name without the suffix, in a
# function of this name in the namespace ringpost::cli.
cmake_minimum_required(VERSION 3.25)

set(out "// Written by tools/cmake/embed_texts.cmake; the texts stand in files of their own.\n")
string(APPEND out "#include \"${HEADER}\"\n\nnamespace ringpost::cli {\n\n")
string(APPEND out "namespace {\n\nconstexpr ${TYPE} all_texts[] = {\n")
foreach(file IN LISTS FILES)
  # C++ promises no more for one literal.
  file(SIZE "${file}" size)
  if(size GREATER 65000)
    message(FATAL_ERROR "${file} has ${size} octets, and more than 65000 fit no literal")
  endif()
  file(READ "${file}" text)
  string(FIND "${text}" ")_text\"" at)
  if(NOT at EQUAL -1)
    message(FATAL_ERROR "${file} has what ends a literal: )_text\"")
  endif()
  get_filename_component(name "${file}" NAME_WE)
  string(APPEND out "    {\"${name}\", R\"_text(${text})_text\"},\n")
endforeach()
string(APPEND out "};\n\n}  // namespace\n\n")
string(APPEND out "std::span<const ${TYPE}> ${FUNCTION}() { return all_texts; }\n\n")
string(APPEND out "}  // namespace ringpost::cli\n")
file(WRITE "${OUTPUT}" "${out}")
