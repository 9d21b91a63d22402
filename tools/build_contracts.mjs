// Compiles contracts/src/*.sol into contracts/build/*.json: ABI, creation bytecode, compiler. Build time only.
//   node tools/build_contracts.mjs           writes the files
//   node tools/build_contracts.mjs --check   compares instead; exit status 1 if a file would change
import { readFileSync, readdirSync, writeFileSync, existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..", "contracts");
const require = createRequire(join(root, "package.json"));
const solc = require("solc");

const source = join(root, "src");
const input = {
  language: "Solidity",
  sources: Object.fromEntries(
    readdirSync(source).filter((name) => name.endsWith(".sol")).sort()
      .map((name) => [name, { content: readFileSync(join(source, name), "utf8") }]),
  ),
  settings: {
    evmVersion: "cancun", // solc's own default, osaka, fails on chains that are not there yet
    optimizer: { enabled: true, runs: 200 },
    viaIR: true,
    metadata: { bytecodeHash: "none", appendCBOR: false }, // so that better words in a comment change no code
    outputSelection: { "*": { "*": ["abi", "evm.bytecode.object", "userdoc"] } },
  },
};
const libraries = (path) => {
  const file = join(root, "node_modules", path);
  return existsSync(file) ? { contents: readFileSync(file, "utf8") } : { error: `not found: ${path}` };
};
const output = JSON.parse(solc.compile(JSON.stringify(input), { import: libraries }));
for (const { formattedMessage } of output.errors ?? []) console.error(formattedMessage);
if ((output.errors ?? []).length) process.exit(2); // warnings count

let changed = 0;
for (const name of Object.keys(input.sources)) {
  const contract = name.replace(/\.sol$/, "");
  const { abi, evm, userdoc } = output.contracts[name]?.[contract] ?? {};
  if (!evm?.bytecode.object) continue; // an abstract one, or functions, stand in those that use them
  // What each error means, for people whose act was refused: its @notice.
  const errors = Object.fromEntries(
    Object.entries(userdoc.errors ?? {}).map(([signature, [{ notice }]]) => [signature.split("(")[0], notice]),
  );
  const built = { contract, compiler: solc.version(), evmVersion: "cancun", errors, abi, bytecode: "0x" + evm.bytecode.object };
  const text = JSON.stringify(built, null, 1) + "\n";
  const file = join(root, "build", `${contract}.json`);
  const same = existsSync(file) && readFileSync(file, "utf8") === text;
  console.log(`${contract}: ${evm.bytecode.object.length / 2} bytes, ${same ? "unchanged" : "changed"}`);
  if (same) continue;
  changed += 1;
  if (!process.argv.includes("--check")) writeFileSync(file, text);
}
process.exit(process.argv.includes("--check") && changed ? 1 : 0);
