/** What the runtime does with containerd beyond the contract, as tests. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { SystemClock } from '../../../base/clock.ts';
import { ContainerStartError } from '../../contract.ts';
import { sandboxConfig } from '../../testing/configs.ts';
import { byId, ContractMachine } from '../../testing/contract-machine.ts';
import { type ImageWorld, imageCases, outputOf } from '../../testing/image-cases.ts';
import { CriClient } from '../client/cri-client.ts';
import { CRI } from '../client/cri-methods.ts';
import type { CriFixture, OpenCriFixture } from './cri-fixture.ts';
import { type CriHarness, openCriMachine } from './cri-harness.ts';

interface CriWorld extends OpenCriFixture, ImageWorld {
	readonly harness: CriHarness;
	/** Calls containerd beside the runtime. */
	readonly client: CriClient;
}

/** Registers the tests. */
export function criCases(fixture: CriFixture): void {
	describe('what containers of containerd get', () => {
		let world: CriWorld;
		beforeEach(async () => {
			const opened = await fixture.open();
			const harness = openCriMachine(opened.containerd, opened.known, { logMaxBytes: 2000, maxPids: 20 });
			const client = new CriClient(opened.containerd.socketPath, new SystemClock({ keepsAlive: true }));
			const machine = new ContractMachine(harness);
			world = { ...opened, harness, machine, client, reportsOutOfMemory: true };
			await machine.start();
		});
		afterEach(async () => {
			await world.client.close();
			await world.machine.close();
			assert.deepEqual(world.harness.errors, []);
		});
		imageCases(() => world);
		sandboxes(() => world);
		owners(() => world);
		ownImages(() => world);
		limits(() => world);
	});
}

function sandboxes(world: () => CriWorld): void {
	test('without CNI a Pod has the network and the host name of this machine, and its name resolution', async () => {
		const { machine } = world();
		const dns = { base: 'none', servers: ['192.0.2.1'], searches: ['a.test'], options: ['ndots:3'] } as const;
		const { ip } = await machine.runtime.runSandbox(sandboxConfig('a', { dns }));
		assert.equal(ip, '127.0.0.1');
		assert.equal(machine.runtime.traits.hostsFile, 'node');
		const resolver = await outputOf(world(), 'cat /etc/resolv.conf');
		assert.deepEqual(resolver.split('\n').sort(), [
			'nameserver 192.0.2.1',
			'options ndots:3',
			'search a.test',
		]);
	});

	test('containers of a Pod see the processes of each other if they share them', async () => {
		const { machine } = world();
		const namespaces = { network: 'pod', ipc: 'pod', pid: 'pod', user: 'node' } as const;
		await machine.runtime.runSandbox(sandboxConfig('a', { namespaces }));
		await machine.start1(['sleep', '424242']);
		const text = 'cat /proc/[0-9]*/cmdline';
		assert.match(await outputOf(world(), text, { name: 'other' }), /sleep.424242/);
	});

	test('a sandbox that cannot be made is reported in the words of a kubelet', async () => {
		const { machine } = world();
		const sysctls = { 'no.such.parameter': '1' };
		await assert.rejects(
			machine.runtime.runSandbox(sandboxConfig('a', { sysctls })),
			/^Error: rpc error: code = Unknown desc = /,
		);
		assert.deepEqual(await machine.runtime.listSandboxes(), []);
	});
}

function owners(world: () => CriWorld): void {
	test('a server neither sees nor touches the containers of another one, and of other programs', async () => {
		const { machine, containerd, known, client } = world();
		const metadata = { name: 'foreign', uid: 'f', namespace: 'f', attempt: 0 };
		const linux = { securityContext: { namespaceOptions: { network: 2 } } };
		const { podSandboxId } = await client.call(CRI.runPodSandbox, { config: { metadata, linux } });
		const other = new ContractMachine(openCriMachine(containerd, known));
		await other.start();
		try {
			const running = await machine.start1(machine.programs.runsForEver);
			// The same Pod, as in a copy of the data folder.
			const copy = await other.start1(other.programs.runsForEver);
			assert.equal(copy.id, running.id);
			assert.deepEqual(await (await other.reconnect()).listContainers(), [copy]);
			await other.runtime.stop({ killAll: true });
			assert.deepEqual(await machine.runtime.listContainers(), [running]);
			assert.equal((await client.call(CRI.podSandboxStatus, { podSandboxId })).status?.state, 0);
		} finally {
			await other.close();
			await client.call(CRI.removePodSandbox, { podSandboxId });
		}
	});

	test('a container that is removed from the runtime by another program has exited with 137', async () => {
		const { machine, client } = world();
		const running = await machine.start1(machine.programs.runsForEver);
		const { containers } = await client.call(CRI.listContainers, {});
		await Promise.all(
			containers.map(({ id: containerId }) => client.call(CRI.removeContainer, { containerId })),
		);
		const exited = await machine.exitOf(running.id);
		assert.ok(exited.state === 'exited' && exited.exitCode === 137);
	});
}

