import assert from 'node:assert/strict';
import {
	existsSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	rmSync,
	statSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { temporaryFolder } from '../../base/testing/temporary-folder.ts';
import { OWN_FILES } from '../../runtime/files/container-files.ts';
import { MemoryRoot } from './memory-root.ts';
import { PodFolders } from './pod-folders.ts';

function roots(t: TestContext): {
	readonly disk: string;
	readonly memory: string;
	readonly folders: PodFolders;
} {
	const folder = temporaryFolder(t);
	const [disk, memory] = [join(folder, 'disk'), join(folder, 'memory')];
	mkdirSync(disk);
	mkdirSync(memory);
	return { disk, memory, folders: foldersIn(disk, memory) };
}

const foldersIn = (disk: string, memory: string | undefined): PodFolders =>
	new PodFolders({
		files: () => OWN_FILES,
		disk,
		memory: { open: () => memory, existing: () => memory, removeLeftovers: async () => {} },
	});

test('the folders of a Pod are on their medium, and are removed together', async (t) => {
	const { disk, memory, folders } = roots(t);
	const path = await folders.volume('u1', 'data', 'disk');
	mkdirSync(path);
	mkdirSync(await folders.volume('u1', 'keys', 'memory'));
	assert.equal(path, join(disk, 'u1/volumes/data'));
	assert.deepEqual(
		await folders.volumesOf('u1'),
		new Map([
			['data', path],
			['keys', join(memory, 'u1/volumes/keys')],
		]),
	);
	const hosts = await folders.writeHosts('u1', 'a');
	const { ino } = statSync(hosts);
	await folders.writeHosts('u1', 'b');
	assert.deepEqual([readFileSync(hosts, 'utf8'), statSync(hosts).ino], ['b', ino]);
	const resolver = await folders.makeResolvConf('u1', 'a');
	await folders.makeResolvConf('u1', 'b');
	assert.deepEqual([readFileSync(resolver, 'utf8'), statSync(resolver).mode & 0o777], ['a', 0o644]);
	await folders.remove('u1');
	await folders.remove('u2');
	assert.deepEqual([readdirSync(disk), readdirSync(memory)], [[], []]);
});

test('the file for a termination message can be written by every user, and is removed alone or with the Pod', async (t) => {
	const { disk, memory, folders } = roots(t);
	const file = await folders.makeMessageFile('u1', 'main', 0);
	assert.equal(statSync(file).mode & 0o777, 0o666);
	writeFileSync(file, 'why');
	await folders.makeMessageFile('u1', 'main', 0);
	assert.equal(readFileSync(foldersIn(disk, memory).messageFile('u1', 'main', 0), 'utf8'), 'why');
	const next = await folders.makeMessageFile('u1', 'main', 1);
	await folders.removeMessageFile('u1', 'main', 0);
	await folders.removeMessageFile('u1', 'main', 0);
	assert.deepEqual([existsSync(file), existsSync(next)], [false, true]);
	await folders.remove('u1');
	assert.deepEqual([readdirSync(disk), readdirSync(memory)], [[], []]);
});

test('the next process removes the folders of Pods that are gone, and follows no link', async (t) => {
	const { disk, memory, folders } = roots(t);
	const outside = join(disk, '../outside');
	mkdirSync(outside);
	writeFileSync(join(outside, 'keep'), '');
	for (const uid of ['kept', 'gone']) {
		const path = await folders.volume(uid, 'data', 'memory');
		mkdirSync(path);
		symlinkSync(outside, join(path, 'link'));
	}
	symlinkSync(outside, join(disk, 'planted'));
	await foldersIn(disk, memory).sweep((uid) => uid === 'kept');
	assert.deepEqual([readdirSync(disk), readdirSync(memory)], [[], ['kept']]);
	assert.deepEqual(readdirSync(outside), ['keep']);
});

test('a name that could leave the folder is refused', async (t) => {
	const { folders } = roots(t);
	for (const name of ['../x', 'a/b', '..', '.', '']) {
		await assert.rejects(folders.volume('u', name, 'disk'));
		await assert.rejects(folders.volume(name, 'v', 'disk'));
	}
});

test('a folder in which a file system is mounted is not removed', async (t) => {
	const { disk } = roots(t);
	const mountInfo = join(disk, '../mountinfo');
	const folders = new PodFolders({
		files: () => OWN_FILES,
		disk,
		mountInfo,
		memory: { open: () => undefined, existing: () => undefined, removeLeftovers: async () => {} },
	});
	const path = join(await folders.volume('u', 'data', 'disk'), 'a b');
	mkdirSync(path, { recursive: true });
	writeFileSync(mountInfo, `36 35 98:0 / ${path.replaceAll(' ', '\\040')} rw - ext4 /dev/root rw\n`);
	await assert.rejects(folders.remove('u'), {
		message: `${join(disk, 'u')} is not removed, since a file system is mounted at ${path}`,
	});
	assert.equal(existsSync(path), true);
	writeFileSync(mountInfo, `36 35 98:0 / ${disk}/u2 rw - ext4 /dev/root rw\n`);
	await folders.remove('u');
	assert.equal(existsSync(path), false);
});

test('files that must not be on a disk are on it if there is no tmpfs', async (t) => {
	const { disk } = roots(t);
	const reasons: string[] = [];
	const root = new MemoryRoot({
		files: () => OWN_FILES,
		disk,
		onUnusable: (reason) => void reasons.push(reason),
		shm: disk,
	});
	const folders = new PodFolders({ files: () => OWN_FILES, disk, memory: root });
	assert.equal(await folders.volume('u', 'keys', 'memory'), join(disk, 'u/volumes/keys'));
	await folders.volume('u', 'more', 'memory');
	assert.deepEqual(reasons, [`${disk} is no tmpfs`]);
});

const HAS_SHM = { skip: existsSync('/dev/shm') ? false : 'there is no /dev/shm' };

test(
	'the folder in memory is private, found again, and removed once its data folder is gone',
	HAS_SHM,
	async (t) => {
		const disk = temporaryFolder(t);
		const made = () =>
			new MemoryRoot({ files: () => OWN_FILES, disk, onUnusable: (reason) => assert.fail(reason) });
		assert.equal(made().existing(), undefined);
		const root = made();
		const path = root.open() ?? '';
		t.after(() => root.remove());
		assert.match(path, /^\/dev\/shm\/stint-[0-9a-f]{16}\/pods$/);
		assert.equal(statSync(path).mode & 0o777, 0o700);
		writeFileSync(join(path, 'x'), '');
		assert.equal(made().existing(), path);
		await made().removeLeftovers();
		assert.deepEqual(readdirSync(path), ['x']);
		const other = join(disk, 'other');
		mkdirSync(other);
		const left =
			new MemoryRoot({
				files: () => OWN_FILES,
				disk: other,
				onUnusable: (reason) => assert.fail(reason),
			}).open() ?? '';
		rmSync(other, { recursive: true });
		const failing = {
			remove: (path: string) =>
				path.endsWith('pods') ? Promise.reject(new Error('no right')) : OWN_FILES.remove(path),
		};
		const refused = new MemoryRoot({
			files: () => failing,
			disk,
			onUnusable: (reason) => assert.fail(reason),
		});
		await assert.rejects(refused.removeLeftovers(), /no right/);
		assert.equal(existsSync(left), true);
		await made().removeLeftovers();
		assert.deepEqual([existsSync(left), existsSync(path)], [false, true]);
		await root.remove();
		assert.equal(existsSync(path), false);
	},
);
