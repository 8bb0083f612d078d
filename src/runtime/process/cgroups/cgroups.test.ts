/** Real control groups: needs a machine on which this user may make them. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'node:test';
import type { ContainerConfig, ResourceAmounts } from '../../../api/contract/container-config.ts';
import { SystemClock } from '../../../base/clock.ts';
import { VirtualClock } from '../../../base/testing/virtual-clock.ts';
import { sandboxConfig } from '../../testing/configs.ts';
import { type HostHarness, openHost, outputOf, run, start, untilGone } from '../testing/host-harness.ts';
import { Cgroups } from './cgroups.ts';
import { controllersIn, findHierarchies } from './hierarchies.ts';

const HIERARCHIES = findHierarchies();
const canLimit = controllersIn(HIERARCHIES).size === 3;
const skip = !canLimit && 'this user may not make control groups';

function within(given: Partial<ResourceAmounts>): Pick<ContainerConfig, 'resources'> {
	return { resources: { requests: { others: {} }, limits: { others: {}, ...given } } };
}

/** The folders of containers and Pods in the control groups of all launchers. */
function groups(): readonly string[] {
	return HIERARCHIES.flatMap(({ folder }) => {
		const home = join(folder, 'stint');
		return existsSync(home)
			? readdirSync(home, { recursive: true }).map((name) => join(home, String(name)))
			: [];
	}).filter((path) => /uid-/.test(path) && existsSync(join(path, 'cgroup.procs')));
}

function groupsOf(uid: string): readonly string[] {
	return groups().filter((path) => path.includes(uid));
}

/** The memory limit of the only group of the Pod that has one. */
function limitOf(uid: string): string | undefined {
	const files = groupsOf(uid).flatMap((path) => [
		join(path, 'memory.max'),
		join(path, 'memory.limit_in_bytes'),
	]);
	return files.filter(existsSync).map((path) => readFileSync(path, 'utf8').trim())[0];
}

async function untilNone(uid: string): Promise<void> {
	while (groupsOf(uid).length > 0) await new Promise((resolve) => setImmediate(resolve));
}

async function withHost(
	act: (machine: HostHarness) => Promise<void>,
	how: Parameters<typeof openHost>[0] = {},
): Promise<void> {
	const machine = openHost(how);
	try {
		await act(machine);
	} finally {
		await machine.close();
	}
}

/** A program that holds this much memory. */
const TAKES_MEMORY = 'x=$(head -c 100000000 /dev/zero | tr "\\0" x); echo took';

test('a container that takes more memory than its limit is killed, and told so', { skip }, async () => {
	await withHost(async (machine) => {
		const runtime = machine.connect();
		await runtime.start();
		assert.equal(runtime.traits.canResize, true);
		const config = machine.script(`exec sh -c '${TAKES_MEMORY}'`, within({ memoryBytes: 32 << 20 }));
		const { exitCode, reason } = await run(runtime, config, 'oom');
		assert.deepEqual({ exitCode, reason }, { exitCode: 137, reason: 'OOMKilled' });
		await untilNone('uid-oom');
	});
});

test('a container within its limit ends well, and those with processes of their own need no group', {
	skip,
}, async () => {
	await withHost(async (machine) => {
		const runtime = machine.connect();
		await runtime.start();
		const config = machine.script('grep -c stint /proc/self/cgroup', within({ memoryBytes: 64 << 20 }));
		const limited = await run(runtime, config, 'limited');
		assert.equal(limited.exitCode, 0);
		assert.equal(await outputOf(machine, limited), '1\n');
		const plain = machine.script('grep -c stint /proc/self/cgroup', {
			name: 'plain',
			logPath: machine.logPath('p'),
		});
		await runtime.runSandbox(sandboxConfig('plain'));
		assert.equal(await outputOf(machine, await run(runtime, plain, 'plain')), '0\n');
	});
});

test('a command in a container is in its groups', { skip }, async () => {
	await withHost(async (machine) => {
		const runtime = machine.connect();
		await runtime.start();
		const { status } = await start(
			runtime,
			machine.script('sleep 1000', within({ memoryBytes: 64 << 20 })),
			'exec',
		);
		const command = ['grep', '-c', 'uid-exec', '/proc/self/cgroup'];
		const config = { command, stdin: false, stdout: false, stderr: false, tty: false };
		// grep exits with 1 if it finds nothing.
		assert.equal(await (await runtime.exec(status.id, config)).exitCode, 0);
	});
});

test('a limit on processor time holds', { skip }, async () => {
	await withHost(async (machine) => {
		const runtime = machine.connect();
		await runtime.start();
		await start(runtime, machine.script('while :; do :; done', within({ cpuMillis: 100 })), 'cpu');
		const stat = join(groupsOf('uid-cpu')[0] ?? '', 'cpu.stat');
		const throttled = (): number => Number(/^nr_throttled (\d+)$/m.exec(readFileSync(stat, 'utf8'))?.[1]);
		// Each period in which it would have used more counts.
		while (!(throttled() > 2)) await new Promise((resolve) => setImmediate(resolve));
	});
});

