import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { CHANNELS, type Duplex } from '../../src/api/contract/duplex.ts';
import type { ContainerAttachRequest } from '../../src/api/contract/node-api.ts';
import { SUCCESS } from '../../src/api/core/pod/exec.ts';
import type { ContainerState } from '../../src/api/core/pod/schema.ts';
import { badRequest } from '../../src/api/errors/api-error.ts';
import { duplexPair } from '../../src/api/streams/duplex-pair.ts';
import { type RunFlags, runObjects } from '../../src/cli/commands/run.ts';
import { CliWorld, type RunningCommand } from './cli-world.ts';
import { DONE, FLAGS } from './run-command.ts';

/** `stint run -i`: the standard input and the terminal of the container. */

const RUNNING: ContainerState = { running: { startedAt: '2026-01-01T00:00:00Z' } };

/** A world whose node agent gives the other end of each session with a container to the test. */
class InputWorld {
	readonly world: CliWorld;
	readonly requests: ContainerAttachRequest[] = [];
	readonly #opened: Duplex[] = [];
	#waiting: PromiseWithResolvers<void> | undefined;

	constructor(world: CliWorld) {
		this.world = world;
		world.node = {
			...world.node,
			attach: async (request) => {
				const [caller, own] = duplexPair();
				this.requests.push(request);
				this.#opened.push(own);
				this.#waiting?.resolve();
				return caller;
			},
		};
	}

	static async open(t: TestContext): Promise<InputWorld> {
		return new InputWorld(await CliWorld.open(t));
	}

	run(flags: Partial<RunFlags>): RunningCommand {
		const all = { ...FLAGS, filename: [], image: 'x', ...flags };
		return this.world.start((context) => runObjects(context, ['pi'], all));
	}

	/** Creates a Pod of the Job that runs. */
	async startPod(command: RunningCommand, name: string): Promise<void> {
		await command.stderr.has(/created/);
		await this.world.createPod(await this.world.job('pi'), name);
		await this.world.report(name, 'Running', RUNNING);
	}

	/** The next session. */
	async session(): Promise<Duplex> {
		while (this.#opened.length === 0) {
			this.#waiting = Promise.withResolvers<void>();
			await this.#waiting.promise;
		}
		const session = this.#opened.shift();
		assert.ok(session);
		return session;
	}

	/** Ends the Pod and the Job successfully. */
	async finish(name: string): Promise<void> {
		await this.world.report(name, 'Succeeded', this.world.ended(0, `${name}-run`));
		await this.world.finish('pi', ...DONE);
	}
}

/** The input until its end. */
async function inputOf(session: Duplex): Promise<string> {
	const pieces: Uint8Array[] = [];
	for (;;) {
		const message = await session.receive();
		assert.ok(message, 'the session was closed before the end of the input');
		if (message.channel !== CHANNELS.stdin) continue;
		if (message.type === 'end') return Buffer.concat(pieces).toString();
		pieces.push(message.bytes);
	}
}

async function end(session: Duplex): Promise<void> {
	await session.send({ type: 'data', channel: CHANNELS.error, bytes: Buffer.from(JSON.stringify(SUCCESS)) });
	session.close();
}

test('run -i passes standard input to the container, and prints its whole log', async (t) => {
	const opened = await InputWorld.open(t);
	const { world } = opened;
	world.stdin = 'abc';
	world.logs.set('pi-1/pi', 'before the session\nabc\n');
	const command = opened.run({ stdin: true });
	await opened.startPod(command, 'pi-1');
	const session = await opened.session();
	assert.equal(await inputOf(session), 'abc');
	const [container] = (await world.job('pi')).spec.template.spec.containers;
	assert.deepEqual([container?.stdin, container?.stdinOnce, container?.tty], [true, true, undefined]);
	assert.deepEqual(opened.requests, [
		{
			...{ namespace: 'default', pod: 'pi-1', container: 'pi' },
			...{ stdin: true, stdout: false, stderr: false, tty: false },
		},
	]);
	await end(session);
	await opened.finish('pi-1');
	const { code, stdout, stderr } = await command.ended;
	assert.deepEqual([code, stdout], [0, 'before the session\nabc\n']);
	assert.doesNotMatch(stderr, /warning/);
});

test('a retry gets an empty input, so that it does not wait for one', async (t) => {
	const opened = await InputWorld.open(t);
	opened.world.stdin = 'abc';
	const command = opened.run({ stdin: true });
	await opened.startPod(command, 'pi-1');
	assert.equal(await inputOf(await opened.session()), 'abc');
	await opened.world.report('pi-1', 'Failed', opened.world.ended(1, 'pi-1-run'));
	await opened.startPod(command, 'pi-2');
	assert.equal(await inputOf(await opened.session()), '');
	await opened.finish('pi-2');
	const { code, stderr } = await command.ended;
	assert.equal(code, 0);
	assert.match(stderr, /^warning: a container of pod\/pi-2 gets an empty input: pod\/pi-1 has received it$/m);
});

