import assert from 'node:assert/strict';
import {
	lstatSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	readlinkSync,
	statSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { temporaryFolder } from '../../base/testing/temporary-folder.ts';
import { nextTurn, UNLIMITED_TURN } from '../../base/turn.ts';
import type { VolumeFile } from '../../plan/pod/inputs/volume-files.ts';
import { writeAtomically } from './atomic-writer.ts';

/** What does not matter to most writes. */
const OPTIONS = { now: Date.UTC(2026, 0, 2, 15, 4, 5), turn: UNLIMITED_TURN, finish: async () => {} };

/** Files of mode 0644, by path. */
function filesOf(texts: Readonly<Record<string, string>>): readonly VolumeFile[] {
	return Object.entries(texts).map(([path, content]) => ({ path, content, mode: 0o644 }));
}

function write(folder: string, texts: Readonly<Record<string, string>>): Promise<void> {
	return writeAtomically(folder, filesOf(texts), OPTIONS);
}

test('the files are visible through a link per first element to a directory named by the time', async (t) => {
	const folder = temporaryFolder(t);
	await write(folder, { name: 'pod', 'user/labels': 'a', 'user/more/x': 'b' });
	const data = readlinkSync(join(folder, '..data'));
	assert.match(data, /^\.\.2026_01_02_15_04_05\.\w{6}$/);
	assert.deepEqual(readdirSync(folder).sort(), ['..data', data, 'name', 'user'].sort());
	assert.equal(readlinkSync(join(folder, 'user')), '..data/user');
	assert.equal(readFileSync(join(folder, 'user/more/x'), 'utf8'), 'b');
	assert.equal(statSync(join(folder, 'user')).mode & 0o777, 0o755);
	assert.equal(statSync(join(folder, 'name')).mode & 0o777, 0o644);
});

test('a change replaces the directory as a whole, and removes the links of files that are gone', async (t) => {
	const folder = temporaryFolder(t);
	await write(folder, { a: '1', 'b/c': '2' });
	const before = readlinkSync(join(folder, '..data'));
	let seen = '';
	await writeAtomically(folder, filesOf({ a: 'new', d: '3' }), {
		...OPTIONS,
		finish: async () => {
			seen = readFileSync(join(folder, 'a'), 'utf8');
		},
	});
	assert.equal(seen, '1', 'nothing is visible before the permissions are set');
	const after = readlinkSync(join(folder, '..data'));
	assert.notEqual(after, before);
	assert.deepEqual(readdirSync(folder).sort(), ['..data', after, 'a', 'd'].sort());
	assert.equal(readFileSync(join(folder, 'a'), 'utf8'), 'new');
});

test('nothing is written if the content is the same, but missing links are made again', async (t) => {
	const folder = temporaryFolder(t);
	const texts = { a: '1', 'b/c': '2' };
	await write(folder, texts);
	const before = readlinkSync(join(folder, '..data'));
	await writeAtomically(folder, filesOf(texts), { ...OPTIONS, finish: () => assert.fail('written again') });
	assert.equal(readlinkSync(join(folder, '..data')), before);
});

test('a write that was interrupted is repeated', async (t) => {
	const folder = temporaryFolder(t);
	await write(folder, { a: '1' });
	symlinkSync('..2025_gone', join(folder, '..data_tmp'));
	const failing = { ...OPTIONS, finish: () => Promise.reject(new Error('no space')) };
	await assert.rejects(writeAtomically(folder, filesOf({ a: '2' }), failing), { message: 'no space' });
	assert.equal(readFileSync(join(folder, 'a'), 'utf8'), '1');
	await write(folder, { a: '2' });
	assert.equal(readFileSync(join(folder, 'a'), 'utf8'), '2');
	assert.equal(readdirSync(folder).length, 3);
});

test('no path leaves the volume or takes a reserved name, with upstream’s messages', async (t) => {
	const folder = temporaryFolder(t);
	const wrong: readonly (readonly [string, string])[] = [
		['', 'must not be empty: ""'],
		['/etc/x', 'must be relative path: /etc/x'],
		['../x', "must not contain '..': ../x"],
		['a/../../x', "must not contain '..': a/../../x"],
		['..data', "must not start with '..': ..data"],
		['./..data/x', "must not start with '..': ./..data/x"],
		['a/'.repeat(2049), 'must be less than or equal to 4096 characters'],
		['x'.repeat(256), 'filenames must be less than or equal to 255 characters'],
		['.', 'must name a file: .'],
	];
	for (const [path, why] of wrong)
		await assert.rejects(write(folder, { [path]: 'x' }), { message: `invalid path: ${why}` });
	assert.deepEqual(readdirSync(folder), []);
});

test('a link in place of the data directory is not followed', async (t) => {
	const folder = temporaryFolder(t);
	const outside = temporaryFolder(t);
	writeFileSync(join(outside, 'keep'), '');
	symlinkSync(outside, join(folder, '..data'));
	await write(folder, { a: '1' });
	assert.deepEqual(readdirSync(outside), ['keep']);
	assert.equal(readFileSync(join(folder, 'a'), 'utf8'), '1');
});

test('a mount point keeps its place', async (t) => {
	const folder = temporaryFolder(t);
	mkdirSync(join(folder, 'nested'));
	await writeAtomically(folder, filesOf({ 'nested/x': '1' }), OPTIONS);
	assert.ok(lstatSync(join(folder, 'nested')).isDirectory());
});

test('other work runs between the files of a volume when the turn is spent', async (t) => {
	const folder = temporaryFolder(t);
	const names = Array.from({ length: 20 }, (_, index) => `file-${index}`);
	let pauses = 0;
	const turn = { rest: () => nextTurn().then(() => void pauses++) };
	const files = filesOf(Object.fromEntries(names.map((name) => [name, 'x'])));
	await writeAtomically(folder, files, { ...OPTIONS, turn });
	assert.equal(pauses, 40, 'for each file and each link');
	await writeAtomically(folder, files, { ...OPTIONS, turn });
	assert.equal(pauses, 80, 'for each comparison too');
});
