import assert from 'node:assert/strict';
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';

const STREAMS = JSON.stringify(join(import.meta.dirname, 'standard-streams.ts'));
const INTERRUPTIONS = JSON.stringify(join(import.meta.dirname, 'interruptions.ts'));

const FULL = 'error: cannot write to standard output: no space left on device\n';
const skip = process.platform !== 'linux';

/** Runs a script in a process with watched streams. `redirection` and what is run `before` it are a shell's. */
function runScript(script: string, redirection: string, before = ''): SpawnSyncReturns<string> {
	const whole = `
		const { watchStandardStreams, exitDrained } = await import(${STREAMS});
		const interruptions = await import(${INTERRUPTIONS});
		watchStandardStreams();
		${script}`;
	const node = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', whole];
	const args = ['-c', `${before} "$@" ${redirection}`, 'sh', process.execPath, ...node];
	return spawnSync('sh', args, { encoding: 'utf8' });
}

test('output to a full disk is an error, also right before the exit', { skip }, () => {
	for (const end of ['process.exit(0)', 'await exitDrained(0)', 'setTimeout(() => {}, 60_000)', '']) {
		const { status, stderr } = runScript(`process.stdout.write('x'); ${end}`, '> /dev/full');
		assert.deepEqual([status, stderr], [1, FULL], end);
	}
});

test('a command that listens decides what a full disk ends, once', { skip }, () => {
	const script = `
		interruptions.onInterrupt((by) => { console.error(by); setTimeout(() => exitDrained(0), 10); });
		for (let count = 0; count < 3; count++) setTimeout(() => process.stdout.write('x'), count);`;
	const { status, stderr } = runScript(script, '> /dev/full');
	assert.deepEqual([status, stderr], [1, `${FULL}write-error\n`]);
});

test('a server runs on without its output', { skip }, () => {
	const script = `
		interruptions.continueWithoutOutput();
		process.stdout.write('x');
		setTimeout(() => console.error('still here'), 10);`;
	const { status, stderr } = runScript(script, '> /dev/full');
	assert.deepEqual([status, stderr], [0, `${FULL}still here\n`]);
});

test('a full standard error is ignored', { skip }, () => {
	const script = `process.stderr.write('x'); setTimeout(() => process.stdout.write('end'), 10);`;
	const { status, stdout } = runScript(script, '2> /dev/full');
	assert.deepEqual([status, stdout], [0, 'end']);
});

test('text for which a file has no room is an error, although a part of it was written', {
	skip,
}, (t: TestContext) => {
	const folder = mkdtempSync(join(tmpdir(), 'stint-streams-'));
	t.after(() => rmSync(folder, { recursive: true }));
	const file = join(folder, 'out');
	const script = `process.stdout.write('x'.repeat(100_000));`;
	assert.equal(runScript(script, `> ${file}`).status, 0);
	assert.equal(readFileSync(file, 'utf8').length, 100_000);
	const { status, stderr } = runScript(script, `> ${file}`, 'ulimit -f 4;');
	assert.deepEqual([status, stderr], [1, 'error: cannot write to standard output: file too large\n']);
});
