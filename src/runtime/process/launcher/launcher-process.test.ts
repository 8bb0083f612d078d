import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
	closeSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	openSync,
	readdirSync,
	readFileSync,
	readlinkSync,
	rmSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { attempt } from '../../../base/attempt.ts';
import { SystemClock, sleep } from '../../../base/clock.ts';
import { RuntimeUnavailable } from '../../contract.ts';
import { sandboxConfig } from '../../testing/configs.ts';
import { ImageTable } from '../images/image-table.ts';
import { ProcessRuntime } from '../process-runtime.ts';
import {
	exitOf,
	type HostHarness,
	isAlive,
	openHost,
	outputOf,
	run,
	shellScript,
	start,
	untilGone,
} from '../testing/host-harness.ts';
import { Journal } from './journal.ts';
import type { JournalEntry } from './journal-entry.ts';
import { identify, processSpace } from './process-table.ts';
import { PROTOCOL } from './protocol.ts';

const IS_LINUX = process.platform === 'linux';

describe('the launcher', () => {
	let machine: HostHarness;
	beforeEach(() => {
		machine = openHost();
	});
	afterEach(() => machine.close());

	const open = async (): Promise<ProcessRuntime> => {
		const runtime = machine.connect();
		await runtime.start();
		return runtime;
	};
	const pidsIn = async (logPath: string, count: number): Promise<readonly number[]> => {
		for (;;) {
			const pids = (await machine.readLog(logPath)).match(/(?<= F )\d+$/gm) ?? [];
			if (pids.length >= count) return pids.map(Number);
			await machine.passTime(1);
		}
	};

	test('exits when no client is connected and no container runs, and removes its files', async () => {
		const runtime = await open();
		const exited = await run(runtime, machine.script('true'));
		await runtime.removeSandbox(exited.sandboxId);
		const pid = machine.launcherPid();
		await runtime.stop();
		await untilGone(pid);
		for (const name of ['journal', 'launcher.sock', 'launcher.lock', 'pipes']) {
			assert.equal(existsSync(join(machine.folder, name)), false, name);
		}
	});

	test('exits after the last container without a server, and the next one reports how that exited', async () => {
		const runtime = await open();
		const go = join(dirname(machine.folder), 'go');
		const { status } = await start(
			runtime,
			machine.script(`while [ ! -e ${go} ]; do sleep 0.01; done; exit 5`),
		);
		const pid = machine.launcherPid();
		await runtime.stop();
		assert.ok(isAlive(pid));
		mkdirSync(go);
		await untilGone(pid);
		const later = await open();
		const [exited] = await later.listContainers();
		assert.deepEqual([exited?.id, exited?.state === 'exited' && exited.exitCode], [status.id, 5]);
		assert.notEqual(machine.launcherPid(), pid);
	});

	test('and its containers outlive a killed server', async () => {
		const server = spawnServer(machine);
		const [id = '', pid = ''] = await server.line;
		server.child.kill('SIGKILL');
		await once(server.child, 'exit');
		const launcher = machine.launcherPid();
		const runtime = await open();
		assert.equal(machine.launcherPid(), launcher);
		assert.ok(isAlive(Number(pid)));
		const [status] = await runtime.listContainers();
		assert.deepEqual([status?.id, status?.state], [id, 'running']);
		const exit = exitOf(runtime, id);
		await runtime.stopContainer(id, 0);
		assert.equal((await exit).exitCode, 137);
		await untilGone(Number(pid));
	});

	test('that was killed is replaced by one that continues with its containers and their logs', {
		skip: !IS_LINUX,
	}, async () => {
		const runtime = await open();
		const go = join(dirname(machine.folder), 'go');
		const script = `echo before; while [ ! -e ${go} ]; do sleep 0.01; done; echo after; exit 5`;
		const { status, exit } = await start(runtime, machine.script(script));
		const ended = await run(runtime, machine.script('exit 9', { name: 'ended' }));
		while (!(await machine.readLog(status.logPath)).includes('before')) await machine.passTime(1);
		const killed = machine.launcherPid();
		process.kill(killed, 'SIGKILL');
		await untilGone(killed);
		mkdirSync(go);
		const exited = await exit;
		assert.deepEqual([exited.exitCode, exited.reason], [5, 'Error']);
		assert.equal(await outputOf(machine, exited), 'before\nafter\n');
		const listed = await runtime.listContainers();
		assert.deepEqual(
			listed.find(({ id }) => id === ended.id),
			ended,
		);
		const again = await run(runtime, machine.script('exit 3', { attempt: 1 }));
		assert.equal(again.exitCode, 3);
	});

	test('that was killed together with its server: the next one knows how its containers ended meanwhile', {
		skip: !IS_LINUX,
	}, async () => {
		const runtime = await open();
		const go = join(dirname(machine.folder), 'go');
		const script = `while [ ! -e ${go} ]; do sleep 0.01; done; exit 7`;
		const { status } = await start(runtime, machine.script(`echo $$; ${script}`));
		const [pid = 0] = await pidsIn(status.logPath, 1);
		const running = await start(runtime, machine.script('exec sleep 1000000', { name: 'other' }));
		await runtime.stop();
		const killed = machine.launcherPid();
		process.kill(killed, 'SIGKILL');
		await untilGone(killed);
		mkdirSync(go);
		await untilGone(pid);
		const later = await open();
		const states = new Map((await later.listContainers()).map((each) => [each.id, each]));
		const exited = states.get(status.id);
		assert.deepEqual(exited?.state === 'exited' && [exited.exitCode, exited.reason], [7, 'Error']);
		assert.deepEqual(states.get(running.status.id), running.status);
		const exit = exitOf(later, running.status.id);
		await later.stopContainer(running.status.id, 30);
		assert.equal((await exit).exitCode, 143);
	});

	test('reports a container as lost whose waiter was killed, and kills its processes', {
		skip: !IS_LINUX,
	}, async () => {
		const runtime = await open();
		const script =
			'env -i setsid sleep 1000000 & echo $!; setsid sleep 1000000 & echo $!; echo $$; echo $PPID; wait';
		const { status, exit } = await start(runtime, machine.script(script));
		const pids = await pidsIn(status.logPath, 4);
		process.kill(pids[3] ?? 0, 'SIGKILL');
		const lost = await exit;
		assert.deepEqual([lost.exitCode, lost.reason], [137, 'ContainerStatusUnknown']);
		assert.ok(lost.startedAt !== undefined && lost.message);
		for (const pid of pids) await untilGone(pid);
	});

	test('kills what a command in a container has left behind when the container ends', {
		skip: !IS_LINUX,
	}, async () => {
		const runtime = await open();
		const { status } = await start(runtime, machine.script('exec sleep 1000000'));
		const left = join(dirname(machine.folder), 'left');
		const command = ['sh', '-c', `env -i setsid sleep 1000000 <&- >&- 2>&- & echo $! > ${left}`];
		const config = { command, stdin: false, stdout: false, stderr: false, tty: false };
		assert.equal(await (await runtime.exec(status.id, config)).exitCode, 0);
		const pid = Number(readFileSync(left, 'utf8'));
		assert.ok(isAlive(pid));
		await runtime.removeContainer(status.id);
		await untilGone(pid);
	});

	test('without the shim: that was killed is replaced by one that kills the remaining processes', {
		skip: !IS_LINUX,
	}, async () => {
		await machine.close();
		machine = openHost({ withoutShim: true });
		const runtime = await open();
		const script = 'env -i sleep 1000000 & echo $!; setsid sleep 1000000 & echo $!; echo $$; wait';
		const { status, exit } = await start(runtime, machine.script(script));
		const pids = await pidsIn(status.logPath, 3);
		process.kill(machine.launcherPid(), 'SIGKILL');
		const lost = await exit;
		assert.deepEqual([lost.exitCode, lost.reason], [137, 'ContainerStatusUnknown']);
		assert.ok(lost.startedAt !== undefined && lost.message);
		for (const pid of pids) await untilGone(pid);
		assert.equal((await run(runtime, machine.script('exit 3', { attempt: 1 }))).exitCode, 3);
	});

	test('does not kill a process that has only the pid of a recorded one', async () => {
		mkdirSync(machine.folder, { mode: 0o700 });
		const bystander = spawn('sleep', ['1000000'], { detached: true, stdio: 'ignore' });
		try {
			const pid = bystander.pid ?? 0;
			const names = { id: 'u_0_c_0', sandboxId: 'u_0', podUid: 'u', name: 'c', attempt: 0, image: 'i' };
			const container = { ...names, imageRef: 'i', createdAt: 1, logPath: '/l', state: 'created' } as const;
			const config = sandboxConfig('p', { podUid: 'u' });
			const sandbox = { id: 'u_0', config, state: 'ready', ip: '127.0.0.1', createdAt: 1 } as const;
			const journal = openJournal(join(machine.folder, 'journal'), [{ boot: processSpace() }]);
			journal.append({ sandbox, folder: '0' });
			journal.append({ container });
			const { start: started } = identify(pid, 0);
			const other = started === undefined ? {} : { start: String(Number(started) - 1) };
			journal.append({ process: { pid, startedAt: 0, ...other }, of: container.id });
			journal.close();
			const runtime = await open();
			const [lost] = await runtime.listContainers();
			assert.equal(lost?.state === 'exited' && lost.reason, 'ContainerStatusUnknown');
			assert.ok(isAlive(pid));
		} finally {
			bystander.kill('SIGKILL');
		}
	});

	test('neither keeps nor passes on descriptors that its server has inherited', {
		skip: !IS_LINUX,
	}, async (t) => {
		const secret = join(dirname(machine.folder), 'secret');
		const descriptor = openSync(secret, 'w');
		const server = spawnServer(machine, descriptor);
		t.after(() => server.child.kill('SIGKILL'));
		const [, pid = ''] = await server.line;
		closeSync(descriptor);
		const descriptors = (process: number): readonly string[] => readdirSync(`/proc/${process}/fd`).sort();
		// One may be closed between the listing and the look at it.
		const filesOf = (process: number): readonly (string | undefined)[] =>
			descriptors(process).map((name) => attempt(() => readlinkSync(`/proc/${process}/fd/${name}`)));
		assert.ok(server.child.pid && filesOf(server.child.pid).includes(secret), 'the server has it');
		// While the program is being loaded, it has one of a library.
		for (let tries = 0; tries < 200 && descriptors(Number(pid)).length > 3; tries++)
			await sleep(new SystemClock(), 10);
		assert.deepEqual(descriptors(Number(pid)), ['0', '1', '2']);
		assert.ok(!filesOf(machine.launcherPid()).includes(secret));
		await open();
	});

	test('is started once, however many servers connect at the same time', async () => {
		const runtimes = Array.from({ length: 4 }, () => machine.connect());
		await Promise.all(runtimes.map((runtime) => runtime.start()));
		const config = sandboxConfig('p', { podUid: 'u' });
		const sandboxes = await Promise.all(runtimes.map((runtime) => runtime.runSandbox(config)));
		assert.equal(new Set(sandboxes.map(({ createdAt }) => createdAt)).size, 1);
		for (const runtime of runtimes.slice(0, 3)) await runtime.stop();
		await runtimes[3]?.removeSandbox('u_0');
	});

	test('does not inherit the environment of the server', { skip: !IS_LINUX }, async () => {
		process.env.STINT_TEST_SECRET = 'secret';
		const runtime = await open();
		await run(runtime, machine.script('true'));
		const environment = readFileSync(`/proc/${machine.launcherPid()}/environ`, 'latin1').split('\0');
		const names = environment.map((line) => line.replace(/=.*/s, ''));
		assert.deepEqual(
			names.filter(
				(name) => !['PATH', 'HOME', 'TMPDIR', 'MALLOC_ARENA_MAX', 'NODE_COMPILE_CACHE', ''].includes(name),
			),
			[],
		);
	});

	test('ignores the signals that a terminal or a service manager sends to all processes', async () => {
		const runtime = await open();
		const { exit, status } = await start(runtime, machine.script('exec sleep 1000000'));
		for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
			process.kill(machine.launcherPid(), signal);
		assert.equal((await runtime.listContainers())[0]?.state, 'running');
		await runtime.stopContainer(status.id, 0);
		assert.equal((await exit).exitCode, 137);
	});
});

