/**
 * The Debian package: what is in it, and that it installs, runs and goes again, in a root of its
 * own. Its binary is target/kvorum where that is built, else one that runs the sources.
 */

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import t from 'tap';
import manifest from '../../package.json' with { type: 'json' };

const root = resolve(import.meta.dirname, '../..');
const has = (tool: string): boolean => spawnSync(tool, ['--version']).status === 0;
const isRoot = process.getuid?.() === 0;

const directory = await mkdtemp(join(tmpdir(), 'kvorum-deb-'));
t.teardown(() => rm(directory, { recursive: true, force: true }));

function run(file: string, ...args: readonly string[]): string {
  return execFileSync(file, args, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** The binary to package. */
async function findBinary(): Promise<string> {
  const built = join(root, 'target/kvorum');
  if (existsSync(built)) return built;
  const program = join(directory, 'kvorum');
  const main = join(root, 'src/main.ts');
  await writeFile(program, `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`);
  await chmod(program, 0o755);
  return program;
}

async function buildPackage(): Promise<string> {
  run('make', '-s', 'deb', `BINARY=${await findBinary()}`, `DEB_DIR=${directory}`);
  return join(directory, `kvorum_${manifest.version}_amd64.deb`);
}

/** A system without packages, that dpkg can install into. */
async function createSystem(): Promise<string> {
  const system = join(directory, 'system');
  await mkdir(join(system, 'var/lib/dpkg/info'), { recursive: true });
  await mkdir(join(system, 'var/lib/dpkg/updates'));
  await mkdir(join(system, 'etc'));
  await writeFile(join(system, 'var/lib/dpkg/status'), '');
  return system;
}

/** Runs dpkg on a system; maintainer scripts are told where it is. */
function dpkg(system: string, ...args: readonly string[]): void {
  const force = ['--force-depends', '--force-script-chrootless'];
  run('dpkg', `--root=${system}`, ...force, `--log=${system}/log`, ...args);
}

if (has('dpkg-deb')) {
  const deb = await buildPackage();

  t.test('the package holds all that a node on a server needs, of root, and no more', async (t) => {
    const lines = run('dpkg-deb', '-c', deb).trimEnd().split('\n');
    t.strictSame(
      lines.filter((line) => !line.includes(' root/root ')),
      [],
    );
    const files = lines
      .filter((line) => line.startsWith('-'))
      .map((line) => {
        const [mode = '', , , , , path = ''] = line.split(/\s+/);
        return `${mode} ${path}`;
      });
    t.strictSame(files, [
      '-rw-r--r-- ./etc/kvorum/kvorum.env',
      '-rw-r--r-- ./etc/kvorum/nodes.conf',
      '-rw-r--r-- ./etc/logrotate.d/kvorum',
      '-rwxr-xr-x ./usr/bin/kvorum',
      '-rw-r--r-- ./usr/lib/systemd/system/kvorum@.service',
      '-rw-r--r-- ./usr/lib/sysusers.d/kvorum.conf',
      '-rw-r--r-- ./usr/share/bash-completion/completions/kvorum',
      '-rw-r--r-- ./usr/share/doc/kvorum/changelog.gz',
      '-rw-r--r-- ./usr/share/doc/kvorum/copyright',
      '-rw-r--r-- ./usr/share/fish/vendor_completions.d/kvorum.fish',
      '-rw-r--r-- ./usr/share/man/man1/kvorum.1.gz',
      '-rw-r--r-- ./usr/share/zsh/vendor-completions/_kvorum',
    ]);
  });

  t.test(
    'no placeholder is left in the package, and its fields are those of this release',
    async (t) => {
      const extracted = join(directory, 'extracted');
      run('dpkg-deb', '-R', deb, extracted);
      const control = readFileSync(join(extracted, 'DEBIAN/control'), 'utf8');
      t.match(control, `Version: ${manifest.version}\n`);
      t.match(control, /^Installed-Size: \d+$/m);
      const unit = readFileSync(join(extracted, 'usr/lib/systemd/system/kvorum@.service'), 'utf8');
      t.match(unit, 'ExecStart=/usr/bin/kvorum serve --id %i\n');
      for (const text of [control, unit]) t.notMatch(text, /@[A-Z_]+@/);
      t.equal(
        readFileSync(join(extracted, 'DEBIAN/conffiles'), 'utf8'),
        '/etc/kvorum/kvorum.env\n/etc/kvorum/nodes.conf\n/etc/logrotate.d/kvorum\n',
      );
      for (const script of ['postinst', 'prerm', 'postrm']) {
        t.equal(spawnSync('sh', ['-n', join(extracted, 'DEBIAN', script)]).status, 0, script);
      }
    },
  );

  if (isRoot && has('systemd-sysusers')) {
    t.test('it installs with its user, runs, keeps what was configured, and purges', async (t) => {
      const system = await createSystem();
      dpkg(system, '-i', deb);
      t.match(
        await readFile(join(system, 'etc/passwd'), 'utf8'),
        /^kvorum:.*:\/usr\/sbin\/nologin$/m,
      );
      t.match(
        run(join(system, 'usr/bin/kvorum'), 'version'),
        `kvorum version: ${manifest.version}`,
      );
      const conf = join(system, 'etc/kvorum/nodes.conf');
      await writeFile(conf, '0 10.0.0.1 7001\n');
      const data = join(system, 'var/lib/kvorum/0');
      await mkdir(data, { recursive: true });
      dpkg(system, '-i', deb);
      t.equal(await readFile(conf, 'utf8'), '0 10.0.0.1 7001\n');
      dpkg(system, '-P', 'kvorum');
      t.notOk(existsSync(conf));
      t.notOk(existsSync(join(system, 'usr/bin/kvorum')));
      t.ok(existsSync(data), 'the data is never removed');
    });
  }
}

if (has('systemd-analyze')) {
  t.test('systemd finds no fault with the unit, and little exposure', async (t) => {
    const prefix = join(directory, 'prefix');
    await mkdir(join(prefix, 'bin'), { recursive: true });
    await writeFile(join(prefix, 'bin/kvorum'), '');
    await chmod(join(prefix, 'bin/kvorum'), 0o755);
    const template = await readFile(join(root, 'packaging/kvorum@.service'), 'utf8');
    const unit = join(directory, 'kvorum@0.service');
    await writeFile(unit, template.replaceAll('@PREFIX@', prefix));
    const verified = spawnSync('systemd-analyze', ['verify', '--man=no', unit], {
      encoding: 'utf8',
    });
    t.strictSame([verified.status, verified.stderr], [0, '']);
    const limit = ['--offline=true', '--threshold=20', unit];
    t.equal(spawnSync('systemd-analyze', ['security', ...limit]).status, 0, 'at most 2.0 of 10');
  });
}

t.test('a node that fails again and again is started again and again', async (t) => {
  const unit = await readFile(join(root, 'packaging/kvorum@.service'), 'utf8');
  t.match(unit, /^Restart=always$/m);
  t.match(unit, /^StartLimitIntervalSec=0$/m, 'the default gives up after 5 starts in 10 s');
});

t.test('the manual page names every command', async (t) => {
  const page = await readFile(join(root, 'packaging/kvorum.1'), 'utf8');
  const commands = run(process.execPath, 'src/main.ts', '__complete', '').trimEnd().split('\n');
  const named = new Set(page.match(/[\w-]+/g));
  t.strictSame(
    commands.filter((word) => !named.has(word)),
    ['help', 'version'],
  );
});
