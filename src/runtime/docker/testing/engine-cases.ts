/** What the runtime does with an engine beyond the contract, as tests. */
import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { ContainerConfig, ContainerSecurity, Mount } from '../../../api/contract/container-config.ts';
import { ContainerStartError, ImageError, type ImagePullSecret } from '../../contract.ts';
import { containerConfig, sandboxConfig } from '../../testing/configs.ts';
import { ContractMachine } from '../../testing/contract-machine.ts';
import { EngineClient } from '../engine/engine-client.ts';
import type { EngineDaemon } from './engine-daemon.ts';
import type { EngineFixture, OpenFixture } from './engine-fixture.ts';
import { type EngineHarness, openMachine } from './engine-harness.ts';

/** Registers the tests. */
export function engineCases(name: EngineDaemon['name'], fixture: EngineFixture): void {
	describe(`what containers of ${name} get`, () => {
		let opened: OpenFixture;
		let harness: EngineHarness;
		let machine: ContractMachine;
		beforeEach(async () => {
			opened = await fixture.open();
			harness = openMachine(opened.engine, opened.known);
			machine = new ContractMachine(harness);
			await machine.start();
		});
		afterEach(() => machine.close());
		const current = (): EngineWorld => ({ ...opened, harness, machine });
		images(current);
		security(current);
		volumes(current);
		logs(current);
		owners(current);
	});
}

interface EngineWorld extends OpenFixture {
	readonly harness: EngineHarness;
	readonly machine: ContractMachine;
}

/** Runs a container to its end; resolves to what it wrote to standard output. */
async function outputOf(
	{ machine, harness }: EngineWorld,
	text: string,
	fields: Partial<ContainerConfig> = {},
): Promise<string> {
	const { attempt = 0 } = fields;
	const { logPath } = await machine.run(['sh', '-c', text], { attempt, fields });
	return textOf(await harness.readLog(logPath));
}

/** The text of a log. */
function textOf(log: string): string {
	const parts = log.replaceAll(/^\S+ std\w+ P (.*)\n/gm, '$1');
	return parts.replaceAll(/\d{4}-\d\d-\S+Z std\w+ F /g, '').trimEnd();
}

function secured(security: Partial<ContainerSecurity>): Partial<ContainerConfig> {
	return { security: { ...containerConfig().security, ...security } };
}

function images(world: () => EngineWorld): void {
	test('the image gives entrypoint, arguments and user, of which the Pod replaces what it names', async () => {
		const { machine, harness, registry } = world();
		const image = `${registry.host}/stint/app`;
		await machine.runtime.pullImage(image);
		const run = async (fields: Partial<ContainerConfig>): Promise<string> => {
			const { attempt = 0 } = fields;
			const { logPath } = await machine.run([], { attempt, fields: { image, ...fields } });
			return textOf(await harness.readLog(logPath));
		};
		assert.equal(await run({}), 'entry cmd');
		assert.equal(await run({ args: ['other'], attempt: 1 }), 'entry other');
		assert.equal(await run({ command: ['id', '-u'], attempt: 2 }), '1000');
	});

	test('a pull sends the credentials, and without them or with wrong ones it is an ErrImagePull', async () => {
		const { machine, privateRegistry } = world();
		const image = `${privateRegistry.host}/stint/private`;
		const isRefused = (error: unknown): boolean =>
			error instanceof ImageError && error.reason === 'ErrImagePull' && !error.message.includes('c2VjcmV0');
		await assert.rejects(machine.runtime.pullImage(image), isRefused);
		const secretWith = (password: string): ImagePullSecret => ({
			uid: password,
			namespace: 'default',
			name: password,
			text: JSON.stringify({ auths: { [privateRegistry.host]: { username: 'user', password } } }),
			isLegacy: false,
		});
		const [wrong, right] = [secretWith('wrong'), secretWith('secret')];
		await assert.rejects(machine.runtime.pullImage(image, { pullSecrets: [wrong] }), isRefused);
		// The second is tried when the first is refused.
		const { sizeBytes } = await machine.runtime.pullImage(image, { pullSecrets: [wrong, right] });
		assert.ok(sizeBytes > 0);
	});

	test('a container that must not run as root is not created if the user of its image may be root', async () => {
		const { machine, registry, known } = world();
		const { runtime } = machine;
		const sandbox = await machine.sandbox('a');
		const create = (image: string): Promise<unknown> =>
			runtime.createContainer(sandbox.id, {
				...machine.config(['true']),
				image,
				...secured({ runAsNonRoot: true }),
			});
		const isConfigError = (text: string) => (error: unknown) =>
			error instanceof ContainerStartError &&
			error.reason === 'CreateContainerConfigError' &&
			error.message === `${text} (pod: "a_default(uid-a)", container: main)`;
		await assert.rejects(
			create(known),
			isConfigError('container has runAsNonRoot and image will run as root'),
		);
		const app = `${registry.host}/stint/app`;
		await runtime.pullImage(app);
		const named =
			'container has runAsNonRoot and image has non-numeric user (app), cannot verify user is non-root';
		await assert.rejects(create(app), isConfigError(named));
	});
}

