/** containerd for tests, with folders of its own. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SystemClock } from '../../../base/clock.ts';
import { endDaemon, onPath, removeDaemonFolder, spawnDaemon, untilReady } from '../../testing/test-daemon.ts';
import { busyboxPath } from '../../testing/tiny-image.ts';
import { CriClient } from '../client/cri-client.ts';
import { CRI } from '../client/cri-methods.ts';

/** A containerd that a test has started. */
export interface Containerd {
	readonly socketPath: string;
	/** Kills it as `kill -9` does, and starts it again. */
	crash(): Promise<void>;
	/** Ends it, and removes its containers and folders. */
	stop(): Promise<void>;
}

/** Why containerd cannot be started here; undefined if it can be. */
export function missingForContainerd(): string | undefined {
	if (process.getuid?.() !== 0) return 'containerd needs root';
	for (const program of ['containerd', 'runc']) if (!onPath(program)) return `${program} is not installed`;
	return busyboxPath() === undefined ? 'busybox-static is not installed' : undefined;
}

/** How containerd is started. */
export interface ContainerdOptions {
	/** The image of the process that keeps a sandbox. */
	readonly pauseImage: string;
	/** A list of CNI's plugins, as JSON; without it Pods have no network of their own. */
	readonly network?: string;
}

/** Starts containerd. Resolves once it answers. */
export async function startContainerd(options: ContainerdOptions): Promise<Containerd> {
	const folder = mkdtempSync(join(tmpdir(), 'stint-containerd-'));
	const socketPath = join(folder, 'containerd.sock');
	const config = configure(folder, options);
	const run = async (): Promise<ChildProcess> => {
		const daemon = spawnDaemon(folder, { program: 'containerd', args: ['--config', config], env: {} });
		await untilReady(folder, daemon, () => isUp(socketPath));
		return daemon;
	};
	let daemon = await run();
	return {
		socketPath,
		crash: async () => {
			daemon.kill('SIGKILL');
			await once(daemon, 'exit');
			daemon = await run();
		},
		stop: async () => {
			await removeSandboxes(socketPath);
			await endDaemon(daemon);
			await removeDaemonFolder(folder);
		},
	};
}

/** Writes the configuration; returns its path. */
function configure(folder: string, { pauseImage, network }: ContainerdOptions): string {
	const at = (name: string): string => JSON.stringify(join(folder, name));
	const networks = join(folder, 'cni');
	mkdirSync(networks);
	if (network !== undefined) writeFileSync(join(networks, '10-test.conflist'), network);
	const cri = 'plugins."io.containerd.grpc.v1.cri"';
	const lines = [
		...['version = 2', `root = ${at('root')}`, `state = ${at('state')}`],
		...['[grpc]', `address = ${at('containerd.sock')}`],
		...['[plugins."io.containerd.internal.v1.opt"]', `path = ${at('opt')}`],
		...[`[${cri}]`, `sandbox_image = ${JSON.stringify(pauseImage)}`],
		// Some machines do not let even root lower the score.
		...['restrict_oom_score_adj = true', 'stream_server_port = "0"'],
		...[`[${cri}.cni]`, `conf_dir = ${JSON.stringify(networks)}`, 'bin_dir = "/usr/lib/cni"'],
	];
	const path = join(folder, 'config.toml');
	writeFileSync(path, lines.join('\n'));
	return path;
}

async function isUp(socketPath: string): Promise<boolean> {
	return await connected(socketPath, async (client) => {
		await client.call(CRI.status, {});
		return true;
	});
}

async function removeSandboxes(socketPath: string): Promise<void> {
	await connected(socketPath, async (client) => {
		const { items } = await client.call(CRI.listPodSandbox, {});
		await Promise.all(
			items.map(async ({ id: podSandboxId }) => {
				await client.call(CRI.stopPodSandbox, { podSandboxId });
				await client.call(CRI.removePodSandbox, { podSandboxId });
			}),
		);
	});
}

async function connected<T>(socketPath: string, act: (client: CriClient) => Promise<T>): Promise<T> {
	const client = new CriClient(socketPath, new SystemClock({ keepsAlive: true }));
	try {
		return await act(client);
	} finally {
		await client.close();
	}
}
