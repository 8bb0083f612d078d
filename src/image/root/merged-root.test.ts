import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { lstatSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { SystemRandom } from '../../base/random.ts';
import { SeededRandom } from '../../base/testing/seeded-random.ts';
import { digestOf } from '../digest.ts';
import type { LayerMarks } from '../layers/layer-marks.ts';
import type { ArchiveEntry } from '../testing/archive.ts';
import { buildImage } from '../testing/image-builder.ts';
import { openTestStore, pulled } from '../testing/test-store.ts';
import { treeOf } from '../testing/trees.ts';

const IS_ROOT = process.geteuid?.() === 0;
let roots = 0;

/** Unpacks the layers through a store, and copies their root. */
async function rootOf(
	t: TestContext,
	layers: readonly (readonly ArchiveEntry[])[],
	setId: 'keep' | 'strip' = 'keep',
) {
	const store = await openTestStore(t);
	const image = buildImage({ layers, compression: 'none' });
	const { layers: refs } = await store.add(pulled(image, 'image:1'));
	roots += 1;
	const { merged, marks } = await store.roots.createCopy({
		containerId: `c${roots}`,
		owner: '/data',
		imageId: image.id,
		setId,
	});
	return { store, image, root: merged, marks, refs };
}

/** The paths of files and links of a folder, with content or target. */
function plainTree(root: string): Readonly<Record<string, string>> {
	const found: Record<string, string> = {};
	for (const [path, line] of treeOf(root)) {
		const [mode = '', , , ...content] = line.split(' ');
		if (path !== '') found[path] = mode.startsWith('4') ? '/' : content.join(' ').trim();
	}
	return found;
}

test('upper layers replace, merge and hide what is below', async (t) => {
	const { root } = await rootOf(t, [
		[
			{ path: 'a/' },
			{ path: 'a/x', content: 'low' },
			{ path: 'a/y', content: 'low' },
			{ path: 'b/deep/z', content: 'low' },
			{ path: 'c/one', content: 'low' },
			{ path: 'f', content: 'low' },
			{ path: 'd/old', content: 'low' },
			{ path: 'l', to: 'a' },
		],
		[
			{ path: 'a/x', content: 'mid' },
			{ path: '.wh.b' },
			{ path: 'c/' },
			{ path: 'c/.wh..wh..opq' },
			{ path: 'c/two', content: 'mid' },
			{ path: 'f/' },
			{ path: 'f/in', content: 'mid' },
			{ path: 'd', content: 'now a file' },
			{ path: 'l/' },
			{ path: 'l/real', content: 'mid' },
		],
		[
			{ path: 'b/' },
			{ path: 'b/new', content: 'top' },
			{ path: 'a/.wh.y' },
			{ path: 'a/.wh.nothing' },
			{ path: 'd/' },
			{ path: 'd/new', content: 'top' },
			{ path: '.wh.f' },
			{ path: 'f', content: 'top' },
		],
	]);
	assert.deepEqual(plainTree(root), {
		a: '/',
		'a/x': 'mid',
		b: '/',
		'b/new': 'top',
		c: '/',
		'c/two': 'mid',
		d: '/',
		'd/new': 'top',
		f: 'top',
		l: '/',
		'l/real': 'mid',
	});
});

test('a folder without an entry takes attributes, or the link, of the layer below', async (t) => {
	const owner = IS_ROOT ? { uid: 7, gid: 8 } : {};
	const { root, store, refs } = await rootOf(t, [
		[
			{ path: 'tmp/', mode: 0o1777, mtime: 1000, ...owner },
			{ path: 'usr/lib/', mode: 0o711, mtime: 2000 },
			{ path: 'usr/lib/libc', content: 'low' },
			{ path: 'usr/lib/gone', content: 'low' },
			{ path: 'lib', to: 'usr/lib' },
			{ path: 'run/', mtime: 3000 },
			{ path: 'var/run', to: '/run' },
			{ path: 'dangling', to: 'nowhere' },
			{ path: 'shut/', mode: 0o700 },
		],
		[
			{ path: 'tmp/file', content: 'top' },
			{ path: 'lib/modules/m', content: 'top' },
			{ path: 'lib/libc', content: 'top' },
			{ path: 'lib/.wh.gone' },
			{ path: 'var/run/pid', content: 'top' },
			{ path: 'dangling/x', content: 'top' },
			{ path: 'usr/lib/both', content: 'top' },
			{ path: 'shut/.wh.x' },
		],
	]);
	assert.deepEqual(plainTree(root), {
		dangling: '/',
		'dangling/x': 'top',
		lib: 'usr/lib',
		run: '/',
		'run/pid': 'top',
		shut: '/',
		tmp: '/',
		'tmp/file': 'top',
		usr: '/',
		'usr/lib': '/',
		'usr/lib/both': 'top',
		'usr/lib/libc': 'top',
		'usr/lib/modules': '/',
		'usr/lib/modules/m': 'top',
		var: '/',
		'var/run': '/run',
	});
	// The same holds for the layer's own folder, which overlay would mount.
	const upper = store.layers.filesOf(refs[1]?.chainId ?? '');
	for (const folder of [root, upper]) {
		const of = (path: string) => {
			const { mode, mtimeMs, uid, gid } = lstatSync(join(folder, path));
			return [(mode & 0o7777).toString(8), mtimeMs, ...(IS_ROOT ? [uid, gid] : [])];
		};
		assert.deepEqual(of('tmp'), ['1777', 1_000_000, ...(IS_ROOT ? [7, 8] : [])]);
		assert.deepEqual(of('usr/lib').slice(0, 2), ['711', 2_000_000]);
		assert.deepEqual(of('run').slice(0, 2), ['755', 3_000_000]);
		assert.deepEqual(of('shut').slice(0, 1), ['700']);
	}
	assert.ok(!readdirSync(upper).includes('lib'));
	const [layer] = (await store.layers.view(refs.map(({ chainId }) => chainId))).root.layers;
	const implied = ['', 'dangling', 'run', 'shut', 'tmp', 'usr', 'usr/lib', 'usr/lib/modules', 'var'];
	assert.deepEqual(layer?.marks.implied, implied);
	assert.deepEqual(layer?.marks.whiteouts, ['usr/lib/gone']);
});

test('links are resolved inside of the view', async (t) => {
	const { store, refs } = await rootOf(t, [
		[
			{ path: 'etc/passwd', content: 'x' },
			{ path: 'up', to: '../../../../../etc/passwd' },
			{ path: 'abs', to: '/etc' },
			{ path: 'loop', to: 'loop' },
		],
		[{ path: 'over', to: 'abs/../abs/./passwd' }, { path: '.wh.nothing' }],
	]);
	const view = await store.layers.view(refs.map(({ chainId }) => chainId));
	for (const path of ['etc/passwd', '/etc/passwd', 'up', 'abs/passwd', 'over', '../../abs/passwd'])
		assert.equal(view.resolve(path)?.path, 'etc/passwd', path);
	for (const path of ['loop', 'loop/x', 'etc/passwd/x', 'nothing', 'etc/none'])
		assert.equal(view.resolve(path), undefined, path);
	assert.equal(view.resolve('/')?.path, '');
});

test('a copy keeps hard links, modes and times, and no file of it is one of the layers', async (t) => {
	const layers = [
		[
			{ path: 'a', mode: 0o4755, content: 'x', mtime: 5 },
			{ path: 'b', kind: 'hardlink' as const, to: 'a' },
			{ path: 'dir/', mode: 0o2755, mtime: 6, xattrs: new Map([['user.x', 'y']]) },
			{ path: 'dir/s', to: '/a', mtime: 7 },
			{ path: '\xff\xfe', content: 'bytes' },
		],
		[{ path: 'c', content: 'top', mtime: -5 }],
	];
	const { root, store, refs, marks } = await rootOf(t, layers);
	const [a, b] = [lstatSync(join(root, 'a')), lstatSync(join(root, 'b'))];
	assert.equal(a.ino, b.ino);
	assert.equal(a.nlink, 2);
	assert.equal(a.mode & 0o7777, 0o4755);
	const original = lstatSync(join(store.layers.filesOf(refs[0]?.chainId ?? ''), 'a'));
	assert.notEqual(original.ino, a.ino);
	const timesOf = ['a', 'dir', 'dir/s', 'c'].map((path) => lstatSync(join(root, path)).mtimeMs);
	assert.deepEqual(timesOf, [5000, 6000, 7000, -5000]);
	assert.deepEqual([...marks.xattrs], [['dir', new Map([['user.x', 'y']])]]);
	const stripped = await rootOf(t, layers, 'strip');
	assert.equal(lstatSync(join(stripped.root, 'a')).mode & 0o7777, 0o755);
	assert.equal(lstatSync(join(stripped.root, 'dir')).mode & 0o7777, 0o2755);
	assert.equal(
		readFileSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xff, 0xfe])]), 'utf8'),
		'bytes',
	);
});

