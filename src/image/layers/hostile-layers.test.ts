import assert from 'node:assert/strict';
import {
	existsSync,
	lstatSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	readlinkSync,
	writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type ArchiveEntry, tarOf } from '../testing/archive.ts';
import { testFolder, treeOf } from '../testing/trees.ts';
import { LayerError } from './layer-error.ts';
import type { LayerMarks } from './layer-marks.ts';
import { unpackLayer } from './unpack-layer.ts';

/** A folder with a file outside of the layer's root, and the root's path. */
function place(t: TestContext) {
	const folder = testFolder(t);
	mkdirSync(join(folder, 'outside'));
	writeFileSync(join(folder, 'outside/file'), 'kept');
	return { folder, root: join(folder, 'root'), outside: () => treeOf(join(folder, 'outside')) };
}

function unpack(root: string, entries: readonly ArchiveEntry[]) {
	const policy = { ownership: process.geteuid?.() === 0 ? 'apply' : 'record', setId: 'keep' } as const;
	return unpackLayer([gzipSync(tarOf(entries))], { root, digest: undefined, diffId: undefined, policy });
}

/** Layers that must be refused, with what the message must say. */
const REFUSED: readonly (readonly [name: string, entries: readonly ArchiveEntry[], message: RegExp])[] = [
	['a path upward', [{ path: '../../outside/new' }], /contains "\.\."/],
	['a path upward from below', [{ path: 'a/../../outside/new' }], /contains "\.\."/],
	['a folder upward', [{ path: '../' }], /contains "\.\."/],
	['a hard link upward', [{ path: 'a', kind: 'hardlink', to: '../outside/file' }], /contains "\.\."/],
	[
		'a hard link to a file outside',
		[{ path: 'a', kind: 'hardlink', to: '/etc/hostname' }],
		/not in this layer/,
	],
	[
		'a hard link through a link',
		[
			{ path: 'out', to: '../outside' },
			{ path: 'a', kind: 'hardlink', to: 'out/file' },
		],
		/leads to outside\/file, which is not in this layer/,
	],
	[
		'a hard link to a folder',
		[{ path: 'd/' }, { path: 'a', kind: 'hardlink', to: 'd' }],
		/leads to a folder/,
	],
	['a hard link to the root', [{ path: 'a', kind: 'hardlink', to: '/' }], /leads to a folder/],
	['a hard link to itself', [{ path: 'a' }, { path: 'a', kind: 'hardlink', to: './a' }], /leads to itself/],
	[
		'a hard link to what it replaces',
		[{ path: 'd/f' }, { path: 'd', kind: 'hardlink', to: 'd/f' }],
		/not in this layer/,
	],
	['a name with a NUL', [{ path: `a\0${'b'.repeat(120)}` }], /contains a NUL/],
	['a link with a NUL', [{ path: 'a', to: `b\0${'c'.repeat(120)}` }], /malformed target/],
	['a link to nothing', [{ path: 'a', kind: 'symlink', to: '' }], /malformed target/],
	['a too long link', [{ path: 'a', to: 'x'.repeat(5000) }], /malformed target/],
	['the whiteout of nothing', [{ path: '.wh.' }], /hides no file/],
	['the whiteout of the folder', [{ path: 'a/.wh..' }], /hides no file/],
	['the whiteout of the parent', [{ path: 'a/.wh...' }], /hides no file/],
	['a file inside of a whiteout', [{ path: '.wh.a/b' }], /inside of a whiteout/],
	['a folder inside of an opaque mark', [{ path: 'a/.wh.b/c/' }], /inside of a whiteout/],
	['a file in the place of a folder', [{ path: 'a' }, { path: 'a/b' }], /a file is in the place of a folder/],
	[
		'a loop of links',
		[
			{ path: 'a', to: 'b' },
			{ path: 'b', to: 'a' },
			{ path: 'a/c', content: '' },
		],
		/too many symbolic links/,
	],
	['a link that contains itself', [{ path: 'a', to: 'a/a' }, { path: 'a/b' }], /too many symbolic links/],
	[
		'a root that is a file',
		[
			{ path: './', kind: 'file' },
			{ path: '.', kind: 'symlink', to: '/' },
		],
		/root of the layer/,
	],
	['a name of 256 bytes', [{ path: 'x'.repeat(256) }], /more than 255 bytes/],
	['an owner that chown ignores', [{ path: 'a', uid: 2 ** 32 - 1 }], /an owner beyond 4294967294/],
	['a group that does not exist', [{ path: './', gid: 2 ** 40 }], /an owner beyond 4294967294/],
	['a path of 4000 bytes', [{ path: 'x/'.repeat(2000) }], /longer than 3072 bytes/],
];