test('a folder whose path is too long for a socket is usable', async () => {
	const root = mkdtempSync(join(tmpdir(), 'stint-long-'));
	const runtime = runtimeIn(join(root, 'x'.repeat(120), 'launcher'), root);
	try {
		await runtime.start();
		assert.equal((await run(runtime, shellScript('exit 4', join(root, 'log')))).exitCode, 4);
	} finally {
		await runtime.stop({ killAll: true });
		rmSync(root, { recursive: true });
	}
});

test('a launcher with another protocol is refused with its protocol number', async () => {
	const root = mkdtempSync(join(tmpdir(), 'stint-version-'));
	const server = createServer((socket) => socket.write('{"hello":{"protocol":99,"pid":1}}\n'));
	server.listen(join(root, 'launcher.sock'));
	await once(server, 'listening');
	openJournal(join(root, 'journal'), []).close();
	const runtime = runtimeIn(root, root);
	try {
		await assert.rejects(runtime.start(), (error) => {
			return error instanceof RuntimeUnavailable && error.message.includes('protocol 99');
		});
	} finally {
		await runtime.stop();
		server.close();
		rmSync(root, { recursive: true });
	}
});

test('an exit that arrives in one chunk with the result of the start is reported after it', async () => {
	const root = mkdtempSync(join(tmpdir(), 'stint-together-'));
	const names = { id: 'u_0_main_0', sandboxId: 'u_0', podUid: 'u', name: 'main', attempt: 0, image: 'i' };
	const created = { ...names, imageRef: 'i', createdAt: 1, logPath: '/l', state: 'created' };
	const running = { ...created, state: 'running', startedAt: 2 };
	const exited = { ...running, state: 'exited', exitCode: 0, finishedAt: 3, reason: 'Completed' };
	const config = sandboxConfig('p', { podUid: 'u' });
	const results: Readonly<Record<string, unknown>> = {
		listSandboxes: [{ id: 'u_0', config }],
		listContainers: [],
		createContainer: created,
		startContainer: running,
	};
	const server = createServer((socket) => {
		socket.write(`{"hello":{"protocol":${PROTOCOL},"pid":1}}\n`);
		createInterface({ input: socket }).on('line', (line) => {
			const { id, method } = JSON.parse(line);
			const answer = `${JSON.stringify({ id, result: results[method] })}\n`;
			socket.write(method === 'startContainer' ? `${answer}${JSON.stringify({ exited })}\n` : answer);
		});
	});
	server.listen(join(root, 'launcher.sock'));
	await once(server, 'listening');
	const runtime = runtimeIn(root, root);
	try {
		await runtime.start();
		const received: string[] = [];
		runtime.subscribe(({ status }) => received.push(status.state));
		await runtime.createContainer('u_0', shellScript('true', '/l'));
		assert.deepEqual(await runtime.startContainer('u_0_main_0'), running);
		assert.deepEqual(received, ['running', 'exited']);
	} finally {
		await runtime.stop();
		server.close();
		rmSync(root, { recursive: true });
	}
});

