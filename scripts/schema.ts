/**
 * Makes the TypeScript of the gateway's messages: proto/*.proto -> src/gateway/schema/*.ts, one
 * file a file, and the descriptors that server reflection answers with.
 *
 *   node scripts/schema.ts           writes them
 *   node scripts/schema.ts --check   fails when they are not what proto/ says
 */

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describeFile } from './schema-descriptor.ts';
import { type ProtoFile, parseProto } from './schema-parser.ts';
import { writeDescriptors, writeSchema } from './schema-typescript.ts';

const root = resolve(import.meta.dirname, '..');
const folder = join(root, 'src', 'gateway', 'schema');

main();

function main(): void {
  const made = makeAll();
  const isCheck = process.argv.includes('--check');
  const stale = [...made].filter(([path, text]) => current(path) !== text);
  if (!isCheck) for (const [path, text] of stale) writeFileSync(path, text);
  for (const [path] of stale) process.stdout.write(`${isCheck ? 'stale' : 'written'}: ${path}\n`);
  process.exitCode = isCheck && stale.length > 0 ? 1 : 0;
}

/** The files by path. */
function makeAll(): Map<string, string> {
  const names = readdirSync(join(root, 'proto')).filter((name) => name.endsWith('.proto'));
  const files: ProtoFile[] = names
    .sort()
    .map((name) => parseProto(name, readFileSync(join(root, 'proto', name), 'utf8')));
  const made = new Map<string, string>();
  for (const file of files) made.set(pathOf(file.name), writeSchema(file, files));
  const descriptors = files.map((file) => describeFile(file, files));
  made.set(join(folder, 'descriptors.ts'), writeDescriptors(descriptors));
  return new Map([...made].map(([path, text]) => [path, format(path, text)]));
}

function pathOf(name: string): string {
  return join(folder, name.replace(/\.proto$/, '.ts'));
}

function format(path: string, text: string): string {
  const biome = join(root, 'node_modules', '.bin', 'biome');
  const args = ['check', '--write', `--stdin-file-path=${path}`];
  return execFileSync(biome, args, { input: text, encoding: 'utf8', cwd: root });
}

function current(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