for (const [name, entries, message] of REFUSED) {
	test(`refuses ${name}, and leaves nothing behind`, async (t) => {
		const { folder, root, outside } = place(t);
		const before = outside();
		await assert.rejects(unpack(root, [{ path: 'first' }, ...entries]), (error) => {
			assert.ok(error instanceof LayerError, String(error));
			assert.equal(error.reason, 'refused');
			assert.match(error.message, message);
			return true;
		});
		assert.deepEqual(readdirSync(folder), ['outside']);
		assert.deepEqual(outside(), before);
	});
}

test('absolute paths and links out of the root stay inside', async (t) => {
	const { folder, root, outside } = place(t);
	const before = outside();
	await unpack(root, [
		{ path: '/etc/absolute', content: '1' },
		{ path: 'abs', to: '/outside' },
		{ path: 'abs/2', content: '2' },
		{ path: 'up', to: '../../../../outside' },
		{ path: 'up/3', content: '3' },
		{ path: 'a/b/', mode: 0o700 },
		{ path: 'a/b/rel', to: '../../x/./y' },
		{ path: 'a/b/rel/4', content: '4' },
		{ path: 'a/b/abs', to: '/outside' },
		{ path: 'a/b/abs/5', content: '5' },
		{ path: 'self', to: join(folder, 'outside/file') },
		{ path: 'self', content: 'a file replaces the link' },
	]);
	assert.deepEqual(outside(), before);
	const read = (path: string) => readFileSync(join(root, path), 'utf8');
	assert.deepEqual(['etc/absolute', 'outside/2', 'outside/3', 'x/y/4', 'outside/5'].map(read), [
		'1',
		'2',
		'3',
		'4',
		'5',
	]);
	assert.equal(read('self'), 'a file replaces the link');
	assert.equal(readlinkSync(join(root, 'up')), '../../../../outside');
});

test('an entry whose path exists replaces it, and never writes through a link', async (t) => {
	const { root } = place(t);
	await unpack(root, [
		{ path: 'first', content: 'first' },
		{ path: 'second', kind: 'hardlink', to: 'first' },
		{ path: 'second', content: 'second' },
		{ path: 'dir/', mode: 0o700 },
		{ path: 'dir/old/deep', content: 'x' },
		{ path: 'dir/', mode: 0o750 },
		{ path: 'gone/a/b', content: 'x' },
		{ path: 'gone', content: 'a file replaces the folder' },
		{ path: 'link', to: 'dir' },
		{ path: 'link/', mode: 0o711 },
		{ path: 'link/inner', content: 'x' },
		{ path: 'file', content: 'x' },
		{ path: 'file/', mode: 0o755 },
		{ path: 'to-first', to: 'first' },
		{ path: 'same-link', kind: 'hardlink', to: 'to-first' },
		{ path: 'again/x', content: '1' },
		{ path: 'again', to: 'dir' },
		{ path: 'again/x', content: '2' },
	]);
	const read = (path: string) => readFileSync(join(root, path), 'utf8');
	assert.equal(read('first'), 'first');
	assert.equal(read('second'), 'second');
	assert.equal(read('dir/old/deep'), 'x');
	assert.equal(lstatSync(join(root, 'dir')).mode & 0o777, 0o750);
	assert.equal(read('gone'), 'a file replaces the folder');
	assert.ok(lstatSync(join(root, 'link')).isDirectory());
	assert.ok(!existsSync(join(root, 'dir/inner')));
	assert.ok(lstatSync(join(root, 'file')).isDirectory());
	assert.equal(lstatSync(join(root, 'same-link')).ino, lstatSync(join(root, 'to-first')).ino);
	assert.equal(read('dir/x'), '2');
});

