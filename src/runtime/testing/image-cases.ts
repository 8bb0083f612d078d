/** What runtimes that pull images do with them and with the fields of a Pod beyond the contract, as tests. */
import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ContainerConfig, ContainerSecurity, Mount } from '../../api/contract/container-config.ts';
import { ContainerStartError, ImageError, type ImagePullSecret } from '../contract.ts';
import { containerConfig } from './configs.ts';
import type { ContractMachine, RuntimeHarness } from './contract-machine.ts';
import type { TinyRegistry } from './tiny-registry.ts';

/** A machine whose runtime may pull from registries. */
export interface ImageWorld {
	readonly machine: ContractMachine;
	readonly harness: RuntimeHarness & { readonly folder: string };
	/** Has `stint/app`: its user is `app`, its entrypoint `echo entry` and its argument `cmd`. */
	readonly registry: TinyRegistry;
	/** Has `stint/private` for the user `user` with the password `secret`. */
	readonly privateRegistry: TinyRegistry;
	/** The name of an image without a user that is there. */
	readonly known: string;
	/** Whether a container that was killed for want of memory says so. */
	readonly reportsOutOfMemory: boolean;
}

/** Registers the tests. */
export function imageCases(world: () => ImageWorld): void {
	images(world);
	security(world);
	volumes(world);
	test('the output of a terminal is in the log', async () => {
		// containerd leaves the terminal's carriage returns out of the log.
		assert.match(await outputOf(world(), 'echo one; echo two >&2', { tty: true }), /^one\r?\ntwo$/);
	});
}

/** Runs a container to its end; resolves to what it wrote to standard output. */
export async function outputOf(
	{ machine, harness }: Pick<ImageWorld, 'machine' | 'harness'>,
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

function images(world: () => ImageWorld): void {
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

function security(world: () => ImageWorld): void {
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

	test('a container reads its memory limit below /sys/fs/cgroup', async () => {
		const resources = memoryLimit(32 << 20);
		const text = 'cd /sys/fs/cgroup; cat memory/memory.limit_in_bytes 2>/dev/null || cat memory.max';
		assert.equal(await outputOf(world(), text, { resources }), String(32 << 20));
	});

	test('a container that exceeds its memory limit is OOMKilled', async () => {
		const { machine, reportsOutOfMemory } = world();
		const resources = memoryLimit(16 << 20);
		const grow = ['sh', '-c', 'x=a; while :; do x=$x$x; done'];
		const reasons: string[] = [];
		// Docker 20.10 does not report it in one of fifty cases.
		for (let attempt = 0; attempt < 4 && !reasons.includes('OOMKilled'); attempt++) {
			const exited = await machine.run(grow, { attempt, fields: { resources } });
			assert.ok(exited.state === 'exited' && exited.exitCode === 137);
			reasons.push(exited.reason);
		}
		assert.ok(reasons.includes('OOMKilled') || !reportsOutOfMemory, reasons.join());
	});
}

function memoryLimit(memoryBytes: number): ContainerConfig['resources'] {
	return { requests: { others: {} }, limits: { memoryBytes, others: {} } };
}

function volumes(world: () => ImageWorld): void {
	test('what a container writes to its root file system is measured', async () => {
		const { machine, harness } = world();
		const text = 'head -c 5000000 /dev/zero > /written; echo done; exec sleep 1000000';
		const { logPath } = await machine.start1(['sh', '-c', text]);
		await machine.logged(logPath, 'done\n');
		const written = async (): Promise<number> => (await machine.runtime.usage())[0]?.writableLayerBytes ?? 0;
		// Engines measure now and then.
		while ((await written()) < 5_000_000) await harness.passTime(100);
	});

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
export function volumeMount(hostPath: string, more: Partial<Mount> = {}): Mount {
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
