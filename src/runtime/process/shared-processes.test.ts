import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import type { RuntimeContainer } from '../contract.ts';
import { containerIdOf } from '../ids.ts';
import type { HostContainerConfig } from './launcher/protocol.ts';
import { checkJoin, isPause, joiningBox, startPause } from './shared-processes.ts';

const BOX = { namespaces: 'mpih', hostname: 'web', fileSystems: [], mounts: [], capabilities: '0' };

/** A launcher whose containers with these attempts have ended. */
class Launcher {
	readonly made: HostContainerConfig[] = [];
	readonly started: string[] = [];
	readonly #ended: number;

	constructor(ended: number) {
		this.#ended = ended;
	}

	async createContainer(sandboxId: string, config: HostContainerConfig): Promise<RuntimeContainer> {
		this.made.push(config);
		const { name, attempt, image, imageRef, logPath } = config;
		const id = containerIdOf(sandboxId, config);
		const base = { id, sandboxId, podUid: 'u', name, attempt, image, imageRef, logPath, createdAt: 0 };
		return attempt < this.#ended
			? { ...base, state: 'exited', exitCode: 137, reason: 'Error', startedAt: 0, finishedAt: 0 }
			: { ...base, state: 'created' };
	}

	async startContainer(id: string): Promise<RuntimeContainer> {
		this.started.push(id);
		return this.createContainer('s', this.made.at(-1) ?? assert.fail('nothing was created'));
	}
}

test('the namespaces of a sandbox are held by a container with a box, but without rights to gain', async () => {
	const launcher = new Launcher(0);
	const id = await startPause(launcher, 's', { box: BOX, folder: '/launcher', shim: '/shim' });
	assert.deepEqual(launcher.started, [id]);
	const [config] = launcher.made;
	assert.ok(config && isPause(config));
	assert.deepEqual(config.box, {
		...{ namespaces: 'mpih', hostname: 'web', fileSystems: [], mounts: [], noNewPrivileges: true },
	});
});

test('it has no right of the others, and a root with nothing else, where they have images', async (t) => {
	const folder = mkdtempSync(join(tmpdir(), 'stint-pause-'));
	t.after(() => rmSync(folder, { recursive: true }));
	const launcher = new Launcher(0);
	const idMaps = { uid: '0 1000 1', gid: '0 1000 1' };
	const box = { ...BOX, idMaps, root: { folder: '/image' }, user: { uid: 5, gid: 5 } };
	await startPause(launcher, 's', { box, folder, shim: '/shim' });
	const [config] = launcher.made;
	assert.deepEqual(config?.program.argv, ['/pause', 'pause']);
	assert.deepEqual(config?.box, {
		...{ namespaces: 'mpih', hostname: 'web', fileSystems: [], noNewPrivileges: true, idMaps },
		...{ root: { folder: join(folder, 'pause') }, readOnlyRoot: true, capabilities: '0' },
		mounts: [{ source: '/shim', subPath: '', target: '/pause', flags: 'r' }],
	});
	assert.deepEqual(readdirSync(join(folder, 'pause')), []);
});

test('if the container has ended, another one takes its place', async () => {
	const launcher = new Launcher(2);
	const id = await startPause(launcher, 's', { box: BOX, folder: '/launcher', shim: '/shim' });
	assert.deepEqual(
		launcher.made.slice(0, 3).map(({ attempt }) => attempt),
		[0, 1, 2],
	);
	assert.deepEqual(launcher.started, [id]);
});

test('a container that joins has a view of mounts of its own, and the rights that it had', () => {
	assert.deepEqual(joiningBox(BOX), { namespaces: 'm', fileSystems: [], mounts: [], capabilities: '0' });
});

test('a container of another user cannot be joined, nor one that has ended', () => {
	const maps = (uid: string) => ({ box: { ...BOX, idMaps: { uid, gid: '0 1000 1' } } });
	const config = { join: 'u_0_main_0', ...maps('0 1000 1') };
	checkJoin(config, maps('0 1000 1'));
	checkJoin(maps('0 1000 1'), undefined);
	assert.throws(() => checkJoin(config, maps('65534 1000 1')), /runs as another user/);
	assert.throws(() => checkJoin(config, undefined), /has ended/);
});