test('devices, pipes and files of AUFS are skipped', async (t) => {
	const { root } = place(t);
	const { skipped, entries } = await unpack(root, [
		{ path: 'dev/null', kind: 'device' },
		{ path: 'run/pipe', kind: 'fifo' },
		{ path: '.wh..wh.plnk/', mode: 0o700 },
		{ path: '.wh..wh.plnk/12.34', content: 'x' },
		{ path: '.wh..wh.aufs', content: 'x' },
		{ path: 'file' },
	]);
	assert.deepEqual([skipped, entries], [5, 1]);
	assert.deepEqual(readdirSync(root), ['file']);
});

function plain({ whiteouts, opaques, implied, xattrs }: LayerMarks) {
	return { whiteouts, opaques, implied, xattrs: [...xattrs].map(([path, values]) => [path, ...values]) };
}

test('whiteouts are recorded, and hide nothing of their own layer', async (t) => {
	const { root } = place(t);
	const { marks } = await unpack(root, [
		{ path: './' },
		{ path: 'etc/.wh.passwd', content: 'whatever' },
		{ path: 'etc/.wh.passwd' },
		{ path: '.wh.own' },
		{ path: 'own', content: 'x' },
		{ path: 'folder/' },
		{ path: '.wh.folder' },
		{ path: 'opaque/.wh..wh..opq' },
		{ path: 'opaque/kept', content: 'x' },
		{ path: 'lib', to: 'usr/lib' },
		{ path: 'lib/.wh.gone' },
		{ path: 'replaced/.wh.x' },
		{ path: 'replaced/.wh..wh..opq' },
		{ path: 'replaced', content: 'x' },
	]);
	assert.deepEqual(plain(marks), {
		whiteouts: ['etc/passwd', 'usr/lib/gone'],
		opaques: ['folder', 'opaque'],
		implied: ['etc', 'opaque', 'usr', 'usr/lib'],
		xattrs: [],
	});
	assert.ok(!existsSync(join(root, 'etc/passwd')));
	assert.equal(readFileSync(join(root, 'opaque/kept'), 'utf8'), 'x');
});

test('of extended attributes only capabilities and those of users are recorded', async (t) => {
	const { root } = place(t);
	const xattrs = new Map([
		['security.capability', '\x01\0\0\x02\xff'],
		['user.note', 'x'],
		['user.overlay.redirect', '/../../etc'],
		['user.overlay.opaque', 'y'],
		['trusted.overlay.opaque', 'y'],
		['security.selinux', 'x'],
		['system.posix_acl_access', 'x'],
	]);
	const { marks } = await unpack(root, [
		{ path: 'ping', xattrs },
		{ path: 'same', kind: 'hardlink', to: 'ping' },
		{ path: 'replaced', xattrs },
		{ path: 'replaced' },
		{ path: 'dir/gone', xattrs },
		{ path: 'dir' },
		{ path: 'out/passwd', xattrs },
		{ path: 'out', to: '/etc' },
		{ path: 'link', to: 'x', xattrs },
	]);
	const kept = [
		['security.capability', '\x01\0\0\x02\xff'],
		['user.note', 'x'],
	];
	assert.deepEqual(plain(marks).xattrs, [
		['ping', ...kept],
		['same', ...kept],
	]);
});