test('an image without layers has an empty root, and a failed copy leaves nothing', async (t) => {
	const { root, store, image } = await rootOf(t, []);
	assert.deepEqual(readdirSync(root), []);
	assert.equal(await store.roots.isMountable(image.id), false);
	const full = buildImage({ layers: [Array.from({ length: 200 }, (_, i) => ({ path: `f${i}` }))] });
	await store.add(pulled(full, 'full:1'));
	const request = { containerId: 'late', owner: '/data', imageId: full.id, setId: 'keep' } as const;
	const signal = AbortSignal.abort(new Error('stopped'));
	await assert.rejects(store.roots.createCopy({ ...request, signal }), /stopped/);
	await assert.rejects(store.roots.createCopy({ ...request, imageId: digestOf('none') }), /no image/);
	for (const containerId of ['../x', '', '.', 'a/b'])
		await assert.rejects(store.roots.createCopy({ ...request, containerId }), /is not the id of a container/);
	assert.deepEqual(
		(await store.roots.list()).map(({ imageId }) => imageId),
		[image.id],
	);
});

/** Layers of random entries over few names, so that they meet. */
function randomLayers(random: SeededRandom): ArchiveEntry[][] {
	const pick = <T>(...choices: readonly T[]): T => choices[Math.floor(random.next() * choices.length)] as T;
	return Array.from({ length: 3 }, (_, layer) => {
		const entries: ArchiveEntry[] = [{ path: './' }];
		if (random.next() < 0.1) entries.push({ path: '.wh..wh..opq' });
		for (const folder of ['a', 'b', 'a/c']) {
			const kind = pick('none', 'folder', 'folder', 'whiteout', 'opaque', 'file');
			const [parent, name] = folder.includes('/') ? ['a/', 'c'] : ['', folder];
			if (parent !== '' && !entries.some(({ path }) => path === parent)) continue;
			if (kind === 'folder' || kind === 'opaque')
				entries.push({ path: `${folder}/`, mode: pick(0o700, 0o755) });
			if (kind === 'opaque') entries.push({ path: `${folder}/.wh..wh..opq` });
			if (kind === 'whiteout') entries.push({ path: `${parent}.wh.${name}` });
			if (kind === 'file') entries.push({ path: folder, content: `file of ${layer}` });
			if (kind !== 'folder' && kind !== 'opaque') continue;
			for (const file of ['x', 'y', 'z']) {
				const what = pick('none', 'file', 'file', 'whiteout', 'link');
				if (what === 'file') entries.push({ path: `${folder}/${file}`, content: `${layer}`, mtime: layer });
				if (what === 'link') entries.push({ path: `${folder}/${file}`, to: `../${layer}` });
				if (what === 'whiteout') entries.push({ path: `${folder}/.wh.${file}` });
			}
		}
		return entries;
	});
}

