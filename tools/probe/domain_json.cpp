// The same points as in the text, and beside them what they were concluded from.
#include "tools/probe/domain_json.h"

#include <string_view>

namespace ringpost::cli {

namespace {

std::string_view name_of_key(DkimKey key) {
  constexpr std::string_view names[] = {"rsa", "ed25519", "unknown"};
  return names[static_cast<std::size_t>(key)];
}

void add_spf(JsonWriter& json, const DomainFinding& finding) {
  const SpfFinding& spf = finding.spf;
  json.open("spf", '{');
  json.text("domain", spf.domain);
  json.text("standing", name_of(spf.standing));
  if (!spf.problem.empty()) {
    json.text("problem", spf.problem);
  }
  json.texts("records", spf.records);
  json.number("lookups", static_cast<std::int64_t>(spf.lookups));
  json.number("void_lookups", static_cast<std::int64_t>(spf.void_lookups));
  json.open("terms", '[');
  for (const SpfStep& step : spf.steps) {
    json.open('{');
    json.number("depth", static_cast<std::int64_t>(step.depth));
    json.text("domain", step.domain);
    json.text("term", step.term);
    json.boolean("void", step.is_void);
    json.close('}');
  }
  json.close(']');
  if (!finding.provider_spf.empty()) {
    json.open("provider", '{');
    json.text("term", finding.provider_spf);
    json.boolean("found", spf.provider_after.has_value());
    if (spf.provider_after) {
      json.text("in", spf.provider_in);
      json.number("after_lookups", static_cast<std::int64_t>(*spf.provider_after));
    }
    json.close('}');
  }
  json.boolean("aligned", finding.spf_aligned);
  json.close('}');
}

void add_key(JsonWriter& json, const DkimFinding& key) {
  json.open('{');
  json.text("selector", key.selector);
  json.text("name", key.name);
  json.text("standing", name_of(key.standing));
  if (!key.problem.empty()) {
    json.text("problem", key.problem);
  }
  if (!key.alias_of.empty()) {
    json.text("alias_of", key.alias_of);
  }
  if (key.record) {
    json.text("key", name_of_key(key.record->key));
    json.number("bits", static_cast<std::int64_t>(key.record->bits));
    json.boolean("testing", key.record->is_testing);
  }
  json.close('}');
}

void add_dmarc(JsonWriter& json, const DmarcFinding& dmarc) {
  json.open("dmarc", '{');
  json.text("organizational_domain", dmarc.organization);
  if (!dmarc.problem.empty()) {
    json.text("problem", dmarc.problem);
  }
  if (dmarc.record) {
    json.text("found_at", dmarc.found_at);
    json.text("record", dmarc.text);
    json.text("policy", name_of(dmarc.policy()));
    json.text("adkim", dmarc.record->strict_dkim ? "s" : "r");
    json.text("aspf", dmarc.record->strict_spf ? "s" : "r");
    json.texts("rua", dmarc.record->reports);
  }
  json.close('}');
}

void add_rest(JsonWriter& json, const DomainFinding& finding) {
  json.open("mx", '[');
  for (const MxFinding& mx : finding.mx) {
    json.open('{');
    json.text("domain", mx.domain);
    json.texts("hosts", mx.hosts);
    if (!mx.error.empty()) {
      json.text("error", mx.error);
    }
    json.close('}');
  }
  json.close(']');
  if (finding.one_click) {
    json.open("one_click", '{');
    json.text("url", finding.one_click->url);
    json.boolean("resolves", finding.one_click->resolves);
    json.close('}');
  }
}

void add_points(JsonWriter& json, const DomainFinding& finding) {
  json.open("points", '[');
  for (const DomainPoint& point : finding.points) {
    json.open('{');
    json.text("area", name_of(point.area));
    json.text("level", name_of(point.level));
    json.text("message", point.what);
    if (point.change) {
      json.open("record", '{');
      json.text("action", point.change->replaces ? "replace" : "add");
      json.text("name", point.change->name);
      json.text("type", point.change->type);
      json.whole_text("value", point.change->value);
      json.close('}');
    }
    json.close('}');
  }
  json.close(']');
}

}  // namespace

void add_domain(JsonWriter& json, const DomainFinding& finding) {
  json.open("domain", '{');
  json.text("from", finding.from);
  json.text("envelope_from", finding.envelope_from);
  json.boolean("envelope_is_providers", finding.is_envelope_provider);
  if (!finding.provider.empty()) {
    json.text("provider", finding.provider);
  }
  json.boolean("ok", finding.ok());
  if (!finding.is_envelope_provider) {
    add_spf(json, finding);
  }
  json.open("dkim", '[');
  for (const DkimFinding& key : finding.dkim) {
    add_key(json, key);
  }
  json.close(']');
  add_dmarc(json, finding.dmarc);
  add_rest(json, finding);
  add_points(json, finding);
  json.close('}');
}

}  // namespace ringpost::cli