test('a container that ends before its session leaves the input to the next one', async (t) => {
	const opened = await InputWorld.open(t);
	const { world } = opened;
	world.stdin = 'abc';
	const { attach } = world.node;
	const refused = badRequest('container pi is not running');
	world.node = { ...world.node, attach: () => Promise.reject(refused) };
	const command = opened.run({ stdin: true });
	await opened.startPod(command, 'pi-1');
	await world.report('pi-1', 'Failed', world.ended(1, 'pi-1-run'));
	await command.stderr.has(/pi-1/);
	world.node = { ...world.node, attach };
	await opened.startPod(command, 'pi-2');
	assert.equal(await inputOf(await opened.session()), 'abc');
	await opened.finish('pi-2');
	assert.doesNotMatch((await command.ended).stderr, /empty input/);
});

test('a terminal that is connected to a new container says so', async (t) => {
	const opened = await InputWorld.open(t);
	opened.world.terminal = { width: 80, height: 24 };
	const command = opened.run({ stdin: true, tty: true, quiet: true });
	await opened.startPod(command, 'pi-1');
	(await opened.session()).close({ type: 'failed', message: 'the runtime restarts' });
	await opened.world.report('pi-1', 'Failed', opened.world.ended(1, 'pi-1-run'));
	await opened.startPod(command, 'pi-2');
	await end(await opened.session());
	await opened.finish('pi-2');
	const { stderr } = await command.ended;
	assert.match(
		stderr,
		/couldn't attach to pod\/pi-1, falling back to streaming logs: .*the runtime restarts/,
	);
	assert.match(
		stderr,
		/session with pod\/pi-1 has ended: the terminal is that of a new container of pod\/pi-2/,
	);
});

test('run -i -t gives the terminal to the container, and prints what the session receives', async (t) => {
	const opened = await InputWorld.open(t);
	const { world } = opened;
	world.terminal = { width: 80, height: 24 };
	world.logs.set('pi-1/pi', 'the log\n');
	const command = opened.run({ stdin: true, tty: true });
	await opened.startPod(command, 'pi-1');
	const session = await opened.session();
	const [{ stdin, stdout, stderr, tty } = {}] = opened.requests;
	assert.deepEqual([stdin, stdout, stderr, tty], [true, true, false, true]);
	await session.send({ type: 'data', channel: CHANNELS.stdout, bytes: Buffer.from('$ ') });
	await command.stdout.has(/^\$ $/);
	assert.equal(world.rawModes, 1);
	await end(session);
	await opened.finish('pi-1');
	const ended = await command.ended;
	assert.deepEqual([ended.code, ended.stdout, world.rawModes], [0, '$ ', 0]);
	assert.match(ended.stderr, /If you don't see a command prompt, try pressing enter\.\n/);
	const [container] = (await world.job('pi')).spec.template.spec.containers;
	assert.equal(container?.tty, true);
});

test('a container that cannot be attached to is reported, and its log printed', async (t) => {
	const opened = await InputWorld.open(t);
	const { world } = opened;
	world.terminal = { width: 80, height: 24 };
	world.logs.set('pi-1/pi', 'the log\n');
	const refusals = ['the runtime cannot attach', 'container pi not found in pod pi-2_default'];
	world.node = { ...world.node, attach: async () => Promise.reject(badRequest(refusals.shift() ?? '')) };
	const command = opened.run({ stdin: true, tty: true, quiet: true });
	await opened.startPod(command, 'pi-1');
	await command.stdout.has(/the log/);
	await world.report('pi-1', 'Failed', world.ended(1, 'pi-1-run'));
	world.logs.set('pi-2/pi', 'of one that has ended\n');
	await opened.startPod(command, 'pi-2');
	await command.stdout.has(/of one that has ended/);
	await opened.finish('pi-2');
	const { stderr } = await command.ended;
	assert.deepEqual(stderr.match(/^(warning|All|If).*$/gm), [
		"warning: couldn't attach to pod/pi-1, falling back to streaming logs: the runtime cannot attach",
	]);
});

test('run --rm deletes the Job that has finished, and needs an attached container', async (t) => {
	const opened = await InputWorld.open(t);
	const { world } = opened;
	const command = opened.run({ attach: true, rm: true });
	world.logs.set('pi-1/pi', 'out\n');
	await opened.startPod(command, 'pi-1');
	await opened.finish('pi-1');
	const { code, stdout, stderr } = await command.ended;
	assert.deepEqual([code, stdout, opened.requests], [0, 'out\n', []], 'without -i the log is enough');
	assert.match(stderr, /\njob.batch\/pi deleted\n$/);
	await assert.rejects(world.job('pi'), /not found/);
	for (const flags of [{}, { stdin: true, detach: true }])
		assert.equal(
			(await opened.run({ ...flags, rm: true }).ended).stderr,
			'error: --rm should only be used for attached containers\n',
		);
	assert.equal(
		(await opened.run({ tty: true }).ended).stderr,
		'error: -i/--stdin is required for containers with -t/--tty=true\n',
	);
	assert.match(
		(await opened.run({ attach: true, dryRun: true }).ended).stderr,
		/can't be used with attached/,
	);
});