test('a Pod cannot have more processes than the node allows', { skip }, async () => {
	await withHost(async (machine) => {
		const runtime = machine.connect({ podMaxPids: 20 });
		await runtime.start();
		const bomb = 'i=0; while [ $i -lt 50 ]; do sleep 100 & i=$((i+1)); done; echo unlimited';
		const { exitCode } = await run(runtime, machine.script(bomb), 'bomb');
		assert.notEqual(exitCode, 0);
		await runtime.removeSandbox('uid-bomb_0');
		await untilNone('uid-bomb');
	});
});

test('limits change while the container runs, also those that it did not have', { skip }, async () => {
	await withHost(async (machine) => {
		const runtime = machine.connect();
		await runtime.start();
		await runtime.runSandbox(sandboxConfig('resized'));
		const { status } = await start(runtime, machine.script('sleep 1000'), 'resized');
		assert.deepEqual(groupsOf('uid-resized'), []);
		await runtime.updateContainerResources(status.id, within({ memoryBytes: 64 << 20 }).resources);
		const [folder = ''] = groupsOf('uid-resized');
		assert.equal(limitOf('uid-resized'), String(64 << 20));
		assert.ok(readFileSync(join(folder, 'cgroup.procs'), 'utf8').trim() !== '', 'its processes have moved');
		await runtime.updateContainerResources(status.id, within({ memoryBytes: 128 << 20 }).resources);
		assert.equal(limitOf('uid-resized'), String(128 << 20));
	});
	await untilNone('uid-resized');
});

test('a limit below what a container uses is refused, and changes nothing', { skip }, async () => {
	await withHost(async (machine) => {
		const runtime = machine.connect();
		await runtime.start();
		const script = machine.script('sleep 1000', within({ memoryBytes: 64 << 20 }));
		const { status } = await start(runtime, script, 'large');
		await assert.rejects(
			runtime.updateContainerResources(status.id, within({ memoryBytes: 4096 }).resources),
			{
				name: 'ContainerResizeError',
				message: /^attempting to set container "main" memory limit \(4096\) below current usage \(\d+\)$/,
			},
		);
		assert.equal(limitOf('uid-large'), String(64 << 20));
	});
});

test('the groups of a Pod with limits of its own hold those of its containers', { skip }, async () => {
	await withHost(async (machine) => {
		const runtime = machine.connect();
		await runtime.start();
		const limits = within({ memoryBytes: 32 << 20 });
		const sandbox = await runtime.runSandbox(sandboxConfig('whole', limits));
		const { id } = await runtime.createContainer(sandbox.id, machine.script(`exec sh -c '${TAKES_MEMORY}'`));
		const ended = new Promise<string>((resolve) => {
			runtime.subscribe(({ status }) => status.state === 'exited' && resolve(status.reason));
		});
		await runtime.startContainer(id);
		assert.equal(await ended, 'OOMKilled');
		assert.equal(
			groupsOf('uid-whole').some((path) => path.endsWith('uid-whole_0')),
			true,
		);
		await runtime.removeSandbox(sandbox.id);
		await untilNone('uid-whole');
	});
});

test('a container without processes of its own has a group, in which nothing outlives a killed waiter', {
	skip,
}, async () => {
	await withHost(async (machine) => {
		const runtime = machine.connect();
		await runtime.start();
		// The group in the group is what a privileged program may make.
		const script = [
			'group=$(grep -o "/.*stint/.*" /proc/self/cgroup)',
			'for mount in /sys/fs/cgroup /sys/fs/cgroup/*; do [ -e "$mount$group" ] && folder=$mount$group; done',
			'mkdir "$folder/below" && env -i setsid sh -c "echo \\$\\$ > $folder/below/cgroup.procs; exec sleep 1000000" &',
			'wait $!; exec sleep 1000000',
		];
		const { status } = await start(runtime, machine.script(script.join('\n')), 'shared');
		const isBelow = (path: string): boolean => path.endsWith('/below');
		const inside = (): string =>
			groupsOf('uid-shared')
				.filter(isBelow)
				.map((path) => readFileSync(join(path, 'cgroup.procs'), 'utf8'))
				.join('');
		while (inside() === '') await new Promise((resolve) => setImmediate(resolve));
		const left = Number(inside());
		await runtime.removeContainer(status.id);
		await untilGone(left);
		await untilNone('uid-shared');
	});
});