/** What the native helper will do, by programs: for the test with overlay itself. */
function applyByPrograms(root: string, { whiteouts, opaques }: LayerMarks): void {
	for (const path of whiteouts) execFileSync('mknod', [join(root, path), 'c', '0', '0']);
	for (const path of opaques)
		execFileSync('setfattr', ['-n', 'trusted.overlay.opaque', '-v', 'y', join(root, path)]);
}

test('a copy shows what overlay shows of the same layers', async (t) => {
	if (spawnSync('setfattr', ['--version']).status !== 0 || !IS_ROOT) return t.skip('needs setfattr and root');
	for (let round = 0; round < 15; round++) {
		const seed = Math.floor(new SystemRandom().next() * 2 ** 32);
		const store = await openTestStore(t, {
			files: {
				applyMarks: async (root, marks) => {
					applyByPrograms(root, marks);
					return true;
				},
			},
		});
		const image = buildImage({ layers: randomLayers(new SeededRandom(seed)) });
		await store.add(pulled(image, 'image:1'));
		assert.ok(await store.roots.isMountable(image.id));
		const copy = await store.roots.createCopy({
			containerId: 'copy',
			owner: '/data',
			imageId: image.id,
			setId: 'keep',
		});
		const { lowers, merged, upper, work } = await store.roots.createOverlay({
			containerId: 'overlay',
			owner: '/data',
			imageId: image.id,
		});
		mkdirSync(merged, { recursive: true });
		const options = `lowerdir=${lowers.join(':')},upperdir=${upper},workdir=${work}`;
		if (spawnSync('mount', ['-t', 'overlay', '-o', options, 'overlay', merged]).status !== 0)
			return t.skip('cannot mount overlay');
		try {
			// Overlay shows the attributes of the upper folder for the root itself.
			const [shown, copied] = [new Map(treeOf(merged)), new Map(treeOf(copy.merged))];
			for (const tree of [shown, copied]) tree.delete('');
			assert.deepEqual(copied, shown, `seed ${seed}`);
			await assert.rejects(store.roots.remove('overlay'), /merged is still mounted$/);
		} finally {
			execFileSync('umount', [merged]);
		}
		await store.roots.remove('overlay');
		assert.deepEqual(
			(await store.roots.list()).map(({ id }) => id),
			['copy'],
		);
	}
});

test('the helper gets the attributes of a copy before the copy is in its place', async (t) => {
	const applied: string[] = [];
	const store = await openTestStore(t, {
		files: {
			applyMarks: async (root, { xattrs }) => {
				const given = [...xattrs].map(([path, attributes]) => `${path} ${[...attributes.keys()]}`);
				applied.push(`${root.startsWith(store.folders.sessions)} ${basename(root)}: ${given}`);
				return true;
			},
		},
	});
	const xattrs = new Map([['security.capability', 'x']]);
	const image = buildImage({ layers: [[{ path: 'ping', content: '', xattrs }]] });
	await store.add(pulled(image, 'image:1'));
	const request = { containerId: 'c', owner: '/data', imageId: image.id, setId: 'keep' } as const;
	await store.roots.createCopy(request);
	assert.deepEqual(applied, ['true fs: ping security.capability', 'true merged: ping security.capability']);
});
