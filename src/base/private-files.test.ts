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

/** Fails unless `act` refuses `path` for a reason that matches. */
function refuses(act: () => unknown, path: string, reason: RegExp): void {
	assert.throws(act, (error) => {
		assert.ok(error instanceof UnusablePathError, String(error));
		assert.equal(error.path, path);
		assert.ok(error.message.startsWith(`${path} `), error.message);
		assert.match(error.message, reason);
		return true;
	});
}

test('a root is made with the folders above it, and closed to others if it was empty or only ours', (t) => {
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
	// What else is in it does not matter in a folder that no other user could enter.
	writeFileSync(join(path, 'notes'), '');
	openPrivateRoot(path, OWN);
});

test('a root that others could write to, or that has something else in it and is open, stays as it is', (t) => {
	const path = temporary(t);
	writeFileSync(join(path, 'state'), '');
	chmodSync(path, 0o770);
	refuses(
		() => openPrivateRoot(path, OWN),
		path,
		/can be written to by other users \(mode 770\); if all in it is yours, run: chmod 700/,
	);
	assert.equal(modeOf(path), 0o770);
	writeFileSync(join(path, 'notes'), '');
	chmodSync(path, 0o755);
	refuses(
		() => openPrivateRoot(path, OWN),
		path,
		/can be entered by other users \(mode 755\); notes in it is not stint's/,
	);
	assert.equal(modeOf(path), 0o755);
});

test('a root may be reached by a link, but not be a file or lie below one', (t) => {
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
		/cannot be made: not a directory/,
	);
	refuses(
		() => openPrivateRoot('/proc/stint-test', OWN),
		'/proc/stint-test',
		/cannot be made: no such file or directory$/,
	);
	symlinkSync('nowhere', join(path, 'dangling'));
	refuses(
		() => openPrivateRoot(join(path, 'dangling'), OWN),
		join(path, 'dangling'),
		/no such file or directory/,
	);
	assert.equal(readFileSync(file, 'utf8'), 'kept');
});

test('what belongs to another user is refused', (t) => {
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

test('in a private folder no link is followed', (t) => {
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
	// A link at the place where a file is prepared is removed, and one at the file's own place replaced.
	symlinkSync(join(outside, 'file'), `${link}.new`);
	writePrivateFile(link, 'new');
	assert.equal(readPrivateFile(link), 'new');
	assert.equal(modeOf(link), 0o600);
	assert.equal(readFileSync(join(outside, 'file'), 'utf8'), 'kept');
	assert.deepEqual(readdirSync(path).sort(), ['link', 'outside']);
});

test('a folder in the place of a file, and the other way round, is named; a file that others can read is closed', (t) => {
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
