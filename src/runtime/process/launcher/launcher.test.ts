import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { VirtualClock } from '../../../base/testing/virtual-clock.ts';
import { ContainerStartError, RuntimeBusy, type RuntimeContainer } from '../../contract.ts';
import { LogTime } from '../../log-time.ts';
import { sandboxConfig } from '../../testing/configs.ts';
import { ContainerSlots } from '../containers/container-slots.ts';
import { Sweeper } from '../folders/sweeper.ts';
import { DescriptorPool } from '../output/descriptor-pool.ts';
import type { Fifo } from '../output/fifo-pool.ts';
import { openHost, type Started, shellScript, start } from '../testing/host-harness.ts';
import type { LauncherOptions } from './entry-table.ts';
import { readJournal } from './journal.ts';
import { Launcher } from './launcher.ts';

/** A launcher in this process, with a virtual clock that the test advances. */
async function open(
	t: test.TestContext,
	options: { slots?: number; pipes?: () => Promise<Fifo | undefined> },
) {
	const folder = mkdtempSync(join(tmpdir(), 'stint-launcher-'));
	t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
	const clock = new VirtualClock();
	let exited = Promise.withResolvers<RuntimeContainer>();
	const parts: LauncherOptions = {
		clock,
		folder,
		logTime: new LogTime(clock, process.hrtime.bigint),
		logDescriptors: new DescriptorPool(4),
		pipes: { take: options.pipes ?? (async () => undefined), reopen: assert.fail, remove: () => {} },
		shim: undefined,
		slots: new ContainerSlots({ count: options.slots ?? 10, fullMessage: 'all slots are taken', clock }),
		sweeper: new Sweeper(clock, { onIdle: () => {}, onError: (error) => t.diagnostic(String(error)) }),
		onExit: (status) => exited.resolve(status),
		onIdle: () => {},
		onError: (error) => t.diagnostic(String(error)),
	};
	const launcher = await Launcher.open(parts, {
		state: readJournal(join(folder, 'journal')),
		running: new Map(),
	});
	t.after(() => launcher.killAll());
	const { id: sandbox } = await launcher.runSandbox(sandboxConfig('p'));
	let made = 0;
	const create = async (argv: readonly string[]): Promise<string> => {
		const program = { argv, env: { PATH: process.env.PATH ?? '' }, workingDir: '' };
		const log = { logPath: join(folder, 'log', `${made}.log`), logMaxBytes: 1 << 20, logMaxFiles: 2 };
		const container = { name: 'main', attempt: made++, image: 'i', imageRef: 'i' };
		return (await launcher.createContainer(sandbox, { ...container, program, ...log })).id;
	};
	/** Resolves at the next exit of a container. */
	const ended = (): Promise<RuntimeContainer> => {
		exited = Promise.withResolvers();
		return exited.promise;
	};
	return { folder, clock, launcher, create, ended };
}

const failure = (code: string): Error => Object.assign(new Error(code), { code, syscall: 'open' });

for (const [code, words] of [
	['EMFILE', 'too many open files'],
	['EAGAIN', 'resource temporarily unavailable'],
	['ENOMEM', 'cannot allocate memory'],
	['ENOSPC', 'no space left on device'],
] as const) {
	test(`a start that fails with ${code} leaves the container created, and can be retried`, async (t) => {
		let isShort = true;
		const pipes = async (): Promise<undefined> => {
			if (isShort) throw failure(code);
		};
		const { folder, clock, launcher, create, ended } = await open(t, { pipes });
		const id = await create(['/bin/true']);
		const starting = launcher.startContainer(id);
		const refused = assert.rejects(starting, (error) => {
			return error instanceof RuntimeBusy && error.message === `the machine cannot start it now: ${words}`;
		});
		await new Promise(setImmediate);
		clock.advance(1000);
		await refused;
		assert.deepEqual(
			(await launcher.listContainers()).map(({ state }) => state),
			['created'],
		);
		const known = readJournal(join(folder, 'journal'));
		assert.equal(known.containers.size, 0, 'a later launcher takes it for one that never ran');
		isShort = false;
		const end = ended();
		assert.equal((await launcher.startContainer(id)).state, 'running');
		const exited = await end;
		assert.equal(exited.state === 'exited' && exited.exitCode, 0);
	});
}

test('the launcher retries a start that met a shortage when another container has exited', async (t) => {
	let isShort = false;
	const pipes = async (): Promise<undefined> => {
		if (isShort) throw failure('EMFILE');
	};
	const { launcher, create } = await open(t, { pipes });
	const first = await create(['sleep', '1000000']);
	await launcher.startContainer(first);
	isShort = true;
	const waiting = launcher.startContainer(await create(['/bin/true']));
	await new Promise(setImmediate);
	isShort = false;
	await launcher.stopContainer(first, 0);
	assert.equal((await waiting).state, 'running');
});

test('no more containers run than there are slots, and a start without a slot rejects with the reason', async (t) => {
	const { clock, launcher, create } = await open(t, { slots: 1 });
	const first = await create(['sleep', '1000000']);
	await launcher.startContainer(first);
	const second = await create(['/bin/true']);
	const refused = assert.rejects(launcher.startContainer(second), new RuntimeBusy('all slots are taken'));
	clock.advance(1000);
	await refused;
	await launcher.stopContainer(first, 0);
	assert.equal((await launcher.startContainer(second)).state, 'running');
});

test('a failed start returns its slot', async (t) => {
	const { launcher, create } = await open(t, { slots: 1 });
	for (let time = 0; time < 3; time++)
		await assert.rejects(launcher.startContainer(await create(['/no/such/program'])), ContainerStartError);
	assert.equal((await launcher.startContainer(await create(['/bin/true']))).state, 'running');
});

test('under a low limit on open files containers wait for each other and none fails', {
	skip: process.platform !== 'linux',
}, async () => {
	const machine = openHost();
	try {
		mkdirSync(machine.folder, { mode: 0o700 });
		const main = join(import.meta.dirname, 'launcher-main.ts');
		const launcher = spawn('sh', ['-c', 'ulimit -n 80; exec "$0" "$1" .', process.execPath, main], {
			cwd: machine.folder,
			stdio: ['ignore', 'pipe', 'inherit'],
		});
		const [said] = await Promise.race([once(launcher.stdout, 'data'), once(launcher, 'exit')]);
		assert.ok(Buffer.isBuffer(said), `the launcher ended: ${said}`);
		const runtime = machine.connect();
		await runtime.start();
		const run = async (pod: string): Promise<Started> => {
			const config = { ...shellScript('echo out; sleep 0.2', machine.logPath(pod)) };
			for (;;) {
				try {
					return await start(runtime, config, pod);
				} catch (error) {
					assert.ok(error instanceof RuntimeBusy, String(error));
					assert.match(error.message, /limit of 80 on open files .* allows 9 containers/);
				}
			}
		};
		const pods = Array.from({ length: 60 }, (_, index) => `pod-${index}`);
		const started = await Promise.all(pods.map(run));
		const exits = await Promise.all(started.map(({ exit }) => exit));
		assert.deepEqual(new Set(exits.map(({ exitCode }) => exitCode)), new Set([0]));
		for (const pod of pods) assert.match(await machine.readLog(machine.logPath(pod)), /out/);
	} finally {
		await machine.close();
	}
});