test('containers keep their groups while the launcher is killed, and nothing is left of those that ended', {
	skip,
}, async () => {
	await withHost(async (machine) => {
		const runtime = machine.connect();
		await runtime.start();
		const limits = within({ memoryBytes: 64 << 20, cpuMillis: 1000 });
		const waits = machine.script('sleep 1000', { ...limits, name: 'stays' });
		const { status } = await start(runtime, waits, 'left');
		const goes = { ...limits, name: 'goes', logPath: machine.logPath('goes') };
		await start(runtime, machine.script('sleep 1000', goes), 'left');
		process.kill(machine.launcherPid(), 'SIGKILL');
		const isOf = (name: string) => (path: string) => path.includes(`_${name}_`);
		const [folder = ''] = groupsOf('uid-left').filter(isOf('goes'));
		for (const pid of readFileSync(join(folder, 'cgroup.procs'), 'utf8').trim().split('\n'))
			process.kill(Number(pid), 'SIGKILL');
		// A call that the killed launcher does not answer rejects, and time must pass before another one is started.
		while (!(await runtime.listSandboxes().catch(() => undefined))) await machine.passTime(1);
		while (groupsOf('uid-left').some(isOf('goes'))) await machine.passTime(1);
		assert.equal(groupsOf('uid-left').some(isOf('stays')), true);
		await runtime.stopContainer(status.id, 0);
		await untilNone('uid-left');
	});
});

test('a launcher whose folder was removed leaves no group', { skip }, async () => {
	await withHost(async (machine) => {
		const runtime = machine.connect();
		await runtime.start();
		const limits = within({ memoryBytes: 64 << 20 });
		const sandbox = await runtime.runSandbox(sandboxConfig('orphan', limits));
		const { id } = await runtime.createContainer(sandbox.id, machine.script('sleep 1000', limits));
		await runtime.startContainer(id);
		const [folder = ''] = groupsOf('uid-orphan').filter((path) => path.includes('_main_'));
		const home = dirname(dirname(folder));
		rmSync(machine.folder, { recursive: true });
		await runtime.stop();
		for (const pid of readFileSync(join(folder, 'cgroup.procs'), 'utf8').trim().split('\n'))
			process.kill(Number(pid), 'SIGKILL');
		while (existsSync(home)) await new Promise((resolve) => setImmediate(resolve));
	});
});

test('a start that is tried again keeps the group that the failed one has left', { skip }, async (t) => {
	const clock = new VirtualClock();
	const onError = (error: unknown): void => assert.fail(String(error));
	const cgroups = new Cgroups({ key: `again-${process.pid}`, clock, onError, onIdle: () => {} });
	const request = {
		...{ id: 'uid-again_0_main_0', limits: { memoryBytes: 64 << 20 } },
		sandbox: { id: 'uid-again_0', config: {} },
	};
	const joined = (): ChildProcess => {
		const child = spawn('sleep', ['1000']);
		t.after(() => child.kill('SIGKILL'));
		const [folder = ''] = cgroups.make(request)?.folders ?? [];
		writeFileSync(join(folder, 'cgroup.procs'), String(child.pid));
		return child;
	};
	const failed = joined();
	assert.equal(cgroups.end(request.id), false);
	await once(failed, 'exit');
	const again = joined();
	clock.advance(1000);
	while (!cgroups.isIdle) await new Promise((resolve) => setImmediate(resolve));
	assert.equal(again.signalCode, null);
	assert.equal(readFileSync(`/proc/${again.pid}/cgroup`, 'utf8').includes(request.id), true);
	again.kill('SIGKILL');
	await once(again, 'exit');
	cgroups.end(request.id);
	cgroups.close();
	await untilNone('uid-again');
});

/** A mounted cgroup v2, in which groups need no controllers. */
const UNIFIED = / (\S+) cgroup2 /.exec(readFileSync('/proc/mounts', 'utf8'))?.[1];
const canUnify =
	process.getuid?.() === 0 && UNIFIED !== undefined && existsSync(join(UNIFIED, 'cgroup.procs'));

test('a container without processes of its own has its group in version 2 where there is one, and processes that fork do not escape', {
	skip: !canUnify && 'no group can be made in a cgroup v2',
}, async () => {
	const folder = UNIFIED ?? '';
	const cgroups = new Cgroups({
		...{ key: `shared-${process.pid}`, clock: new SystemClock({ keepsAlive: true }) },
		onError: (error) => assert.fail(String(error)),
		onIdle: () => {},
		hierarchies: [...HIERARCHIES, { version: 2, mount: folder, folder, controllers: new Set() }],
	});
	const request = {
		id: 'uid-shared_0_main_0',
		sharesProcesses: true,
		sandbox: { id: 'uid-shared_0', config: {} },
	};
	const made = cgroups.make(request)?.folders ?? [];
	assert.equal(made.length, 1);
	const [group = ''] = made;
	assert.ok(group.startsWith(`${folder}/stint/`));
	// Each process is replaced by a new one all the time.
	const script = `echo $$ > ${group}/cgroup.procs; f() { f & }; f`;
	const child = spawn('sh', ['-c', script], { stdio: 'ignore' });
	await once(child, 'exit');
	assert.notEqual(readFileSync(join(group, 'cgroup.procs'), 'utf8'), '');
	cgroups.end(request.id);
	while (existsSync(group)) await new Promise((resolve) => setImmediate(resolve));
	cgroups.close();
});
