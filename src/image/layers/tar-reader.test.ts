import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type ArchiveEntry, tarOf } from '../testing/archive.ts';
import { LayerError } from './layer-error.ts';
import { DEFAULT_LAYER_LIMITS } from './limits.ts';
import { type LayerEntry, TarReader } from './tar-reader.ts';

type Read = LayerEntry & { readonly content: string };

/** Reads an archive in pieces of the given sizes, repeated. */
function read(archive: Buffer, pieces: readonly number[] = [archive.length], limits = DEFAULT_LAYER_LIMITS) {
	const found: Read[] = [];
	let open: { entry: LayerEntry; parts: Buffer[] } | undefined;
	const reader = new TarReader(
		{
			entry: (entry) => {
				assert.equal(open, undefined);
				open = { entry, parts: [] };
			},
			data: (bytes) => {
				assert.ok(bytes.length > 0);
				open?.parts.push(Buffer.from(bytes));
			},
			end: () => {
				assert.ok(open);
				found.push({ ...open.entry, content: Buffer.concat(open.parts).toString('latin1') });
				open = undefined;
			},
		},
		limits,
	);
	let turn = 0;
	for (let at = 0; at < archive.length; turn++) {
		const length = pieces[turn % pieces.length] ?? 1;
		reader.write(archive.subarray(at, at + length));
		at += length;
	}
	reader.finish();
	return found;
}

function fails(archive: Buffer, reason: LayerError['reason'], message: RegExp): void {
	assert.throws(
		() => read(archive),
		(error) => {
			assert.ok(error instanceof LayerError, String(error));
			assert.equal(error.reason, reason);
			assert.match(error.message, message);
			return true;
		},
	);
}

/** The archive with a field of its first header replaced, and the checksum right again. */
function withField(archive: Buffer, at: number, value: string | Buffer): Buffer {
	const copy = Buffer.from(archive);
	copy.set(Buffer.from(value), at);
	copy.fill(0x20, 148, 156);
	const sum = copy.subarray(0, 512).reduce((total, byte) => total + byte, 0);
	copy.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
	return copy;
}

const bytes = fc.string({
	unit: fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code)),
	minLength: 1,
	maxLength: 300,
});

const entries: fc.Arbitrary<readonly ArchiveEntry[]> = fc
	.array(
		fc.record(
			{
				path: bytes.map((path) => `p${path.replaceAll('/', '_')}`),
				kind: fc.constantFrom('file' as const, 'symlink' as const, 'hardlink' as const, 'folder' as const),
				content: fc.oneof(fc.string({ maxLength: 1500 }), fc.constant('')),
				to: bytes,
				mode: fc.nat(0o7777),
				uid: fc.oneof(fc.nat(70_000), fc.nat(2 ** 32 - 1)),
				gid: fc.nat(2 ** 32 - 1),
				mtime: fc.oneof(fc.nat(2 ** 32), fc.integer({ min: -1000, max: -1 }), fc.constant(1.25)),
			},
			{ requiredKeys: ['path', 'kind', 'to'] },
		),
		{ maxLength: 6 },
	)
	.map((all) => all.map(({ content, ...each }) => (each.kind === 'file' ? { ...each, content } : each)));

test('whatever is written is read back, in pieces of any size', () => {
	fc.assert(
		fc.property(entries, fc.array(fc.integer({ min: 1, max: 1500 }), { minLength: 1 }), (written, pieces) => {
			const found = read(tarOf(written), pieces);
			assert.equal(found.length, written.length);
			for (const [i, { kind, path, content, to, mode, uid = 0, gid = 0, mtime = 0 }] of written.entries()) {
				const isLink = kind === 'symlink' || kind === 'hardlink';
				assert.deepEqual(
					{ ...found[i], xattrs: undefined },
					{
						kind,
						path: kind === 'folder' ? `${path}/` : path,
						content: kind === 'file' ? Buffer.from(content ?? '').toString('latin1') : '',
						size: kind === 'file' ? Buffer.byteLength(content ?? '') : 0,
						linkTarget: isLink ? to : '',
						mode: mode ?? 0o644,
						uid,
						gid,
						mtime,
						xattrs: undefined,
					},
				);
			}
		}),
	);
});

test('numbers in base 256 and in old notations are read', () => {
	const archive = tarOf([{ path: 'a' }]);
	const size = Buffer.alloc(12);
	size[0] = 0x80;
	size.writeUInt32BE(0, 8);
	assert.equal(read(withField(archive, 124, size))[0]?.size, 0);
	const owner = Buffer.from([0x80, 0, 0, 0, 0xff, 0xff, 0xff, 0xfe]);
	assert.equal(read(withField(archive, 108, owner))[0]?.uid, 2 ** 32 - 2);
	const before = Buffer.alloc(12, 0xff);
	assert.equal(read(withField(archive, 136, before))[0]?.mtime, -1);
	assert.equal(read(withField(archive, 100, '   644 \0'))[0]?.mode, 0o644);
	assert.equal(read(withField(archive, 108, Buffer.alloc(8)))[0]?.uid, 0);
	fails(withField(archive, 108, Buffer.alloc(8, 0xff)), 'malformed', /an owner below zero/);
	fails(withField(archive, 124, Buffer.alloc(12, 0xff)), 'malformed', /a size below zero/);
	fails(
		withField(archive, 124, Buffer.from([0x80, 1, ...Buffer.alloc(10)])),
		'malformed',
		/malformed number/,
	);
	fails(withField(archive, 108, '12x4567\0'), 'malformed', /malformed number/);
});

