// What npm's ajv says of lines of JSON: judge_with_ajv.js SCHEMA, lines on standard input, and for
// each one a line of output: "valid", or where and why not. Needs NODE_PATH.
"use strict";

const fs = require("fs");
const Ajv = require("ajv/dist/2020");

// A schema that ajv finds odd is refused, but for types in unions and bounds that hold for one of
// them. Formats are remarks in this version of JSON Schema: what they forbid, patterns do.
const ajv = new Ajv({strict: true, strictRequired: false, strictTypes: false, allowUnionTypes: true,
  validateFormats: false});
const validate = ajv.compile(JSON.parse(fs.readFileSync(process.argv[2], "utf8")));

for (const line of fs.readFileSync(0, "utf8").split("\n").filter((one) => one !== "")) {
  const valid = validate(JSON.parse(line));
  const why = valid ? "" : validate.errors.map((one) => `${one.instancePath} ${one.message}`);
  console.log(valid ? "valid" : JSON.stringify(why));
}