function security(world: () => EngineWorld): void {
	test('the security context decides user, groups, capabilities and the root file system', async () => {
		const ids = await outputOf(world(), 'id -u; id -g; id -G', {
			...secured({ runAsUser: 1234, runAsGroup: 4321, supplementalGroups: [77] }),
		});
		assert.equal(ids, '1234\n4321\n4321 77');
		const limited = secured({
			capabilities: { add: ['CAP_NET_ADMIN'], drop: ['ALL'] },
			noNewPrivileges: true,
			readOnlyRootFilesystem: true,
		});
		const status = `cat /proc/self/status | while read k v; do case $k in CapEff:|NoNewPrivs:|Seccomp:) echo $k $v;; esac; done`;
		const output = await outputOf(world(), `${status}; touch /x 2>/dev/null || echo read-only`, {
			...limited,
			attempt: 1,
		});
		assert.match(output, /CapEff: 0000000000001000/);
		assert.match(output, /NoNewPrivs: 1\nSeccomp: 2/);
		assert.match(output, /read-only/);
	});

	test('a container that exceeds its memory limit is OOMKilled', async () => {
		const { machine, engine } = world();
		const resources = { requests: { others: {} }, limits: { memoryBytes: 16 << 20, others: {} } };
		const grow = ['sh', '-c', 'x=a; while :; do x=$x$x; done'];
		const exited = await machine.run(grow, { fields: { resources } });
		assert.ok(exited.state === 'exited' && exited.exitCode === 137);
		// Podman's monitor does not see it where control groups of both versions are mounted.
		const reasons = engine.name === 'docker' ? ['OOMKilled'] : ['OOMKilled', 'Error'];
		assert.ok(reasons.includes(exited.reason), JSON.stringify(exited));
	});

	test('a container has the host name of its Pod, and the network of this machine', async () => {
		const { machine } = world();
		await machine.runtime.runSandbox(sandboxConfig('a', { hostname: 'my-pod' }));
		assert.equal(await outputOf(world(), 'cat /proc/sys/kernel/hostname'), 'my-pod');
	});
}

function volumes(world: () => EngineWorld): void {
	test('a volume is mounted, read-only if the Pod says so, and of a subPath only that part', async () => {
		const { harness } = world();
		const folder = join(harness.folder, 'volume');
		mkdirSync(join(folder, 'part'), { recursive: true });
		writeFileSync(join(folder, 'part/file'), 'content');
		const text = 'cat /data/part/file; echo; cat /sub/file; echo; touch /sub/x 2>/dev/null || echo read-only';
		const mounts = [
			volumeMount(folder),
			volumeMount(folder, { subPath: 'part', containerPath: '/sub', readOnly: true }),
		];
		const log = await outputOf(world(), text, { mounts });
		assert.match(log, /^content\ncontent\n/);
		assert.match(log, /read-only$/);
	});

	test('a subPath that a container has replaced by a link out of its volume is refused', async () => {
		const { machine, harness } = world();
		const folder = join(harness.folder, 'volume');
		mkdirSync(folder, { recursive: true });
		symlinkSync('/etc', join(folder, 'part'));
		const sandbox = await machine.sandbox('a');
		const config = machine.config(['true'], {
			fields: { mounts: [volumeMount(folder, { subPath: 'part' })] },
		});
		await assert.rejects(machine.runtime.createContainer(sandbox.id, config), /leads out of its volume/);
	});
}

/** A mount of a folder at /data. */
function volumeMount(hostPath: string, more: Partial<Mount> = {}): Mount {
	return {
		hostPath,
		subPath: '',
		containerPath: '/data',
		readOnly: false,
		recursiveReadOnly: 'Disabled',
		propagation: 'None',
		...more,
	};
}

