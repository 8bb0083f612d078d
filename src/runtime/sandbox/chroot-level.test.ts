import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test, { after, type TestContext } from 'node:test';
import type { ContainerConfig, Mount } from '../../api/contract/container-config.ts';
import { ContractMachine } from '../testing/contract-machine.ts';
import { runtimeContract } from '../testing/contract-suite.ts';
import { withArguments } from '../testing/host-processes.ts';
import {
	IS_IN_PLAIN_CONTAINER,
	missingForPlainContainer,
	testInPlainContainer,
} from '../testing/plain-container.ts';
import { busyboxImage, missingBusybox } from './testing/busybox-image.ts';
import { openSandbox, SandboxWorld } from './testing/sandbox-harness.ts';

if (IS_IN_PLAIN_CONTAINER) await registerTests();
else {
	const skip = missingForPlainContainer() ?? missingBusybox() ?? false;
	test('images run where containers only have a root by chroot', { skip }, async () => {
		await testInPlainContainer(import.meta.filename, /./);
	});
}

async function registerTests(): Promise<void> {
	const world = await SandboxWorld.open();
	after(() => world.close());
	runtimeContract('containers by chroot', () => openSandbox(world));
	rights(world);
	files(world);
	ends(world);
}

async function machineOf(t: TestContext, world: SandboxWorld): Promise<ContractMachine> {
	const machine = new ContractMachine(await openSandbox(world));
	t.after(() => machine.close());
	await machine.start();
	return machine;
}

/** Runs a script to its end, and returns what it has printed to its standard output. */
async function outputOf(
	machine: ContractMachine,
	script: string,
	fields: Partial<ContainerConfig> = {},
): Promise<readonly string[]> {
	const { logPath } = await machine.run(['sh', '-c', script], { fields });
	const lines = (await machine.harness.readLog(logPath)).trimEnd().split('\n');
	return lines.map((line) => line.split(' ').slice(3).join(' '));
}

function mount(hostPath: string, containerPath: string, fields: Partial<Mount> = {}): Mount {
	const how = { subPath: '', readOnly: true, recursiveReadOnly: 'Disabled', propagation: 'None' } as const;
	return { ...how, hostPath, containerPath, ...fields };
}

function rights(world: SandboxWorld): void {
	test('a container is the user and groups of its image and Pod, without the rights to leave its root', async (t) => {
		const machine = await machineOf(t, world);
		const { security } = machine.config([]);
		const script =
			'id -u; pwd; ls -A /proc /sys; stat -c %a /dev/shm; mknod /dev/disk b 8 0; echo $?; chroot / true; echo $?';
		const [uid, folder, ...rest] = await outputOf(machine, `exec 2>/dev/null; ${script}`);
		assert.deepEqual([uid, folder], ['0', '/']);
		assert.deepEqual(rest, ['/proc:', '', '/sys:', '1777', '1', '1']);
		const asUser = { security: { ...security, runAsUser: 1000, supplementalGroups: [77] }, attempt: 1 };
		const told = 'id -u; id -G; echo x >/dev/null && head -c 3 /dev/zero | wc -c';
		assert.deepEqual(await outputOf(machine, told, asUser), ['1000', '1000 50 77', '3']);
	});

	test('the traits tell what the level does not honour', async (t) => {
		const machine = await machineOf(t, world);
		const { honours, volumes, mountsImages } = machine.runtime.traits;
		assert.deepEqual([volumes, mountsImages], ['copied', undefined]);
		const missing = ['privileged', 'capabilities.add', 'readOnlyRootFilesystem'];
		for (const name of missing)
			assert.ok(honours !== 'everything' && !honours.has(`spec.containers[].securityContext.${name}`), name);
	});
}

function files(world: SandboxWorld): void {
	test('volumes are copied into the root, where links of the image lead nowhere else', async (t) => {
		const machine = await machineOf(t, world);
		const image = `${world.registry.host}/linked`;
		world.registry.add(
			'linked',
			'latest',
			busyboxImage({
				entries: [
					{ path: 'data', to: '/../../../../../tmp' },
					{ path: 'conf/' },
					{ path: 'conf/of-the-image', content: 'hidden' },
					{ path: 'etc/hosts', to: '/nowhere/hosts' },
				],
			}),
		);
		await machine.runtime.pullImage(image);
		const volume = join(dirname(machine.harness.logPath('x')), 'volume');
		mkdirSync(join(volume, '..2026', 'deep'), { recursive: true });
		symlinkSync('..2026', join(volume, '..data'));
		symlinkSync('..data/key', join(volume, 'key'));
		writeFileSync(join(volume, '..2026', 'key'), 'value\n', { mode: 0o640 });
		writeFileSync(join(volume, '..2026', 'deep', 'one'), 'part\n');
		writeFileSync(join(volume, 'hosts'), '10.0.0.1 pod\n');
		const mounts = [
			mount(volume, '/conf'),
			mount(volume, '/data'),
			mount(volume, '/new/place', { subPath: '..data/deep' }),
			mount(join(volume, 'hosts'), '/etc/hosts', { readOnly: false }),
		];
		const script =
			'ls /conf; cat /conf/key /tmp/key /new/place/one /etc/hosts; stat -c %a /conf/..2026/key; echo changed >/conf/..2026/key';
		assert.deepEqual(await outputOf(machine, script, { image, mounts }), [
			...['hosts', 'key', 'value', 'value', 'part', '10.0.0.1 pod', '640'],
		]);
		assert.equal(readFileSync(join(volume, 'key'), 'utf8'), 'value\n');
	});

	test('a termination message that is a link of the container shows no file of the machine', async (t) => {
		const machine = await machineOf(t, world);
		const file = machine.harness.logPath('message');
		mkdirSync(dirname(file), { recursive: true });
		writeFileSync(file, '');
		writeFileSync(join(dirname(file), 'secret'), 'of the machine');
		const script = `rm /dev/termination-log; ln -s ${join(dirname(file), 'secret')} /dev/termination-log`;
		await outputOf(machine, script, {
			terminationMessagePath: '/dev/termination-log',
			terminationMessageFile: file,
		});
		assert.equal(readFileSync(file, 'utf8'), '');
	});
}

function ends(world: SandboxWorld): void {
	test('what a container or a command in it leaves behind ends with it', async (t) => {
		const machine = await machineOf(t, world);
		const seconds = String(1_000_000 + process.pid);
		const isLeft = (): boolean => withArguments('sleep', seconds).length > 0;
		const { security } = machine.config([]);
		const leaves = `(setsid sleep ${seconds} >/dev/null 2>&1 &) ; sleep 0.1`;
		const fields = { security: { ...security, runAsUser: 1000 } };
		await machine.run(['sh', '-c', leaves], { fields });
		assert.equal(isLeft(), false, 'of a container');
		const running = await machine.start1(['sleep', '1000000'], { pod: 'b' });
		const session = await machine.runtime.exec(running.id, {
			...{ command: ['sh', '-c', leaves], stdin: false, stdout: true, stderr: true, tty: false },
		});
		await session.exitCode;
		assert.equal(isLeft(), false, 'of a command');
	});
}
