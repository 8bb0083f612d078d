import assert from 'node:assert/strict';
import {
	chmodSync,
	chownSync,
	existsSync,
	lstatSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	statSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import {
	checkPrivateFile,
	openPrivateFolder,
	openPrivateRoot,
	readPrivateFile,
	UnusablePathError,
	writePrivateFile,
} from './private-files.ts';

const OWN = new Set(['state']);

function temporary(t: TestContext): string {
	const path = mkdtempSync(join(tmpdir(), 'stint-private-'));
	t.after(() => rmSync(path, { recursive: true, force: true }));
	return path;
}

function modeOf(path: string): number {
	return lstatSync(path).mode & 0o777;
}

/** Fails unless `act` throws an error about `path` whose reason matches. */
function refuses(act: () => unknown, path: string, reason: RegExp): void {
	assert.throws(act, (error) => {
		assert.ok(error instanceof UnusablePathError, String(error));
		assert.equal(error.path, path);
		assert.ok(error.message.startsWith(`${path} `), error.message);
		assert.match(error.message, reason);
		return true;
	});
}

test('a root is created with its ancestors, and made private if it is empty or contains only our files', (t) => {
	const path = join(temporary(t), 'a', 'b');
	openPrivateRoot(path, OWN);
	assert.equal(modeOf(path), 0o700);
	chmodSync(path, 0o777);
	openPrivateRoot(path, OWN);
	assert.equal(modeOf(path), 0o700);
	writeFileSync(join(path, 'state'), '');
	chmodSync(path, 0o755);
	openPrivateRoot(path, OWN);
	assert.equal(modeOf(path), 0o700);
	// Foreign files do not matter in a folder that no other user could enter.
	writeFileSync(join(path, 'notes'), '');
	openPrivateRoot(path, OWN);
});

test('a root that other users could write to, or that is open and contains foreign files, is rejected unchanged', (t) => {
	const path = temporary(t);
	writeFileSync(join(path, 'state'), '');
	chmodSync(path, 0o770);
	refuses(
		() => openPrivateRoot(path, OWN),
		path,
		/can be written to by other users \(mode 770\); if all files in it are yours, run: chmod 700/,
	);
	assert.equal(modeOf(path), 0o770);
	writeFileSync(join(path, 'notes'), '');
	chmodSync(path, 0o755);
	refuses(
		() => openPrivateRoot(path, OWN),
		path,
		/can be entered by other users \(mode 755\); it contains notes, which stint did not create/,
	);
	assert.equal(modeOf(path), 0o755);
});

test('a root may be a symbolic link to a folder, but not a file or a path below a file', (t) => {
	const path = temporary(t);
	mkdirSync(join(path, 'real'));
	symlinkSync('real', join(path, 'link'));
	openPrivateRoot(join(path, 'link'), OWN);
	const file = join(path, 'file');
	writeFileSync(file, 'kept');
	refuses(() => openPrivateRoot(file, OWN), file, /is a file, not a folder/);
	refuses(
		() => openPrivateRoot(join(file, 'below'), OWN),
		join(file, 'below'),
		/cannot be created: not a directory/,
	);
	refuses(
		() => openPrivateRoot('/proc/stint-test', OWN),
		'/proc/stint-test',
		/cannot be created: no such file or directory$/,
	);
	symlinkSync('nowhere', join(path, 'dangling'));
	refuses(
		() => openPrivateRoot(join(path, 'dangling'), OWN),
		join(path, 'dangling'),
		/no such file or directory/,
	);
	assert.equal(readFileSync(file, 'utf8'), 'kept');
});

test('files and folders of another user are rejected', (t) => {
	if (process.geteuid?.() !== 0) return t.skip('only root can give files to another user');
	const path = temporary(t);
	for (const name of ['folder', 'root']) mkdirSync(join(path, name), { mode: 0o700 });
	writeFileSync(join(path, 'file'), 'secret', { mode: 0o600 });
	for (const name of ['folder', 'root', 'file']) chownSync(join(path, name), 1234, 1234);
	const foreign = /belongs to another user \(uid 1234, and this process runs as uid 0\)/;
	refuses(() => openPrivateRoot(join(path, 'root'), OWN), join(path, 'root'), foreign);
	refuses(() => openPrivateFolder(join(path, 'folder')), join(path, 'folder'), foreign);
	refuses(() => checkPrivateFile(join(path, 'file')), join(path, 'file'), foreign);
	refuses(() => readPrivateFile(join(path, 'file')), join(path, 'file'), foreign);
});

test('no symbolic link is followed inside a private folder', (t) => {
	const path = temporary(t);
	const [outside, link] = [join(path, 'outside'), join(path, 'link')];
	mkdirSync(outside);
	symlinkSync(outside, link);
	refuses(() => openPrivateFolder(link), link, /is a symbolic link/);
	rmSync(link);
	writeFileSync(join(outside, 'file'), 'kept');
	symlinkSync(join(outside, 'file'), link);
	refuses(() => checkPrivateFile(link), link, /is a symbolic link/);
	refuses(() => readPrivateFile(link), link, /is a symbolic link/);
	// A link at the path of the draft is removed, and one at the path of the file replaced.
	symlinkSync(join(outside, 'file'), `${link}.new`);
	writePrivateFile(link, 'new');
	assert.equal(readPrivateFile(link), 'new');
	assert.equal(modeOf(link), 0o600);
	assert.equal(readFileSync(join(outside, 'file'), 'utf8'), 'kept');
	assert.deepEqual(readdirSync(path).sort(), ['link', 'outside']);
});

test('a folder instead of a file, and the reverse, is reported; a file that others can read is made private', (t) => {
	const path = temporary(t);
	const [file, folder] = [join(path, 'file'), join(path, 'folder')];
	mkdirSync(folder, { mode: 0o755 });
	writeFileSync(file, 'text', { mode: 0o644 });
	refuses(() => openPrivateFolder(file), file, /is a file, not a folder/);
	refuses(() => readPrivateFile(folder), folder, /is a folder, not a file/);
	refuses(() => writePrivateFile(folder, ''), folder, /is a folder, not a file/);
	openPrivateFolder(folder);
	assert.equal(modeOf(folder), 0o700);
	assert.equal(readPrivateFile(file), 'text');
	assert.equal(modeOf(file), 0o600);
	assert.equal(readPrivateFile(join(path, 'missing')), undefined);
	checkPrivateFile(join(path, 'missing'));
	assert.ok(!existsSync(join(path, 'missing')));
	assert.ok(statSync(file).size > 0);
});
