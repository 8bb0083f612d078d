import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { ROOT, Running, run, temporaryFolder } from '../support/processes.ts';
import { startStint } from '../support/stint-server.ts';

/**
 * Pipes: commands must write all of their output before they exit, whether it is read late, at once or not at
 * all. Node's writes to pipes are asynchronous, so `process.exit` right after a write would lose data.
 */

const STINT = join(ROOT, 'stint');

/** More than the buffer of any pipe, so that a process that exits too early loses a part of it. */
const VALUE = 'x'.repeat(250_000);

function suspendedJob(annotations: Readonly<Record<string, string>>): string {
	return JSON.stringify({
		apiVersion: 'batch/v1',
		kind: 'Job',
		metadata: { name: 'large', annotations },
		spec: {
			suspend: true,
			template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'busybox' }] } },
		},
	});
}

/** Starts a command whose output is not read until `reading` is called. */
function unread(command: readonly string[], env: NodeJS.ProcessEnv) {
	const child = spawn(STINT, command, { env, stdio: ['ignore', 'pipe', 'pipe'] });
	const ended = once(child, 'exit');
	return {
		child,
		ended,
		/** Reads all of standard output; resolves to it with the exit code. */
		reading: async (): Promise<{ readonly text: string; readonly code: unknown }> => {
			const pieces: Buffer[] = [];
			for await (const piece of child.stdout) pieces.push(piece);
			const [code] = await ended;
			return { text: Buffer.concat(pieces).toString(), code };
		},
	};
}

test('commands write their whole output to slow and closed pipes, and escape control characters', async (t) => {
	const server = await startStint(t);
	const created = await server.kubectlWith(
		suspendedJob({ big: VALUE, evil: '\u001b[31mred\u0007\r' }),
		'create',
		'-f',
		'-',
	);
	assert.equal(created.code, 0, created.stderr);

	await t.test('get writes every byte to a pipe that is read late', async () => {
		const { reading } = unread(['get', 'job', 'large', '-o', 'json'], server.env);
		const { text, code } = await reading();
		assert.equal(code, 0);
		assert.equal(JSON.parse(text).metadata.annotations.big, VALUE);
	});

	await t.test('get --raw writes every byte to a pipe that is read late', async () => {
		const { reading } = unread(['get', '--raw', '/apis/batch/v1/jobs'], server.env);
		const { text, code } = await reading();
		assert.equal(code, 0);
		assert.equal(JSON.parse(text).items[0].metadata.annotations.big, VALUE);
	});

	await t.test('get exits without an error if its pipe is closed', async () => {
		const { child, ended } = unread(['get', 'job', 'large', '-o', 'json'], server.env);
		let stderr = '';
		child.stderr.on('data', (piece) => {
			stderr += piece;
		});
		await once(child.stdout, 'readable');
		child.stdout.destroy();
		assert.deepEqual(await ended, [0, null]);
		assert.equal(stderr, '');
	});

	await t.test('describe escapes control characters in objects as kubectl does', async () => {
		const [ours, theirs] = [
			await server.stint('describe', 'job', 'large'),
			await server.kubectl('describe', 'job', 'large'),
		];
		const line = (text: string): string | undefined => /evil: .*/.exec(text)?.[0];
		assert.match(line(theirs.stdout) ?? '', /\^\[\[31mred/);
		assert.equal(line(ours.stdout), 'evil: ^[[31mred^G\\r');
	});

	await t.test(
		'commands fail if their output does not fit on the disk, and run deletes its Job',
		{
			skip: process.platform !== 'linux',
		},
		async () => {
			const file = join(temporaryFolder(t), 'job.yaml');
			const container = { name: 'c', image: 'busybox', command: ['sh', '-c', 'echo one; sleep 60'] };
			const spec = { template: { spec: { restartPolicy: 'Never', containers: [container] } } };
			writeFileSync(
				file,
				JSON.stringify({ apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'full' }, spec }),
			);
			const full = 'error: cannot write to standard output: no space left on device\n';
			const toFull = (...words: readonly string[]) =>
				run('sh', ['-c', 'exec "$0" "$@" > /dev/full', STINT, ...words], { env: server.env });
			for (const words of [
				['get', 'jobs'],
				['get', 'jobs', '-o', 'json'],
				['describe', 'jobs'],
				['--help'],
			]) {
				const { code, stderr } = await toFull(...words);
				assert.deepEqual([code, stderr], [1, full], words.join(' '));
			}
			const { code, stderr } = await toFull('run', '-f', file);
			assert.deepEqual([code, stderr], [1, `job.batch/full created\n${full}deleting job.batch/full\n`]);
			assert.match((await server.stint('get', 'job', 'full')).stderr, /NotFound/);
		},
	);

	await t.test('a server whose stdout is closed drops its output and keeps serving', async () => {
		server.process.child.stdout.destroy();
		assert.equal((await server.stint('get', 'jobs')).code, 0);
		assert.equal((await server.stop()).code, 0);
	});
});

test('run prints all lines of a log that is larger than one log file', async (t) => {
	const env = { HOME: temporaryFolder(t), PATH: process.env.PATH };
	const args = ['run', 'many', '--image=busybox', '-i', '--command', '--', 'seq', '1', '600000'];
	const { code, stdout, stderr } = await run(STINT, args, { env });
	assert.equal(code, 0, stderr);
	const expected = Array.from({ length: 600_000 }, (_, index) => `${index + 1}\n`).join('');
	assert.ok(stdout === expected, `${stdout.length} of ${expected.length} bytes were printed`);
});

test('run prints each line while its container runs, including the first one', async (t) => {
	const folder = temporaryFolder(t);
	const env = { HOME: folder, PATH: process.env.PATH };
	const script = `sleep 0.5; for n in 1 2; do echo line $n; until [ -e ${folder}/seen$n ]; do sleep 0.05; done; done`;
	const args = ['run', 'slow', '--image=busybox', '-i', '--command', '--', 'sh', '-c', script];
	const running = new Running(STINT, args, env);
	for (const number of [1, 2]) {
		await running.printed(new RegExp(`^line ${number}$`, 'm'));
		writeFileSync(join(folder, `seen${number}`), '');
	}
	assert.equal((await running.finished).code, 0);
});

test('stint without a command prints its first commands and exits with 0', async (t) => {
	const env = { HOME: temporaryFolder(t), PATH: process.env.PATH };
	const { code, stdout, stderr } = await run(STINT, [], { env });
	assert.deepEqual([code, stderr], [0, '']);
	assert.match(stdout, /^stint runs Kubernetes Jobs without a Kubernetes cluster\.\n/);
	// Where the path of the program has a space, it is quoted for a shell.
	assert.match(stdout, /stint'? run -f job\.yaml/);
	const unknown = await run(STINT, ['frobnicate'], { env });
	assert.equal(unknown.code, 1);
	assert.match(unknown.stderr, /unknown command 'frobnicate'/);
});
