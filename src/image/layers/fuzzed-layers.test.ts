import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { removeTree } from '../../base/files/remove-tree.ts';
import { type Random, SystemRandom } from '../../base/random.ts';
import { SeededRandom } from '../../base/testing/seeded-random.ts';
import { type ArchiveEntry, tarOf } from '../testing/archive.ts';
import { testFolder, treeOf } from '../testing/trees.ts';
import { LayerError } from './layer-error.ts';
import { readMarks, writeMarks } from './layer-marks.ts';
import { unpackLayer } from './unpack-layer.ts';

const ARCHIVES = Number(process.env.STINT_FUZZ_ARCHIVES ?? 300);
const SEED = Number(process.env.STINT_FUZZ_SEED ?? Math.floor(new SystemRandom().next() * 2 ** 32));

const NAMES = ['a', 'b', 'c', 'd', '.', '', 'a/b', '/etc', 'etc', '\xff', 'z'.repeat(120)];
const MARKS = ['.wh.a', '.wh.b', '.wh..wh..opq'];
const STRANGE = [
	'..',
	'b/../c',
	'.wh.',
	'.wh...',
	'n\0l',
	'y'.repeat(300),
	'z/'.repeat(1400),
	'\n',
	'.wh..wh.plnk',
];
const TARGETS = ['a', '..', '../..', '../outside', '/', '/outside/file', 'b/c', '.', 'a/../../outside/file'];

class Fuzzer {
	readonly #random: Random;

	constructor(random: Random) {
		this.#random = random;
	}

	below(limit: number): number {
		return Math.floor(this.#random.next() * limit);
	}

	of<T>(choices: readonly T[], otherwise: T): T {
		return choices[this.below(choices.length)] ?? otherwise;
	}

	/** An archive of names that collide and links that lead everywhere, often damaged, usually compressed. */
	archive(): Buffer {
		const entries = Array.from({ length: 1 + this.below(10) }, () => this.#entry());
		let bytes = tarOf(entries);
		for (let damages = Math.max(0, this.below(5) - 2); damages > 0; damages--) bytes = this.#damaged(bytes);
		const form = this.below(4);
		if (form === 0) return bytes;
		const packed = form === 1 ? zstdCompressSync(bytes) : gzipSync(bytes, { level: 1 });
		return this.below(8) === 0 ? this.#damaged(packed) : packed;
	}

	#entry(): ArchiveEntry {
		const parts = Array.from({ length: 1 + this.below(3) }, () => this.#name());
		if (this.below(8) === 0) parts.push(this.of(MARKS, '.wh.a'));
		const kind = this.of(
			[
				'file',
				'file',
				'folder',
				'folder',
				'folder',
				'symlink',
				'symlink',
				'hardlink',
				'device',
				'fifo',
			] as const,
			'file',
		);
		return {
			path: parts.join('/'),
			kind,
			mode: this.below(0o10000),
			uid: this.of([0, 1000, 2 ** 31, 2 ** 32 - 2], 0),
			gid: this.below(3),
			mtime: this.of([0, -1, 2 ** 33, 2 ** 52, 1.5], 0),
			...(kind === 'file' && { content: 'x'.repeat(this.of([0, 1, 600, 5000], 0)) }),
			...(/link/.test(kind) && { to: this.of(TARGETS, 'a') }),
			...(this.below(9) === 0 && {
				xattrs: new Map([
					['user.a', '\0\xff'],
					['user.overlay.opaque', 'y'],
				]),
			}),
		};
	}

	#name(): string {
		return this.below(100) === 0 ? this.of(STRANGE, 'a') : this.of(NAMES, 'a');
	}

	#damaged(bytes: Buffer): Buffer {
		const copy = Buffer.from(bytes);
		const at = this.below(copy.length);
		const kind = this.below(5);
		if (kind === 0) return copy.subarray(0, at);
		if (kind === 1) return Buffer.concat([copy.subarray(at), copy.subarray(0, at)]);
		if (kind === 2) return Buffer.concat([copy, copy.subarray(at)]);
		copy[at] = this.below(256);
		// A damaged header is read only if its checksum is right.
		if (kind === 3) return withChecksum(copy, at - (at % 512));
		return copy;
	}
}

function withChecksum(bytes: Buffer, start: number): Buffer {
	const header = bytes.subarray(start, start + 512);
	if (header.length < 512) return bytes;
	header.fill(0x20, 148, 156);
	const sum = header.reduce((total, byte) => total + byte, 0);
	header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
	return bytes;
}

test(`${ARCHIVES} damaged and hostile archives change nothing outside of their root`, async (t) => {
	t.diagnostic(`seed ${SEED}`);
	const folder = testFolder(t);
	mkdirSync(join(folder, 'outside'));
	writeFileSync(join(folder, 'outside/file'), 'kept');
	const before = treeOf(join(folder, 'outside'));
	const root = join(folder, 'root');
	const ownership = process.geteuid?.() === 0 && SEED % 2 === 0 ? 'apply' : 'record';
	let unpacked = 0;
	for (let i = 0; i < ARCHIVES; i++) {
		const archive = new Fuzzer(new SeededRandom(SEED + i)).archive();
		const request = { digest: undefined, diffId: undefined, policy: { ownership, setId: 'keep' } } as const;
		try {
			const { marks } = await unpackLayer([archive], { ...request, root });
			unpacked += 1;
			assert.deepEqual(readMarks(writeMarks(marks)), marks);
			treeOf(root);

			await removeTree(root);
		} catch (error) {
			assert.ok(error instanceof LayerError, `archive ${i} of seed ${SEED}: ${error}`);
		}
		if (i % 100 === 99 || i === ARCHIVES - 1)
			assert.deepEqual(treeOf(join(folder, 'outside')), before, `seed ${SEED}, before ${i}`);
		assert.deepEqual(readdirSync(folder).length, 1, `archive ${i} of seed ${SEED}`);
	}
	t.diagnostic(`${unpacked} were unpacked`);
	assert.ok(unpacked > ARCHIVES / 20, `only ${unpacked} were unpacked`);
});