test('old types are understood, sparse and unknown ones refused', () => {
	const archive = tarOf([{ path: 'a' }]);
	assert.equal(read(withField(archive, 156, '7'))[0]?.kind, 'file');
	assert.equal(read(withField(archive, 156, '\0'))[0]?.kind, 'file');
	assert.equal(read(withField(withField(archive, 156, '\0'), 0, 'a/'))[0]?.kind, 'folder');
	for (const type of ['S', 'M', 'V', 'D', '!']) fails(withField(archive, 156, type), 'refused', /^a /);
	// The engines ignore a size of what has no content.
	const link = tarOf([{ path: 'a', to: 'b' }]);
	assert.equal(read(withField(link, 124, '00000001000\0')).length, 1);
});

/** An extension header with this body. */
function extension(type: string, body: string): Buffer {
	return withField(tarOf([{ path: 'x', content: body }]), 156, type).subarray(0, -1024);
}

/** A PAX record; its length counts its own two digits. */
function record(text: string): string {
	return `${text.length + 4} ${text}\n`;
}

const FILE = tarOf([{ path: 'a' }]);

test('GNU long names and PAX records apply to the next entry, global ones to all', () => {
	const long = 'n'.repeat(700);
	const [first, second] = read(
		Buffer.concat([
			extension('g', record('path=everywhere') + record('uid=12345678')),
			extension('L', `${long}\0`),
			extension('K', 'target\0'),
			extension('x', `${record('gid=12345')}${record('SCHILY.xattr.user.a=bc=d\n')}`),
			withField(tarOf([{ path: 'l', to: 'x' }]), 156, '2').subarray(0, -1024),
			FILE,
		]),
	);
	assert.equal(first?.path, 'everywhere');
	assert.equal(first?.linkTarget, 'target');
	assert.equal(first?.uid, 12345678);
	assert.equal(first?.gid, 12345);
	assert.deepEqual([...(first?.xattrs ?? [])], [['user.a', 'bc=d\n']]);
	assert.equal(second?.gid, 0);
	assert.equal(second?.path, 'everywhere');
	assert.equal(read(Buffer.concat([extension('L', `${long}\0`), FILE]))[0]?.path, long);
});

test('malformed PAX headers are errors', () => {
	for (const body of [
		'',
		'5 a=',
		'99 a=b\n',
		'7 a=b\n',
		'5 a=b\n',
		'4 =\n',
		'x a=b\n',
		'-6 a=b\n',
		'6 a-bc\n',
	]) {
		const archive = Buffer.concat([extension('x', body), FILE]);
		if (body === '') assert.equal(read(archive).length, 1);
		else fails(archive, 'malformed', /PAX header has a malformed record/);
	}
	for (const text of ['size=0x1', 'uid=-1', `mtime=${'9'.repeat(30)}`, 'uid=1e3'])
		fails(
			Buffer.concat([extension('x', record(text)), FILE]),
			'malformed',
			/PAX header has a malformed (size|uid|mtime)/,
		);
	fails(Buffer.concat([extension('x', record('GNU.sparse.major=1')), FILE]), 'refused', /sparse/);
	fails(Buffer.concat([extension('g', record('GNU.sparse.major=1')), FILE]), 'refused', /sparse/);
});

test('an archive that is cut off anywhere but between entries is an error', () => {
	const archive = tarOf([{ path: 'a', content: 'text' }, { path: 'b'.repeat(200) }]);
	const whole = new Set([0, 1024, archive.length - 1024, archive.length - 512, archive.length]);
	for (let length = 0; length <= archive.length; length += 64) {
		if (whole.has(length)) read(archive.subarray(0, length));
		else fails(archive.subarray(0, length), 'malformed', /cut off/);
	}
	assert.equal(read(Buffer.concat([archive, Buffer.from('anything')])).length, 2);
	fails(Buffer.concat([Buffer.alloc(512), archive]), 'malformed', /continues after a block of zeros/);
	fails(Buffer.alloc(512, 1), 'malformed', /wrong checksum/);
});

test('extension headers and the number of entries are limited', () => {
	const large = withField(extension('x', ''), 124, '00004000001\0');
	fails(large, 'limit', /an extension header of 1048577 bytes; the maximum is 1048576/);
	const many = tarOf([{ path: 'a' }, { path: 'b' }, { path: 'c' }]);
	const limits = { ...DEFAULT_LAYER_LIMITS, entries: 2 };
	assert.throws(() => read(many, [512], limits), { reason: 'limit', message: /more than 2 entries/ });
});