test('a folder that cannot be used is an error with the cause', async () => {
	const root = mkdtempSync(join(tmpdir(), 'stint-bad-'));
	mkdirSync(join(root, 'pipes'));
	mkdirSync(join(root, 'journal'));
	const runtime = runtimeIn(root, root);
	try {
		await assert.rejects(runtime.start(), (error) => {
			return (
				error instanceof RuntimeUnavailable &&
				/could not be started.*cannot read the journal .*\/journal, /s.test(error.message)
			);
		});
	} finally {
		await runtime.stop();
		rmSync(root, { recursive: true });
	}
});

function openJournal(path: string, entries: readonly JournalEntry[]): Journal {
	return new Journal({ path, current: () => entries, onError: (error) => assert.fail(String(error)) });
}

function runtimeIn(folder: string, root: string): ProcessRuntime {
	const images = new ImageTable(join(root, 'images.yaml'));
	return new ProcessRuntime({ folder, clock: new SystemClock(), images, version: 'test', onError: () => {} });
}

/** Another process with a runtime in the machine's folder, which starts one container and prints its id and pid. */
function spawnServer(
	machine: HostHarness,
	descriptor?: number,
): { child: ChildProcess; line: Promise<readonly string[]> } {
	const source = `
		const { shellScript, start } = await import(${JSON.stringify(new URL('../testing/host-harness.ts', import.meta.url))});
		const { ProcessRuntime } = await import(${JSON.stringify(new URL('../process-runtime.ts', import.meta.url))});
		const { ImageTable } = await import(${JSON.stringify(new URL('../images/image-table.ts', import.meta.url))});
		const { SystemClock } = await import(${JSON.stringify(new URL('../../../base/clock.ts', import.meta.url))});
		const folder = ${JSON.stringify(machine.folder)};
		const logPath = ${JSON.stringify(machine.logPath('served'))};
		const runtime = new ProcessRuntime({ folder, clock: new SystemClock(), images: new ImageTable(folder + '/i'), version: 'x', onError() {} });
		await runtime.start();
		const script = shellScript('echo $$; exec sleep 1000000', logPath);
		const { status } = await start(runtime, script);
		process.stdout.write(status.id + '\\n');
	`;
	const child = spawn(process.execPath, ['--input-type=module', '-e', source], {
		stdio: ['ignore', 'pipe', 'inherit', ...Array(251 - 3).fill('ignore'), descriptor ?? 'ignore'],
	});
	const { stdout } = child;
	assert.ok(stdout);
	const line = (async (): Promise<readonly string[]> => {
		const [id = ''] = await once(createInterface({ input: stdout }), 'line');
		for (;;) {
			const [pid] = /(?<= F )\d+$/m.exec(await machine.readLog(machine.logPath('served'))) ?? [];
			if (pid) return [id, pid];
			await machine.passTime(1);
		}
	})();
	return { child, line };
}
