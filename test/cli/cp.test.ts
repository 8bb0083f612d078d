import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { CHANNELS, type Duplex } from '../../src/api/contract/duplex.ts';
import type { ContainerExecRequest } from '../../src/api/contract/node-api.ts';
import { pods } from '../../src/api/core/pod/definition.ts';
import { exitStatus } from '../../src/api/core/pod/exec.ts';
import { duplexPair } from '../../src/api/streams/duplex-pair.ts';
import { cp } from '../../src/cli/commands/cp.ts';
import { BLOCK_BYTES, fillBytes, headBlock } from '../../src/cli/cp/tar-blocks.ts';
import { temporaryFolder } from '../support/processes.ts';
import { CliWorld, type Ended } from './cli-world.ts';

/** `cp` with the tar of this machine in place of that of a container. */

interface World {
	readonly folder: string;
	readonly opened: CliWorld;
	cp(...words: readonly string[]): Promise<Ended>;
}

async function world(t: TestContext): Promise<World> {
	const opened = await CliWorld.open(t);
	await opened.client.resource(pods, 'default').create({
		apiVersion: 'v1',
		kind: 'Pod',
		metadata: { name: 'p', namespace: 'default' },
		spec: { containers: [{ name: 'c', image: 'i' }], nodeName: 'node' },
		status: {},
	});
	await opened.report('p', 'Running', { running: { startedAt: '2026-01-01T00:00:00Z' } });
	opened.node = { ...opened.node, exec: async (request) => process(request) };
	return {
		folder: temporaryFolder(t),
		opened,
		cp: (...words) => opened.run((context) => cp(context, words, {})),
	};
}

/** A process of this machine as a session of exec. */
function process({ command, stdin }: ContainerExecRequest): Duplex {
	const [caller, own] = duplexPair();
	const child = spawn(command[0] ?? '', command.slice(1));
	if (!stdin) child.stdin.end();
	void (async () => {
		for (let message = await own.receive(); message; message = await own.receive())
			if (message.type === 'data') child.stdin.write(message.bytes);
			else child.stdin.end();
	})();
	child.stdin.on('error', () => undefined);
	const send = async (output: AsyncIterable<Uint8Array>, channel: number): Promise<void> => {
		for await (const bytes of output) await own.send({ type: 'data', channel, bytes });
	};
	void Promise.all([
		once(child, 'exit'),
		send(child.stdout, CHANNELS.stdout),
		send(child.stderr, CHANNELS.stderr),
	]).then(async ([[code]]) => {
		const bytes = Buffer.from(JSON.stringify(exitStatus(command, code ?? 137)));
		await own.send({ type: 'data', channel: CHANNELS.error, bytes });
		own.close();
	});
	return caller;
}

test('files and folders are copied in both directions, with long names and their modes', async (t) => {
	const { folder, cp } = await world(t);
	const long = 'x'.repeat(180);
	mkdirSync(join(folder, 'from/sub', long), { recursive: true });
	writeFileSync(join(folder, 'from/run.sh'), '#!/bin/sh\n', { mode: 0o755 });
	writeFileSync(join(folder, 'from/sub', long, 'big'), 'b'.repeat(1_000_001));
	writeFileSync(join(folder, 'from/empty'), '');
	mkdirSync(join(folder, 'pod'));
	const up = await cp(join(folder, 'from'), `p:${folder}/pod`);
	assert.deepEqual([up.code, up.stdout, up.stderr], [0, '', '']);
	assert.equal(readFileSync(join(folder, 'pod/from/sub', long, 'big'), 'utf8'), 'b'.repeat(1_000_001));
	const down = await cp(`default/p:${folder}/pod/from/`, join(folder, 'back'));
	assert.equal(down.code, 0, down.stderr);
	assert.equal(readFileSync(join(folder, 'back/sub', long, 'big'), 'utf8'), 'b'.repeat(1_000_001));
	assert.equal(readFileSync(join(folder, 'back/empty'), 'utf8'), '');
	assert.equal(statSync(join(folder, 'back/run.sh')).mode & 0o777, 0o755);
	const renamed = await cp(join(folder, 'from/run.sh'), `p:${folder}/pod/renamed`);
	assert.equal(renamed.code, 0, renamed.stderr);
	assert.equal(readFileSync(join(folder, 'pod/renamed'), 'utf8'), '#!/bin/sh\n');
	for (const target of ['one', 'back']) {
		const file = await cp(`p:${folder}/pod/renamed`, join(folder, target));
		assert.equal(file.code, 0, file.stderr);
	}
	assert.equal(readFileSync(join(folder, 'one'), 'utf8'), '#!/bin/sh\n');
	assert.equal(readFileSync(join(folder, 'back/renamed'), 'utf8'), '#!/bin/sh\n');
});

test('what is missing, and arguments that make no sense, are reported', async (t) => {
	const { folder, cp } = await world(t);
	const missing = await cp(`p:${folder}/nothing`, join(folder, 'x'));
	assert.match(missing.stderr, /No such file.*command terminated with exit code 2\n$/s);
	assert.equal(missing.code, 2);
	assert.match((await cp(join(folder, 'nothing'), 'p:/tmp')).stderr, /doesn't exist in local filesystem/);
	assert.match((await cp('p:/a', 'p:/b')).stderr, /must be a local file specification/);
	assert.match((await cp('p:', './b')).stderr, /filepath can not be empty/);
	assert.match((await cp('./a')).stderr, /source and destination are required/);
	assert.match((await cp('a/b/c:d', './x')).stderr, /canonical format/);
});

test('the archive of a hostile container writes nothing outside of the destination', async (t) => {
	const { folder, opened, cp } = await world(t);
	const entry = (name: string, type = '0', content = 'hostile'): Buffer =>
		Buffer.concat([
			headBlock({ name, mode: 0o644, modified: 0, size: type === '0' ? content.length : 0, type }),
			type === '0'
				? Buffer.from(content.padEnd(content.length + fillBytes(content.length), '\0'))
				: Buffer.alloc(0),
		]);
	const archive = Buffer.concat([
		entry('src/../../escaped'),
		entry('/etc/escaped'),
		entry('other/escaped'),
		entry('src/link', '2'),
		entry('src/hard', '1'),
		entry('src/out/escaped'),
		entry('src/out/new/escaped'),
		entry('src/file-link'),
		entry('src/good', '0', 'good'),
		Buffer.alloc(2 * BLOCK_BYTES),
	]);
	opened.node = {
		...opened.node,
		exec: async () => {
			const [caller, own] = duplexPair();
			void own.send({ type: 'data', channel: CHANNELS.stdout, bytes: archive }).then(() => own.close());
			return caller;
		},
	};
	const target = join(folder, 'to');
	mkdirSync(join(folder, 'outside'));
	mkdirSync(target);
	writeFileSync(join(folder, 'outside/precious'), 'precious');
	symlinkSync(join(folder, 'outside'), join(target, 'out'));
	symlinkSync(join(folder, 'outside/precious'), join(target, 'file-link'));
	const { code, stderr } = await cp('p:src', target);
	assert.equal(code, 0);
	assert.equal(stderr.match(/is outside target destination, skipping/g)?.length, 6, stderr);
	assert.equal(stderr.match(/skipping link or special file/g)?.length, 2, stderr);
	assert.equal(readFileSync(join(target, 'good'), 'utf8'), 'good');
	assert.equal(readFileSync(join(folder, 'outside/precious'), 'utf8'), 'precious');
	for (const path of ['escaped', 'outside/escaped', 'outside/new', 'to/escaped', 'to/link', 'to/hard'])
		assert.equal(existsSync(join(folder, path)), false, path);
});
