/** docs/CORRECTNESS.md names a test for each fault on etcd's record: each is there. */

import { readFileSync } from 'node:fs';
import t from 'tap';

/** Faults on the list, without the one that is about authentication. */
const FAULTS = 14;

const ROOT = new URL('../../', import.meta.url);

const document = readFileSync(new URL('docs/CORRECTNESS.md', ROOT), 'utf8');
const [, section = ''] = document.split("## etcd's own record");
const rows = [...(section.split('\n## ')[0] ?? '').matchAll(/^\| (.+) \| `(.+)` \| (.+) \|$/gm)];

t.equal(rows.length, FAULTS);
for (const [, fault, path = '', name] of rows) {
  const text = readFileSync(new URL(path, ROOT), 'utf8');
  t.ok(text.includes(`'${name}'`), `${fault}: ${path} has a test '${name}'`);
}
