import assert from 'node:assert/strict';
import {
	chmodSync,
	cpSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	renameSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { JOURNAL_NAME, LAUNCHER_LOCK, SOCKET_NAME } from '../../runtime/process/launcher/launcher-files.ts';
import { openSqliteStore } from '../../store/sqlite/sqlite-store.ts';
import { cliContext } from '../cli-context.ts';
import { dataFolder, openDataFolder } from './data-folder.ts';

const LAUNCHER = [LAUNCHER_LOCK, JOURNAL_NAME, SOCKET_NAME];

function temporary(t: TestContext): string {
	const path = mkdtempSync(join(tmpdir(), 'stint-data-'));
	t.after(() => rmSync(path, { recursive: true, force: true }));
	return path;
}

/** Creates a data folder with files of a launcher. */
function usedFolder(path: string): void {
	const folder = dataFolder(path);
	openDataFolder(folder, assert.fail);
	for (const name of LAUNCHER) writeFileSync(join(folder.runtime, name), 'of the launcher', { mode: 0o600 });
	mkdirSync(join(folder.runtime, 'sandboxes'));
}

test("opening a copy of a data folder reports the original and removes the launcher's files", (t) => {
	const [original, copy] = [join(temporary(t), 'original'), join(temporary(t), 'copy')];
	usedFolder(original);
	cpSync(original, copy, { recursive: true });
	const originals: string[] = [];
	openDataFolder(dataFolder(copy), (from) => originals.push(from));
	assert.deepEqual(originals, [original]);
	for (const name of LAUNCHER) {
		assert.ok(!existsSync(join(dataFolder(copy).runtime, name)), name);
		assert.ok(existsSync(join(dataFolder(original).runtime, name)), name);
	}
	// Opened again, the folder is no longer reported as a copy.
	openDataFolder(dataFolder(copy), assert.fail);
	openDataFolder(dataFolder(original), assert.fail);
});

test('a renamed data folder, or one without an identity, is not a copy', (t) => {
	const [original, renamed] = [join(temporary(t), 'original'), join(temporary(t), 'renamed')];
	usedFolder(original);
	renameSync(original, renamed);
	openDataFolder(dataFolder(renamed), assert.fail);
	for (const damage of ['', 'null', '{"path":', '[]']) {
		writeFileSync(join(renamed, 'folder.json'), damage);
		openDataFolder(dataFolder(renamed), assert.fail);
	}
	rmSync(join(renamed, 'folder.json'));
	openDataFolder(dataFolder(renamed), assert.fail);
	for (const name of LAUNCHER) assert.ok(existsSync(join(dataFolder(renamed).runtime, name)), name);
});

test('a symbolic link in place of a file of the data folder is rejected, and its target is unchanged', (t) => {
	for (const name of ['pki', 'logs', 'runtime', 'state.db', 'state.db-wal', 'kubeconfig', 'folder.json']) {
		const path = temporary(t);
		openDataFolder(dataFolder(path), assert.fail);
		const target = join(temporary(t), 'target');
		writeFileSync(target, 'kept');
		rmSync(join(path, name), { recursive: true, force: true });
		symlinkSync(target, join(path, name));
		assert.throws(
			() => openDataFolder(dataFolder(path), assert.fail),
			new RegExp(`^UnusablePathError: ${join(path, name)} is a symbolic link`),
		);
	}
});

test('an unreadable kubeconfig is reported, and not treated as missing', async (t) => {
	const folder = temporary(t);
	await assert.rejects(cliContext().connect(folder), {
		message: `the kubeconfig ${folder} cannot be read: illegal operation on a directory`,
	});
	const missing = join(folder, 'missing');
	await assert.rejects(cliContext().connect(missing), {
		message: `the kubeconfig ${missing} cannot be read: no such file or directory`,
	});
});

test('the error for a folder with access for others differs from that for a folder with foreign files', async (t) => {
	const path = join(temporary(t), 'data');
	const folder = dataFolder(path);
	openDataFolder(folder, assert.fail);
	const store = await openSqliteStore({ path: folder.database });
	await store.write({ type: 'create', key: '/a', value: new Uint8Array([1]) });
	await store.close();
	chmodSync(path, 0o777);
	assert.throws(() => openDataFolder(folder, assert.fail), /if all files in it are yours, run: chmod 700/);
	writeFileSync(join(path, 'thesis.txt'), '');
	assert.throws(() => openDataFolder(folder, assert.fail), /contains thesis.txt, which stint did not create/);
});
