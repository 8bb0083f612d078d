/** Container engines for tests. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
	type DaemonCommand,
	endDaemon,
	onPath,
	removeDaemonFolder,
	spawnDaemon,
	untilReady,
} from '../../testing/test-daemon.ts';
import { busyboxPath } from '../../testing/tiny-image.ts';
import { EngineClient } from '../engine/engine-client.ts';

/** An engine that a test has started. */
export interface EngineDaemon {
	readonly name: 'docker' | 'podman';
	readonly socketPath: string;
	/** Kills it as `kill -9` does, and starts it again. */
	crash(): Promise<void>;
	/** Ends it, and removes its containers and folders. */
	stop(): Promise<void>;
}

/** Why an engine cannot be started here; undefined if it can be. */
export function missingFor(name: EngineDaemon['name']): string | undefined {
	if (process.getuid?.() !== 0) return 'an engine needs root';
	const program = name === 'docker' ? 'dockerd' : 'podman';
	if (!onPath(program)) return `${program} is not installed`;
	if (name === 'podman' && !onPath('runc')) return 'runc is not installed';
	return busyboxPath() === undefined ? 'busybox-static is not installed' : undefined;
}

/** Starts an engine that may pull from the registries `insecure` without TLS. Resolves once it answers. */
export async function startEngine(
	name: EngineDaemon['name'],
	insecure: readonly string[],
): Promise<EngineDaemon> {
	const folder = mkdtempSync(join(tmpdir(), `stint-${name}-`));
	const socketPath = join(folder, 'engine.sock');
	const setup = name === 'docker' ? dockerd(folder, socketPath) : podman(folder, socketPath, insecure);
	const helper = setup.helper && spawnDaemon(folder, setup.helper);
	const run = async (): Promise<ChildProcess> => {
		const daemon = spawnDaemon(folder, setup);
		await untilReady(folder, daemon, () => isUp(socketPath));
		return daemon;
	};
	let daemon = await run();
	return {
		name,
		socketPath,
		crash: async () => {
			daemon.kill('SIGKILL');
			await once(daemon, 'exit');
			rmSync(join(folder, 'pid'), { force: true });
			daemon = await run();
		},
		stop: async () => {
			await removeContainers(socketPath);
			await endDaemon(daemon);
			if (helper) await endDaemon(helper);
			await removeDaemonFolder(folder);
		},
	};
}

interface EngineSetup extends DaemonCommand {
	/** A daemon that the engine needs, and that outlives it. */
	readonly helper?: DaemonCommand;
}

/** With a containerd of its own: one that dockerd starts stays a zombie where the first process does not reap. */
function dockerd(folder: string, socketPath: string): EngineSetup {
	const config = join(folder, 'containerd.toml');
	const containerd = join(folder, 'containerd.sock');
	const lines = [
		...['version = 2', `root = "${join(folder, 'c-root')}"`, `state = "${join(folder, 'c-state')}"`],
		...['disabled_plugins = ["io.containerd.grpc.v1.cri"]', '[grpc]', `address = "${containerd}"`],
	];
	writeFileSync(config, lines.join('\n'));
	return {
		program: 'dockerd',
		args: [
			...['--bridge=none', '--iptables=false', '--ip6tables=false', '--live-restore'],
			...['--host', `unix://${socketPath}`, '--containerd', containerd, '--pidfile', join(folder, 'pid')],
			...['--data-root', join(folder, 'data'), '--exec-root', join(folder, 'exec')],
		],
		env: {},
		helper: { program: 'containerd', args: ['--config', config], env: {} },
	};
}

function podman(folder: string, socketPath: string, insecure: readonly string[]): EngineSetup {
	mkdirSync(join(folder, 'root'));
	const containers = join(folder, 'containers.conf');
	// Podman sets limits beyond those of this process, which only some machines allow.
	writeFileSync(containers, '[containers]\ndefault_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]\n');
	const registries = join(folder, 'registries.conf');
	const tables = insecure.map((host) => `[[registry]]\nlocation = "${host}"\ninsecure = true\n`);
	writeFileSync(registries, tables.join(''));
	const storage = ['--root', join(folder, 'root'), '--runroot', join(folder, 'run')];
	return {
		program: 'podman',
		args: [
			...[...storage, '--runtime', 'runc', '--cgroup-manager', 'cgroupfs'],
			...['system', 'service', '--time', '0', `unix://${socketPath}`],
		],
		env: { CONTAINERS_CONF: containers, CONTAINERS_REGISTRIES_CONF: registries },
	};
}

async function removeContainers(socketPath: string): Promise<void> {
	const client = new EngineClient(socketPath);
	const list = await client.call('GET', '/containers/json', { query: { all: 1 } });
	for (const each of Array.isArray(list) ? list : [])
		await client
			.call('DELETE', `/containers/${each.Id}`, { query: { force: 1, v: 1 } })
			.catch(() => undefined);
}

async function isUp(socketPath: string): Promise<boolean> {
	await new EngineClient(socketPath).call('GET', '/_ping');
	return true;
}