function logs(world: () => EngineWorld): void {
	test('a log is continued by the next server without loss and without repetition', async () => {
		const { machine, harness } = world();
		const folder = join(harness.folder, 'volume');
		mkdirSync(folder, { recursive: true });
		const pause = '[ $i = 200 ] && until [ -e /data/go ]; do sleep 0.05; done';
		const text = `i=0; while [ $i -lt 400 ]; do i=$((i+1)); echo line $i; ${pause}; done; printf rest`;
		const fields = { mounts: [volumeMount(folder)] };
		const { id, logPath } = await machine.start1(['sh', '-c', text], { fields });
		await machine.logged(logPath, 'line 20\n');
		const runtime = await machine.reconnect();
		await machine.logged(logPath, 'line 100\n');
		// The server is killed in the middle of a write.
		await runtime.stop();
		const before = await harness.readLog(logPath);
		writeFileSync(logPath, before.slice(0, -3));
		writeFileSync(join(folder, 'go'), '');
		const last = await machine.reconnect();
		// It may have ended before, in which case there is no event.
		while ((await last.listContainers()).some((each) => each.id === id && each.state === 'running'))
			await harness.passTime(10);
		const log = await harness.readLog(logPath);
		const lines = Array.from({ length: 400 }, (_, index) => `line ${index + 1}`);
		assert.deepEqual(
			log
				.trimEnd()
				.split('\n')
				.map((line) => line.replace(/^\S+ stdout [FP] /, '')),
			[...lines, 'rest'],
		);
		assert.match(log, / stdout P rest\n$/);
	});

	test('a log is completed for a container that ended while no server ran', async () => {
		const { machine, harness } = world();
		const { id, logPath } = await machine.start1(['sh', '-c', 'echo first; sleep 0.5; echo last']);
		await machine.logged(logPath, 'first\n');
		await machine.runtime.stop();
		const client = new EngineClient(world().engine.socketPath);
		const label = 'stint.io/container';
		const list = await client.call('GET', '/containers/json', {
			query: { filters: JSON.stringify({ label: [label] }) },
		});
		for (const each of Array.isArray(list) ? list : [])
			await client.call('POST', `/containers/${each.Id}/wait`);
		const runtime = await machine.reconnect();
		assert.equal((await runtime.listContainers()).find((each) => each.id === id)?.state, 'exited');
		assert.match(await harness.readLog(logPath), /F first\n.*F last\n$/);
	});

	test('the output of a terminal is in the log', async () => {
		assert.equal(await outputOf(world(), 'echo one; echo two >&2', { tty: true }), 'one\r\ntwo');
	});
}

function owners(world: () => EngineWorld): void {
	test('a server neither sees nor touches the containers of another one, and of other programs', async () => {
		const { machine, engine, known } = world();
		const client = new EngineClient(engine.socketPath);
		const body = { Image: known, Entrypoint: ['sleep', '1000000'], HostConfig: { NetworkMode: 'host' } };
		const foreign = await client.call('POST', '/containers/create', { query: { name: 'foreign' }, body });
		const other = new ContractMachine(openMachine(engine, known));
		await other.start();
		try {
			const running = await machine.start1(machine.programs.runsForEver);
			// The same Pod, as in a copy of the data folder.
			const copy = await other.start1(other.programs.runsForEver);
			assert.equal(copy.id, running.id);
			const more = await machine.start1(machine.programs.runsForEver, { pod: 'b' });
			const listed = await (await other.reconnect()).listContainers();
			assert.deepEqual(listed, [copy]);
			await other.runtime.stop({ killAll: true });
			assert.deepEqual(await machine.runtime.listContainers(), [running, more]);
			const found = await client.call('GET', '/containers/foreign/json');
			assert.ok(found && foreign);
		} finally {
			await other.close();
			await client.call('DELETE', '/containers/foreign', { query: { force: 1 } });
		}
	});

	test('a container that is removed from the engine by another program has exited with 137', async () => {
		const { machine, engine } = world();
		const running = await machine.start1(machine.programs.runsForEver);
		const client = new EngineClient(engine.socketPath);
		const filters = JSON.stringify({ label: ['io.kubernetes.pod.uid=uid-a'] });
		const [found] = Object.values(
			(await client.call('GET', '/containers/json', { query: { filters } })) ?? {},
		);
		await client.call('DELETE', `/containers/${found.Id}`, { query: { force: 1 } });
		const exited = await machine.exitOf(running.id);
		assert.ok(exited.state === 'exited' && exited.exitCode === 137);
	});
}
