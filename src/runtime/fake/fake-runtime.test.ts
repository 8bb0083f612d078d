import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CHANNELS } from '../../api/contract/duplex.ts';
import { SeededRandom } from '../../base/testing/seeded-random.ts';
import { VirtualClock } from '../../base/testing/virtual-clock.ts';
import { ImageError, RuntimeUnavailable } from '../contract.ts';
import { LINE_LIMIT_BYTES } from '../cri-log-writer.ts';
import { containerConfig, sandboxConfig } from '../testing/configs.ts';
import type { RuntimeHarness } from '../testing/contract-machine.ts';
import { runtimeContract } from '../testing/contract-suite.ts';
import { execByCommand, type FakeExec, writeTo } from './fake-exec.ts';
import { echoPort } from './fake-port.ts';
import { type FakeProgram, programByCommand } from './fake-program.ts';
import { FakeRuntime } from './fake-runtime.ts';

const PROGRAMS: Readonly<Record<string, FakeProgram>> = {
	fails: { exitCode: 3, runMs: 5 },
	forever: { runMs: Number.POSITIVE_INFINITY },
	stubborn: { runMs: Number.POSITIVE_INFINITY, ignoresTerm: true },
	talks: { stdout: 'out\n', stderr: 'err\n' },
	long: { stdout: 'x'.repeat(4 * LINE_LIMIT_BYTES) },
	explains: { terminationMessage: 'why', exitCode: 1 },
	echoes: { runMs: Number.POSITIVE_INFINITY, copiesInput: true },
	sizes: { runMs: Number.POSITIVE_INFINITY, printsSizes: true },
	missing: { startError: 'exec: "missing": executable file not found in $PATH' },
};

/** The commands that {@link execByCommand} does not know. */
const COMMANDS: Readonly<Record<string, FakeExec>> = {
	talks: async ({ streams }) => {
		await writeTo(streams, 'stdout', 'out\n');
		await writeTo(streams, 'stderr', 'err\n');
		return 0;
	},
	sizes: async ({ streams }) => {
		for (;;) {
			const message = await streams.receive();
			if (message?.type !== 'data' || message.channel !== CHANNELS.resize) return 0;
			await writeTo(streams, 'stdout', Buffer.from(message.bytes).toString());
		}
	},
};

async function open(): Promise<RuntimeHarness> {
	const clock = new VirtualClock();
	const logs = new Map<string, string>();
	const imageError = (image: string): ImageError | undefined => {
		if (image === 'unknown') return new ImageError('ErrImagePull', 'no "unknown"');
		return image === 'mal:formed:' ? new ImageError('InvalidImageName', 'no "name"') : undefined;
	};
	const runtime = new FakeRuntime({
		clock,
		random: new SeededRandom(1),
		program: ({ command: [name = ''] }) => {
			if (name === 'stubborn') logs.set('/logs/a-0', 'ready');
			return PROGRAMS[name] ?? {};
		},
		exec: (config) => COMMANDS[config.command[0] ?? ''] ?? execByCommand(config),
		imageError,
		port: (port) => (port === 80 ? echoPort : undefined),
		appendLog: (path, lines) => logs.set(path, (logs.get(path) ?? '') + Buffer.from(lines).toString()),
	});
	return {
		connect: () => runtime,
		outlivesCrash: false,
		crash: async () => {
			runtime.crash();
			await assert.rejects(runtime.listContainers(), RuntimeUnavailable);
			runtime.recover();
		},
		passTime: async (lengthMs) => clock.advance(lengthMs),
		logPath: (name) => `/logs/${name}`,
		readLog: async (path) => logs.get(path) ?? '',
		programs: {
			succeeds: ['succeeds'],
			failsWith3: ['fails'],
			runsForEver: ['forever'],
			ignoresTerm: ['stubborn'],
			talks: ['talks'],
			writesLongLine: ['long'],
			leavesChild: ['talks'],
			isMissing: ['missing'],
			writesMessage: ['explains'],
		},
		attachable: { echoesInput: ['echoes'], printsSizes: ['sizes'], runsUntilStopped: ['forever'] },
		ports: async () => ({ echoes: 80, closed: 81, close: async () => undefined }),
		commands: {
			echoesInput: ['cat'],
			exitsWith3: ['sh', '-c', 'exit 3'],
			talks: ['talks'],
			runsForEver: ['sleep', 'infinity'],
			printsSizes: ['sizes'],
		},
		images: { known: 'known', unknown: 'unknown', malformed: 'mal:formed:' },
		close: async () => {},
	};
}

runtimeContract('the fake runtime', open);

test('a container runs for its scripted time, and the jitter depends only on the seed', async () => {
	const endOf = async (seed: number): Promise<number> => {
		const clock = new VirtualClock(0);
		const program = (): FakeProgram => ({ runMs: 1000, jitterMs: 1000, exitCode: 2, reason: 'OOMKilled' });
		const runtime = new FakeRuntime({ clock, random: new SeededRandom(seed), program });
		let finishedAt = 0;
		runtime.subscribe(({ status }) => {
			if (status.state !== 'exited') return;
			finishedAt = status.finishedAt;
			assert.deepEqual([status.exitCode, status.reason], [2, 'OOMKilled']);
		});
		await startOne(runtime, 'pod');
		clock.advance(999);
		assert.equal(finishedAt, 0);
		clock.advance(1001);
		return finishedAt;
	};
	const first = await endOf(1);
	assert.ok(first >= 1000 && first <= 2000);
	assert.equal(await endOf(1), first);
	assert.notEqual(await endOf(2), first);
});

test('running 10,000 Pods leaves no container behind', async () => {
	const clock = new VirtualClock();
	const runtime = new FakeRuntime({ clock, random: new SeededRandom(1) });
	let exits = 0;
	runtime.subscribe(({ status }) => {
		if (status.state === 'exited') exits++;
	});
	for (let pod = 0; pod < 10_000; pod++) {
		const id = await startOne(runtime, `pod-${pod}`);
		clock.advance(1);
		await runtime.removeSandbox(id);
	}
	assert.equal(exits, 10_000);
	assert.deepEqual(await runtime.listContainers(), []);
});

test('without a script, sleep, false and exit N behave as on a real machine', () => {
	const program = (...command: string[]): FakeProgram => programByCommand({ command, args: [] });
	assert.deepEqual(program('/bin/sleep', '5'), { runMs: 5000 });
	assert.deepEqual(program('sleep', 'infinity'), { runMs: Number.POSITIVE_INFINITY });
	assert.deepEqual(program('false'), { exitCode: 1 });
	assert.deepEqual(program('sh', '-c', 'exit 7'), { exitCode: 7 });
	assert.deepEqual(program('perl', '-e', '1'), {});
	assert.deepEqual(program('cat'), {});
	assert.equal(programByCommand({ command: ['cat'], args: [], stdin: true }).copiesInput, true);
});

async function startOne(runtime: FakeRuntime, pod: string): Promise<string> {
	const sandbox = await runtime.runSandbox(sandboxConfig(pod));
	const { id } = await runtime.createContainer(sandbox.id, containerConfig());
	await runtime.startContainer(id);
	return sandbox.id;
}
