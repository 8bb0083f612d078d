import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { ROOT } from '../test/support/processes.ts';

/** The binaries of native/ belong to its sources: a user gets them without a compiler. */
const BINARIES = 'src/runtime/process/shim/bin';
const SUMS = join(ROOT, BINARIES, 'SHA256SUMS');

function hashOf(path: string): string {
	return createHash('sha256').update(readFileSync(path)).digest('hex');
}

/** The hash of all sources of the binaries, in the order of their names. */
function sourceHash(): string {
	const hash = createHash('sha256');
	for (const name of globSync('native/**/*', { cwd: ROOT, withFileTypes: true })
		.filter((entry) => entry.isFile())
		.map((entry) => join(entry.parentPath, entry.name))
		.sort())
		hash.update(readFileSync(name));
	return hash.digest('hex');
}

/** Runs `act` with a new folder; skips the test if the tool that it needs is not installed. */
function built(t: TestContext, check: readonly string[], act: (folder: string) => void): void {
	const [command = '', ...args] = check;
	try {
		execFileSync(command, args, { stdio: 'ignore' });
	} catch {
		t.skip(`${command} ${args.join(' ')} does not run on this machine`);
		return;
	}
	const folder = mkdtempSync(join(tmpdir(), 'stint-shim-'));
	try {
		act(folder);
		for (const name of globSync('*', { cwd: folder }))
			assert.equal(
				hashOf(join(folder, name)),
				hashOf(join(ROOT, BINARIES, name)),
				`${name} is not of its sources`,
			);
	} finally {
		rmSync(folder, { recursive: true });
	}
}

test('the binaries of the shim were made from the present sources', () => {
	const lines = readFileSync(SUMS, 'utf8').trim().split('\n');
	const sums = new Map(lines.map((line) => [line.slice(66), line.slice(0, 64)] as const));
	assert.equal(sums.get('native'), sourceHash(), 'run native/build.sh after a change of native/');
	for (const name of [
		'stint-shim-x64',
		'stint-shim-arm64',
		'runtime-default-x64.bpf',
		'runtime-default-arm64.bpf',
	])
		assert.equal(sums.get(name), hashOf(join(ROOT, BINARIES, name)), name);
});

test('a build of the shim gives the committed binaries, byte for byte', (t) => {
	const zig = (process.env.ZIG ?? 'python3 -m ziglang').split(' ');
	built(t, [...zig, 'version'], (folder) => {
		execFileSync(join(ROOT, 'native/build.sh'), [folder], { stdio: 'pipe' });
		rmSync(join(folder, 'SHA256SUMS'), { force: true });
	});
});

test('the filters of the shim are those of the profile', (t) => {
	built(t, ['/usr/bin/python3', '-c', 'import seccomp'], (folder) => {
		execFileSync('/usr/bin/python3', [join(ROOT, 'native/seccomp/generate.py'), folder], { stdio: 'pipe' });
	});
});
