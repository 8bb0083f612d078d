import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import test, { type TestContext } from 'node:test';
import type { FileReaders } from '../../api/contract/file-readers.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { temporaryFolder } from '../../base/testing/temporary-folder.ts';
import type { VolumeSetUp } from '../../plan/pod/inputs/volume-kinds.ts';
import { type ContainerFiles, OWN_FILES } from '../../runtime/files/container-files.ts';
import { FolderVolumes } from './folder-volumes.ts';
import { PodFolders } from './pod-folders.ts';

const NEW = { inUse: false };
const EMPTY_DIR: VolumeSetUp = { name: 'e', kind: 'emptyDir', medium: '', sizeLimitBytes: undefined };
const FILES: VolumeFile[] = [{ path: 'k', content: 'v', mode: 0o400 }];
type VolumeFile = { readonly path: string; readonly content: string; readonly mode: number };

function made(
	t: TestContext,
	own: Partial<ContainerFiles> = {},
): {
	readonly volumes: FolderVolumes;
	readonly disk: string;
	readonly memory: string;
} {
	const folder = temporaryFolder(t);
	const [disk, memory] = [join(folder, 'disk'), join(folder, 'memory')];
	for (const path of [disk, memory]) mkdirSync(path);
	const files = (): ContainerFiles => Object.assign(Object.create(OWN_FILES), own);
	const folders = new PodFolders({
		files,
		disk,
		memory: { open: () => memory, existing: () => memory, removeLeftovers: async () => {} },
	});
	return {
		volumes: new FolderVolumes({
			files,
			folders,
			clock: { now: () => 0, monotonic: () => 0 },
		}),
		disk,
		memory,
	};
}

function podOf(securityContext: object = {}, volumeMounts: readonly object[] = []): Pod {
	const spec = { securityContext, containers: [{ name: 'c', volumeMounts }] };
	return {
		apiVersion: 'v1',
		kind: 'Pod',
		metadata: { name: 'p', uid: 'u' },
		spec,
		status: {},
	} as unknown as Pod;
}

test('an emptyDir is a folder for everybody, on the disk or in memory, that keeps its content', async (t) => {
	const { volumes, disk, memory } = made(t);
	const { hostPath, readOnly } = await volumes.setUp(podOf(), EMPTY_DIR, NEW);
	assert.deepEqual([hostPath, readOnly], [join(disk, 'u/volumes/e'), false]);
	assert.equal(statSync(hostPath).mode & 0o7777, 0o777);
	writeFileSync(join(hostPath, 'x'), 'kept');
	await volumes.setUp(podOf(), EMPTY_DIR, { inUse: true });
	assert.equal(readFileSync(join(hostPath, 'x'), 'utf8'), 'kept');
	const inMemory = await volumes.setUp(podOf(), { ...EMPTY_DIR, name: 'm', medium: 'Memory' }, NEW);
	assert.equal(inMemory.hostPath, join(memory, 'u/volumes/m'));
	assert.deepEqual([...(await volumes.usageOf('u')).keys()], ['e', 'm']);
	await volumes.remove('u');
	assert.equal(existsSync(hostPath) || existsSync(inMemory.hostPath), false);
});

test('files are read-only and in memory, with the mount points of nested volumes', async (t) => {
	const { volumes, memory } = made(t);
	const mounts = [
		{ name: 'f', mountPath: '/etc/app' },
		{ name: 'e', mountPath: '/etc/app/cache' },
	];
	const set = (content: string) =>
		volumes.setUp(
			podOf({}, mounts),
			{ name: 'f', kind: 'files', files: [{ path: 'k', content, mode: 0o400 }] },
			NEW,
		);
	const { hostPath, readOnly } = await set('old');
	assert.deepEqual([hostPath, readOnly], [join(memory, 'u/volumes/f'), true]);
	assert.equal(statSync(join(hostPath, 'cache')).isDirectory(), true);
	assert.equal(statSync(join(hostPath, 'k')).mode & 0o777, 0o400);
	await set('new');
	assert.equal(readFileSync(join(hostPath, 'k'), 'utf8'), 'new');
});

test('a hostPath is checked, and a local volume must exist', async (t) => {
	const { volumes, disk } = made(t);
	const hostPath = { name: 'h', kind: 'hostPath', path: disk, readOnly: true } as const;
	assert.deepEqual(await volumes.setUp(podOf(), { ...hostPath, type: 'Directory' }, NEW), {
		hostPath: disk,
		readOnly: true,
	});
	await assert.rejects(volumes.setUp(podOf(), { ...hostPath, type: 'File' }, NEW), /is not a file/);
	const local = { name: 'l', kind: 'local', path: join(disk, 'none'), readOnly: false } as const;
	await assert.rejects(volumes.setUp(podOf(), local, NEW), {
		...{ name: 'MountError', step: 'MountVolume.NewMounter initialization failed' },
		message: `path "${local.path}" does not exist`,
	});
});

test('the group of the Pod gets its volumes, a shared one only before it is used', {
	skip: process.geteuid?.() === 0 ? false : 'needs root',
}, async (t) => {
	const { volumes, disk } = made(t);
	const pod = podOf({ fsGroup: 4321 });
	const { hostPath } = await volumes.setUp(pod, EMPTY_DIR, NEW);
	assert.deepEqual([statSync(hostPath).gid, statSync(hostPath).mode & 0o7777], [4321, 0o2777]);
	const files = await volumes.setUp(pod, { name: 'f', kind: 'files', files: FILES }, NEW);
	const key = statSync(join(files.hostPath, 'k'));
	assert.deepEqual([key.gid, key.mode & 0o777], [4321, 0o440]);
	const path = join(disk, 'local');
	mkdirSync(path);
	const local = { name: 'l', kind: 'local', path, readOnly: false } as const;
	await volumes.setUp(pod, local, { inUse: true });
	assert.notEqual(statSync(path).gid, 4321);
	await volumes.setUp(pod, { ...local, readOnly: true }, NEW);
	assert.notEqual(statSync(path).gid, 4321);
	await volumes.setUp(pod, local, NEW);
	assert.equal(statSync(path).gid, 4321);
});

test('a file with readers is given to them before it is visible; one that cannot be given away is readable', async (t) => {
	const given: [string, FileReaders][] = [];
	const { volumes, memory } = made(t, {
		giveTo: async (path, readers) => {
			assert.equal(existsSync(join(memory, 'u/volumes/f/t')), false);
			given.push([relative(memory, path).replace(/\.\.\d[^/]*/, '..x'), readers]);
		},
	});
	const volumeOf = (file: Partial<VolumeFile> & { readonly readers: FileReaders }) =>
		({ name: 'f', kind: 'files', files: [{ path: './t', content: 'jwt', mode: 0o600, ...file }] }) as const;
	const owned = volumeOf({ readers: { user: 1234 } });
	await volumes.setUp(podOf(), owned, NEW);
	assert.deepEqual(given, [['u/volumes/f/..x/t', { user: 1234 }]]);
	const isRoot = process.geteuid?.() === 0;
	for (const [readers, expected] of [
		[{ user: 1234 }, [1234, process.getegid?.(), 0o600]],
		[{ group: 4321 }, [0, 4321, 0o600]],
	] as const) {
		const own = made(t);
		await own.volumes.setUp(podOf(), volumeOf({ readers }), NEW);
		const { uid, gid, mode } = statSync(join(own.memory, 'u/volumes/f/t'));
		const others = [process.geteuid?.(), process.getegid?.(), 0o644];
		assert.deepEqual([uid, gid, mode & 0o777], isRoot ? expected : others);
	}
});
