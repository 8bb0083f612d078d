import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
	chmodSync,
	existsSync,
	lstatSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	statSync,
	writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { SystemRandom } from '../../base/random.ts';
import { SeededRandom } from '../../base/testing/seeded-random.ts';
import { digestOf } from '../digest.ts';
import { tarOf } from '../testing/archive.ts';
import { growTree } from '../testing/random-tree.ts';
import { testFolder, treeOf } from '../testing/trees.ts';
import { LayerError } from './layer-error.ts';
import type { UnpackPolicy } from './layer-unpacker.ts';
import { type UnpackRequest, unpackLayer } from './unpack-layer.ts';

const IS_ROOT = process.geteuid?.() === 0;
const POLICY: UnpackPolicy = { ownership: IS_ROOT ? 'apply' : 'record', setId: 'keep' };
const PLAIN = { digest: undefined, diffId: undefined, policy: POLICY };

function unpack(bytes: Uint8Array, request: Partial<UnpackRequest> & Pick<UnpackRequest, 'root'>) {
	return unpackLayer([bytes], { ...PLAIN, ...request });
}

test('random trees come out as GNU tar unpacks them, in each of its formats', async (t) => {
	const folder = testFolder(t);
	for (let round = 0; round < 12; round++) {
		const seed = Math.floor(new SystemRandom().next() * 2 ** 32);
		const source = join(folder, `source${round}`);
		const format = ['gnu', 'pax', 'ustar', 'oldgnu'][round % 4] ?? 'gnu';
		const maxPathBytes = format === 'ustar' ? 95 : 230;
		growTree(source, { random: new SeededRandom(seed), isRoot: IS_ROOT, maxPathBytes });
		const order = round % 3 === 0 ? ['--sort=inode'] : ['--sort=name'];
		const archive = join(folder, `${round}.tar`);
		execFileSync('tar', ['-C', source, '-cf', archive, `--format=${format}`, ...order, '.']);
		const expected = join(folder, `expected${round}`);
		mkdirSync(expected);
		execFileSync('tar', ['-C', expected, '-xpf', archive, '--numeric-owner'], { stdio: 'pipe' });
		const root = join(folder, `root${round}`);
		const { diffId } = await unpack(gzipSync(readFileSync(archive), { level: 1 }), { root });
		assert.equal(diffId, digestOf(readFileSync(archive)));
		assert.deepEqual(treeOf(root), treeOf(expected), `seed ${seed}, format ${format}`);
	}
});

test('gzip, zstd and plain archives are recognised by their bytes, and both digests are checked', async (t) => {
	const folder = testFolder(t);
	const archive = tarOf([{ path: 'a/' }, { path: 'a/b', content: 'x'.repeat(100_000) }]);
	const diffId = digestOf(archive);
	const half = archive.length >> 1;
	const forms = {
		plain: archive,
		gzip: gzipSync(archive),
		members: Buffer.concat([gzipSync(archive.subarray(0, half)), gzipSync(archive.subarray(half))]),
		zstd: zstdCompressSync(archive),
		frames: Buffer.concat([
			zstdCompressSync(archive.subarray(0, half)),
			zstdCompressSync(archive.subarray(half)),
		]),
		skippable: Buffer.concat([Buffer.from('502a4d1803000000616263', 'hex'), zstdCompressSync(archive)]),
	};
	for (const [name, packed] of Object.entries(forms)) {
		const digest = digestOf(packed);
		const seen: number[] = [];
		const request = {
			root: join(folder, name),
			digest,
			diffId,
			onProgress: (bytes: number) => seen.push(bytes),
		};
		const pieces = Array.from({ length: packed.length }, (_, i) => packed.subarray(i, i + 1));
		const layer = await unpackLayer(name === 'zstd' ? pieces : [packed], { ...PLAIN, ...request });
		assert.deepEqual([layer.digest, layer.diffId, layer.packedBytes], [digest, diffId, packed.length]);
		assert.equal(seen.at(-1), packed.length);
		assert.equal(layer.contentBytes, 100_000);
		assert.equal(layer.archiveBytes, archive.length);
		assert.equal(readFileSync(join(folder, name, 'a/b'), 'utf8').length, 100_000);
		for (const wrong of [{ digest: digestOf('other') }, { diffId: digestOf('other') }])
			await rejects({ bytes: packed, folder, request: wrong }, 'digest', /has the digest sha256:/);
		if (name !== 'plain')
			await rejects(
				{ bytes: packed.subarray(0, -1), folder, request: {} },
				'malformed',
				/damaged or cut off/,
			);
		const longer = Buffer.concat([packed, Buffer.alloc(5, 'x')]);
		await assert.rejects(unpack(longer, { root: join(folder, 'longer'), digest }), LayerError);
	}
	const sha512 = digestOf(archive, 'sha512');
	assert.equal((await unpack(archive, { root: join(folder, '512'), digest: sha512 })).digest, sha512);
});

interface Refusal {
	readonly bytes: Uint8Array;
	readonly folder: string;
	readonly request: Partial<UnpackRequest>;
}

/** Expects that the layer is refused, and that nothing remains of it. */
async function rejects({ bytes, folder, request }: Refusal, reason: LayerError['reason'], message: RegExp) {
	const root = join(folder, 'refused');
	await assert.rejects(unpack(bytes, { ...request, root }), (error) => {
		assert.ok(error instanceof LayerError, String(error));
		assert.equal(error.reason, reason);
		assert.match(error.message, message);
		return true;
	});
	assert.ok(!existsSync(root));
}

