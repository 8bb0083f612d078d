import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { runInNewContext } from 'node:vm';
import { ROOT } from './tidy/sources.ts';

/** The prefix into which the test installs the package as npm does: a folder in lib/, and a link in bin/. */
const prefix = mkdtempSync(join(tmpdir(), 'stint-package-'));
const installed = join(prefix, 'lib/node_modules/stint');

before(() => {
	const made = spawnSync('npm', ['run', '--silent', 'package', '--', '--pack-destination', prefix], {
		cwd: ROOT,
	});
	assert.equal(made.status, 0, String(made.stderr));
	const [archive = ''] = readdirSync(prefix);
	mkdirSync(installed, { recursive: true });
	mkdirSync(join(prefix, 'bin'));
	mkdirSync(join(prefix, 'home'));
	const unpacked = spawnSync('tar', ['xzf', archive, '-C', installed, '--strip-components=1'], {
		cwd: prefix,
	});
	assert.equal(unpacked.status, 0, String(unpacked.stderr));
	symlinkSync('../lib/node_modules/stint/stint', join(prefix, 'bin/stint'));
});
after(() => rmSync(prefix, { recursive: true, force: true }));

function stint(args: readonly string[], env: NodeJS.ProcessEnv = {}): ReturnType<typeof spawnSync> {
	const path = `${dirname(process.execPath)}:/usr/bin:/bin`;
	return spawnSync(join(prefix, 'bin/stint'), args, {
		env: { PATH: path, HOME: join(prefix, 'home'), ...env },
	});
}

test('the package contains the bundle, its licences and documents, and has no dependencies', () => {
	const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
	assert.deepEqual(
		{ bin: manifest.bin, engines: manifest.engines, private: manifest.private },
		{ bin: { stint: './stint' }, engines: { node: '>=24' }, private: undefined },
	);
	assert.equal(manifest.version, JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).version);
	assert.deepEqual(
		Object.keys(manifest).filter((key) => /dependencies|scripts/i.test(key)),
		[],
	);
	assert.deepEqual(
		readdirSync(installed).sort(),
		['CHANGELOG.md', 'LICENSE', 'README.md', 'dist', 'docs', 'package.json', 'stint'].sort(),
	);
	const licences = readFileSync(join(installed, 'dist/THIRD-PARTY-LICENSES.txt'), 'utf8');
	for (const name of ['commander', 'prom-client', 'yaml', 'temporal-polyfill']) {
		assert.match(licences, new RegExp(`^${name} \\d`, 'm'));
	}
});

test('the installed command runs a Job with the Node on the PATH, and prints no warnings', () => {
	const args = ['run', '--embedded', 'hello', '--image=i', '--command', '--', 'echo', 'hello'];
	const { status, stdout, stderr } = stint(args);
	assert.equal(status, 0, String(stderr));
	assert.match(String(stdout), /\] hello$/m);
	assert.doesNotMatch(String(stderr), /Warning/);
});

test('the installed command fails with a Node that is too old, and names the required version', () => {
	const shim = join(prefix, 'old-node.cjs');
	writeFileSync(
		shim,
		`Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.20.2' } });
		Object.defineProperty(process, 'version', { value: 'v20.20.2' });`,
	);
	const { status, stdout, stderr } = stint(['--version'], { NODE_OPTIONS: `--require=${shim}` });
	assert.deepEqual(
		[status, String(stdout), String(stderr)],
		[1, '', 'error: Node.js v20.20.2 is too old: stint needs Node.js 24 or newer\n'],
	);
});

test("compiled code goes into the user's cache folder if the folder of the bundle is not writable", () => {
	rmSync(join(installed, 'dist/code'), { recursive: true, force: true });
	writeFileSync(join(installed, 'dist/code'), 'in the way');
	const caches = join(prefix, 'caches');
	assert.equal(stint(['--version'], { XDG_CACHE_HOME: caches }).status, 0);
	const [build = ''] = readdirSync(join(caches, 'stint'));
	assert.match(build, /^\d+\.\d+\.\d+-\d+$/);
	assert.deepEqual(readdirSync(join(caches, 'stint', build)), ['client.cjs-help.1']);
});

test('the command ignores damaged compiled code', () => {
	rmSync(join(installed, 'dist/code'), { recursive: true, force: true });
	mkdirSync(join(installed, 'dist/code'));
	writeFileSync(join(installed, 'dist/code/client.cjs-help.1'), Buffer.alloc(5000, 7));
	const { status, stdout } = stint(['--version']);
	assert.equal(status, 0);
	assert.match(String(stdout), /^\d+\.\d+\.\d+\n$/);
});

test("the Temporal for older versions of Node knows the same time zones as Node's own", () => {
	const context: { Temporal?: typeof Temporal } = {};
	const source = readFileSync(join(installed, 'dist/temporal.cjs'), 'utf8');
	// A new context has Node's Temporal, and the polyfill replaces it only if it is deleted.
	runInNewContext(`delete globalThis.Temporal;${source}`, context);
	const other = context.Temporal;
	assert.ok(other && other !== Temporal);
	for (const zone of [
		'Europe/Berlin',
		'America/New_York',
		'Australia/Lord_Howe',
		'Asia/Kolkata',
		'Africa/Casablanca',
	]) {
		for (let year = 2020; year < 2040; year++) {
			const factsOf = (by: typeof Temporal): readonly unknown[] => {
				const at = by.Instant.fromEpochMilliseconds(Date.UTC(year, 4, 5, 6, 7)).toZonedDateTimeISO(zone);
				const text = at.toString({ smallestUnit: 'second', timeZoneName: 'never' });
				return [at.offsetNanoseconds, text, at.getTimeZoneTransition('next')?.epochMilliseconds];
			};
			assert.deepEqual(factsOf(other), factsOf(Temporal), `${zone} ${year}`);
		}
	}
	const zoned = (zone: string): Temporal.ZonedDateTime =>
		other.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(zone);
	assert.throws(() => zoned('Europe/Atlantis'), { name: 'RangeError' });
	assert.equal(zoned('europe/berlin').timeZoneId, 'Europe/Berlin');
});