function ownImages(world: () => CriWorld): void {
	test('only images that this server has pulled are listed, and one in use is not removed', async () => {
		const { machine, registry, client, known } = world();
		const { runtime } = machine;
		const { images } = runtime;
		assert.ok(images);
		// The fixture has pulled it, and not this server.
		await runtime.pullImage(known);
		assert.deepEqual(await images.list(), []);
		const image = `${registry.host}/stint/own`;
		await runtime.pullImage(image);
		const [own] = await images.list();
		assert.deepEqual(
			{ tags: own?.tags, isInUse: own?.isInUse },
			{ tags: [`${image}:latest`], isInUse: false },
		);
		await machine.run(['true'], { fields: { image } });
		assert.equal((await images.list())[0]?.isInUse, true);
		await assert.rejects(images.remove(own?.id ?? ''), /is in use/);
		await runtime.removeSandbox('uid-a_0');
		const next = (await machine.reconnect()).images;
		await next?.remove(own?.id ?? '');
		assert.deepEqual(await next?.list(), []);
		assert.equal(
			(await client.call(CRI.imageStatus, { image: { image: `${image}:latest` } })).image,
			undefined,
		);
		const { capacityBytes, availableBytes } = (await next?.disk()) ?? { capacityBytes: 0, availableBytes: 0 };
		assert.ok(capacityBytes > availableBytes && availableBytes > 0);
	});
}

function limits(world: () => CriWorld): void {
	test('a container may have only so many processes', async () => {
		const { machine, harness } = world();
		// The limit is set just after the start: runtimes of the CRI cannot be told it.
		const files = '/sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max';
		const limited = `until [ "$(cat ${files} 2>/dev/null)" != max ]; do sleep 0.05; done`;
		const text = `${limited}; i=0; while [ $i -lt 40 ]; do sleep 5 & i=$((i+1)); done 2>/dev/null; echo $?`;
		const { logPath } = await machine.run(['sh', '-c', text]);
		assert.doesNotMatch(await harness.readLog(logPath), / 0\n$/);
	});

	test('a resize applies to the running container', async () => {
		const { machine } = world();
		const files = '/sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max';
		const text = `cat ${files} 2>/dev/null; until [ "$(cat ${files} 2>/dev/null)" = 134217728 ]; do sleep 0.05; done`;
		const resources = { requests: { others: {} }, limits: { memoryBytes: 64 << 20, others: {} } };
		const { id } = await machine.start1(['sh', '-c', text], { fields: { resources } });
		await machine.runtime.updateContainerResources(id, {
			requests: { others: {} },
			limits: { memoryBytes: 128 << 20, others: {} },
		});
		const exited = await machine.exitOf(id);
		assert.equal(exited.state === 'exited' && exited.exitCode, 0);
	});

	test('a log is rotated, and no line is lost', { timeout: 60_000 }, async () => {
		const { machine, harness } = world();
		const text =
			'i=0; while [ $i -lt 200 ]; do i=$((i+1)); echo line $i; done; until [ -e /go ]; do sleep 0.1; done; echo last';
		const { id, logPath } = await machine.start1(['sh', '-c', text]);
		await machine.logged(logPath, 'line 200\n');
		while (readdirSync(dirname(logPath)).length < 2) await harness.passTime(100);
		const session = await machine.runtime.exec(id, {
			...{ command: ['touch', '/go'], stdin: false, stdout: true, stderr: true, tty: false },
		});
		await session.streams.receive();
		await machine.exitOf(id);
		const names = readdirSync(dirname(logPath)).sort();
		assert.deepEqual(names, ['a-0.log', 'a-0.log.0000000000000000']);
		assert.match(await harness.readLog(`${logPath}.0000000000000000`), /line 1\n(.*\n)*.*line 200\n$/);
		assert.match(await harness.readLog(logPath), /^\S+ stdout F last\n$/);
	});

	test('a container without a program is refused with the words of the runtime', async () => {
		const { machine } = world();
		const sandbox = await machine.sandbox('a');
		await assert.rejects(
			machine.runtime.createContainer(sandbox.id, machine.config([])),
			(error) =>
				error instanceof ContainerStartError &&
				error.reason === 'CreateContainerError' &&
				/no command specified/.test(error.message),
		);
		assert.deepEqual(byId(await machine.runtime.listContainers()).size, 0);
	});
}