test('sizes and the ratio of compression are limited', async (t) => {
	const folder = testFolder(t);
	const zeros = gzipSync(tarOf([{ path: 'zeros', content: Buffer.alloc(20 << 20) }]));
	const refuse = (limits: UnpackRequest['limits'], message: RegExp) =>
		rejects({ bytes: zeros, folder, request: { ...(limits && { limits }) } }, 'limit', message);
	await refuse({ ratio: 500 }, /unpacks to more than 500 times its size/);
	await refuse({ unpackedBytes: 1 << 20 }, /more than 1048576 bytes/);
	await refuse({ entries: 0 }, /more than 0 entries/);
	const bomb = zstdCompressSync(tarOf([{ path: 'zeros', content: Buffer.alloc(64 << 20) }]));
	assert.ok(bomb.length < 64_000);
	await rejects({ bytes: bomb, folder, request: {} }, 'limit', /more than 1000 times/);
});

test('an error of the source, an abort or a full disk leaves nothing behind', async (t) => {
	const folder = testFolder(t);
	const archive = tarOf([{ path: 'a/' }, { path: 'a/b', content: 'x'.repeat(1 << 20) }]);
	const root = join(folder, 'root');
	for (const packed of [archive, gzipSync(archive, { level: 0 })]) {
		const broken = async function* () {
			yield packed.subarray(0, packed.length >> 1);
			throw new Error('connection reset');
		};
		await assert.rejects(unpackLayer(broken(), { ...PLAIN, root }), /^Error: connection reset$/);
		assert.deepEqual(readdirSync(folder), []);
		const controller = new AbortController();
		let isClosed = false;
		const endless = async function* () {
			try {
				for (;;) {
					yield packed.subarray(0, packed.length >> 1);
					controller.abort(new Error('no longer needed'));
				}
			} finally {
				isClosed = true;
			}
		};
		await assert.rejects(
			unpackLayer(endless(), { ...PLAIN, root, signal: controller.signal }),
			/no longer needed/,
		);
		assert.ok(isClosed);
		assert.deepEqual(readdirSync(folder), []);
	}
});

test('a full disk leaves nothing behind', async (t) => {
	const disk = join(testFolder(t), 'disk');
	mkdirSync(disk);
	const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'none', disk]);
	if (mounted.status !== 0) return t.skip('cannot mount a small disk');
	try {
		const archive = tarOf([{ path: 'a', content: 'x'.repeat(200 << 10) }]);
		const slowly = async function* () {
			yield archive.subarray(0, 100 << 10);
			// The free space has been checked before.
			writeFileSync(join(disk, 'other'), Buffer.alloc(100 << 10));
			yield archive.subarray(100 << 10);
		};
		await assert.rejects(unpackLayer(slowly(), { ...PLAIN, root: join(disk, 'root') }), { code: 'ENOSPC' });
		assert.deepEqual(readdirSync(disk), ['other']);
		await assert.rejects(unpack(archive, { root: join(disk, 'root') }), { reason: 'limit' });
	} finally {
		execFileSync('umount', [disk]);
	}
});

test('set-id bits are kept or stripped, owners applied or recorded', async (t) => {
	const folder = testFolder(t);
	const archive = tarOf([
		{ path: './', mode: 0o700 },
		{ path: 'su', mode: 0o6755, content: 'x' },
		{ path: 'tmp/', mode: 0o1777 },
		{ path: 'closed/', mode: 0o2000, uid: 5, gid: 6 },
		{ path: 'closed/secret', mode: 0, uid: 7, gid: 8, content: 'y' },
		{ path: 'closed/link', to: 'secret', uid: 7 },
		{ path: 'closed/same', kind: 'hardlink', to: 'closed/secret' },
	]);
	const root = join(folder, 'recorded');
	const { marks } = await unpack(archive, { root, policy: { ownership: 'record', setId: 'strip' } });
	assert.deepEqual(Object.fromEntries(marks.owners), {
		closed: { uid: 5, gid: 6, mode: 0o2000 },
		'closed/link': { uid: 7, gid: 0, mode: 0o777 },
		'closed/same': { uid: 7, gid: 8, mode: 0 },
		'closed/secret': { uid: 7, gid: 8, mode: 0 },
	});
	const other = join(folder, 'other');
	const su = [
		{ path: 'su', mode: 0o6755, uid: 7 },
		{ path: 'root', mode: 0o4755 },
	];
	const kept = await unpack(tarOf(su), { root: other, policy: { ownership: 'record', setId: 'keep' } });
	// It must not become a program that runs as root.
	assert.equal(lstatSync(join(other, 'su')).mode & 0o7777, 0o755);
	assert.equal(lstatSync(join(other, 'root')).mode & 0o7777, 0o4755);
	assert.deepEqual([...kept.marks.owners], [['su', { uid: 7, gid: 0, mode: 0o6755 }]]);
	const modeOf = (path: string) => lstatSync(join(root, path)).mode & 0o7777;
	assert.deepEqual(
		['', 'su', 'tmp', 'closed', 'closed/secret'].map(modeOf),
		[0o700, 0o755, 0o1777, 0o700, 0o400],
	);
	assert.equal(statSync(root).uid, process.geteuid?.());
	if (!IS_ROOT) return;
	const applied = join(folder, 'applied');
	const layer = await unpack(archive, { root: applied, policy: { ownership: 'apply', setId: 'keep' } });
	assert.equal(layer.marks.owners.size, 0);
	assert.equal(layer.entries, 6);
	assert.equal(lstatSync(join(applied, 'su')).mode & 0o7777, 0o6755);
	const { uid, gid, mode } = lstatSync(join(applied, 'closed/secret'));
	assert.deepEqual([uid, gid, mode & 0o7777], [7, 8, 0]);
	chmodSync(join(root, 'closed'), 0o700);
});
